"""The keys that sign labels: made for many lots and kept in a file, or for one batch and never written down.

Where the operator's key is at hand, each batch has a key of its own, for its GTIN, its day, its lot and its root. Its
secret is nowhere but in the memory of the process that signs, and goes with it: nobody signs one label more, ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labels.book import Book
from labels.clock import today
from labels.issuing.refused import Foreign, Refused
from labels.keeper import BookKeeper
from labels.signature import DAYS_MAX, LabelKey
from labels.typed import gtin_of
from ledger import operate
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import Role
from ledger.registry.prefixes import complaint, doubt, owner

PREFIX_DIGITS = range(4, 14)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A label key that the registry has, where its secret lies, and what is to be said of it, if anything."""

    line: LabelKey
    file: Path
    warning: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs a batch: its key, whose it is, and whether the registry has it already."""

    key: SigningKey
    organisation: str
    is_registered: bool


def make_key(
    folder: LedgerFolder,
    dsn: str,
    *,
    gtins: Sequence[str] = (),
    prefixes: Sequence[str] = (),
    days: int,
    organisation: str | None = None,
    timeout_s: float,
) -> NewKey:
    """Make a key that signs labels of these GTINs from today for `days` days, and have the operator register it.

    Raises UserError; then a key file that was written is of no use, and of no harm.
    """
    scope = [*map(gtin_of, gtins), *map(_prefix, prefixes)]
    if not scope:
        raise UserError("a label key signs for named products only", "name them with --gtin or --prefix")
    first = today()
    last = min(first + days - 1, DAYS_MAX)
    with connect(dsn) as connection:
        book = BookKeeper(folder).book(connection)
    uri = _holder(book, scope, organisation)
    key = SigningKey.generate()
    line = LabelKey(key.public, uri, tuple(scope), first, last)
    file = key_file(folder, key.kid)
    key.save(file, f"signs labels of {', '.join(scope)} for {uri}")
    operate.post(folder, dsn, [line.entry()], timeout_s=timeout_s)
    return NewKey(line, file, doubt(book.prefixes, uri, ", ".join(scope)))


def key_file(folder: LedgerFolder, kid: bytes) -> Path:
    """Where the secret of a label key lies."""
    return folder.key_file(f"label-{kid.hex()[:8]}")


def signer_for(
    folder: LedgerFolder, book: Book, gtin: str, day: int, *, organisation: str | None = None, file: Path | None = None
) -> Signer:
    """Who signs a batch of `gtin` on `day`: by the key in `file`, a new one, or the newest that is kept here.

    Raises Refused, with what to do about it.
    """
    if file is not None:
        return _kept(book, SigningKey.load(file), gtin, day, organisation)
    uri = _holder(book, [gtin], organisation)
    if folder.key_file(Role.OPERATOR).exists():
        return Signer(SigningKey.generate(), uri, is_registered=False)
    for line in reversed(book.label_keys):
        if line.organisation == uri and _fits(line, gtin, day) and (kept := key_file(folder, line.thumbprint)).exists():
            key = SigningKey.load(kept)
            if key.kid == line.thumbprint:
                return Signer(key, uri, is_registered=True)
    raise Foreign(
        f"no key here may sign labels of GTIN {gtin} today", f"make one: 'tallystick labels key --gtin {gtin}'"
    )


def _kept(book: Book, key: SigningKey, gtin: str, day: int, organisation: str | None) -> Signer:
    line = next((line for line in book.label_keys if line.thumbprint == key.kid), None)
    if line is None or line.batch is not None:
        raise Foreign("the registry knows this key as none that signs labels", "make one with 'tallystick labels key'")
    if not _fits(line, gtin, day) or organisation not in (None, line.organisation):
        told = f"this key may not sign labels of GTIN {gtin} today"
        raise Foreign(told, "'tallystick ledger trust export' lists what label keys may sign")
    return Signer(key, line.organisation, is_registered=True)


def _fits(line: LabelKey, gtin: str, day: int) -> bool:
    return line.covers(gtin) and line.first_day <= day <= line.last_day and not line.revoked and line.batch is None


def _holder(book: Book, gtins: Sequence[str], organisation: str | None) -> str:
    """Whose labels these are: the organisation that is named, or whose GS1 Company Prefix it is, or the operator."""
    uri = organisation or owner(book.prefixes, gtins[0]) or book.operator
    if uri not in book.organisations:
        known = ", ".join(sorted(book.organisations)[:5])
        raise Refused(f"no organisation {uri!r} is registered", f"registered are: {known}")
    if said := complaint(book.prefixes, uri, gtins):
        hint = "'tallystick ledger register --organisation URI --gs1-prefix DIGITS' says whose GTINs are whose"
        raise Foreign(said, hint)
    return uri


def _prefix(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) in PREFIX_DIGITS):
        raise UserError(
            f"prefix {text!r} is not what 14-digit GTINs begin with",
            f"write {PREFIX_DIGITS[0]} to {PREFIX_DIGITS[-1]} digits, the leading 0 of a 13-digit GTIN among them",
        )
    return text
