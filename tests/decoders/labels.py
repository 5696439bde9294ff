"""Labels' signatures, batches and links."""

from collections.abc import Iterator

from labels import address, batch, gs1, signature
from ledger import registry
from ledger.errors import MalformedError, UserError
from tests import seeds
from tests.decoders.target import Target, of_bytes, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_text("labels.address.page_link", address.page_link, (gs1.Gs1Error, UserError), *seeds.LINKS)
    yield of_text(
        "labels.signature.decode_digits",
        signature.decode_digits,
        signature.LabelError,
        seeds.DIGITS,
        write=lambda found: str(found.digits),
    )
    yield of_text(
        "labels.signature.signature_of",
        lambda text: signature.signature_of(gs1.parse(text)),
        (gs1.Gs1Error, signature.LabelError),
        *seeds.LINKS,
    )
    yield of_text(
        "labels.batch.Label.of",
        lambda text: batch.Label.of(gs1.parse(text)),
        (gs1.Gs1Error, MalformedError),
        *seeds.LINKS,
    )
    yield of_bytes(
        "labels.batch.Batch.read", lambda data: batch.Batch.read(registry.decode(data)), MalformedError, *seeds.ENTRIES
    )
