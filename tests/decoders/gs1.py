"""GS1's syntaxes."""

from collections.abc import Iterator

from labels import gs1
from labels.gs1 import bracketed, carrier, compressed, element_string, gtin, link_uri
from tests import seeds
from tests.decoders.target import Target, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_text(
        "labels.gs1.digital_link.parse",
        gs1.parse,
        gs1.Gs1Error,
        *seeds.LINKS,
        write=lambda link: str(link.build(link.host, scheme=link.scheme, path_prefix=link.path_prefix)),
        one_encoding=False,
    )
    for read, write in (
        (gs1.read, lambda message: str(message.bracketed)),
        (element_string.parse, lambda message: str(message.element_string)),
        (bracketed.parse, lambda message: str(message.bracketed)),
        (carrier.parse, lambda message: f"]d2{message.element_string}"),
        (gtin.parse, lambda message: str(message.gtin)),
    ):
        yield of_text(
            f"{read.__module__}.{read.__name__}",
            read,
            gs1.Gs1Error,
            *seeds.GS1_MESSAGES,
            *seeds.LINKS,
            write=write,
            one_encoding=False,
        )
    yield of_text(
        "labels.gs1.read.read_together",
        lambda text: gs1.read_together(text.split("\n")),
        gs1.Gs1Error,
        "\n".join(seeds.GS1_MESSAGES[:3]),
    )
    yield of_text(
        "labels.gs1.read.read_apart",
        lambda text: gs1.read_apart(text.split("\n")),
        gs1.Gs1Error,
        "\n".join(seeds.GS1_MESSAGES[:3]),
    )
    yield of_text(
        "labels.gs1.compressed.decode",
        lambda text: compressed.decode(text, ordered=True),
        compressed.NotCompressed,
        *seeds.COMPRESSED,
    )
    yield of_text("labels.gs1.link_uri.decode", lambda text: link_uri.decode(text, "10", 0), gs1.Gs1Error, "a%2Fb")
