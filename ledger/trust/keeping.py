"""Keeping a trust file: replaced by a newer bundle, if that may follow."""

from pathlib import Path

from ledger import whole_file
from ledger.errors import TrustError, UserError
from ledger.registry import Recalled
from ledger.trust.trust_file import Trust


def update(path: Path, new: Path, *, now: float) -> tuple[Trust, tuple[Recalled, ...]]:
    """Put the bundle in the file `new` in the place of the trust file at `path`, if it may follow; raises UserError.

    Returns it, and the recalls that it has no longer.
    """
    kept, offered = Trust.load(path), Trust.load(new)
    try:
        trust = kept.updated(offered, now)
    except TrustError as error:
        raise UserError(
            f"{new} cannot follow {path}: {error}", "ask the ledger's operator for the newest one"
        ) from error
    whole_file.put(path, trust.text.encode())
    return trust, trust.bundle.lifted(kept.bundle) if trust.bundle and kept.bundle else ()
