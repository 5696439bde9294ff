"""What is said of a product, and recalls."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from labels.catalogue import picture
from labels.catalogue.description import Description
from labels.catalogue.recall import Lifting, Recall
from labels.describing import written
from ledger import cbor, registry
from ledger.errors import MalformedError, UserError
from tests import seeds
from tests.decoders.target import Target, of_bytes, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    kinds: tuple[Any, ...] = (Description, Recall, Lifting)
    for kind in kinds:
        yield of_bytes(
            f"{kind.__module__}.{kind.__name__}.read",
            partial(_read_entry, kind),
            MalformedError,
            *seeds.ENTRIES,
            write=lambda found: cbor.encode(found.entry()),
            one_encoding=False,
        )
    yield of_bytes("labels.catalogue.picture.prepare", picture.prepare, MalformedError, *seeds.PICTURES)
    yield of_bytes(
        "labels.describing.written.changes_of",
        lambda data: written.changes_of("file", data),
        UserError,
        *seeds.CATALOGUES,
    )
    yield of_text("labels.describing.written.link_of", written.link_of, UserError, "gs1:pip=https://example.com/;A;en")
    yield of_text("labels.describing.written.limit_of", written.limit_of, UserError, "temperature=-2.5..8 Cel")


def _read_entry(kind: Any, data: bytes) -> Any:
    return kind.read(registry.decode(data))
