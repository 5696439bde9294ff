"""Whose signatures count."""

from collections.abc import Iterator

from ledger import note
from ledger.errors import NoteError, TrustError
from ledger.trust import succession
from ledger.trust.bundle import TrustBundle
from ledger.trust.trust_file import Trust
from tests import rooted, seeds
from tests.decoders.target import Target, of_bytes, of_file, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_text(
        "ledger.trust.trust_file.Trust.parse",
        Trust.parse,
        TrustError,
        seeds.TRUST.text,
        seeds.TRUST_FOLLOWED,
        seeds.TRUST_BUNDLE,
        write=lambda found: str(found.text),
        one_encoding=False,
    )
    yield of_text(
        "ledger.trust.bundle.TrustBundle.parse",
        TrustBundle.parse,
        TrustError,
        seeds.TRUST_BUNDLE,
        write=lambda found: str(found.note),
    )
    yield of_text(
        "ledger.trust.bundle.TrustBundle.parse of what the operator signs",
        lambda text: TrustBundle.parse(note.sign(f"{text}\n", [seeds.TRUST_SIGNER])),
        (TrustError, NoteError),
        seeds.TRUST_BUNDLE.rpartition("\n\n")[0],
    )
    yield of_bytes(
        "ledger.trust.succession.follow",
        lambda data: succession.follow(rooted.pin(seeds.ROOTED), [seeds.ROOTED[0], data]),
        TrustError,
        seeds.ROOTED[1],
    )
    yield of_file("ledger.trust.trust_file.Trust.load", Trust.load, seeds.TRUST.text)
