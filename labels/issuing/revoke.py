"""Revoking label keys: by their key id, or all that may sign a product or a lot of it."""

import re

from labels.book import Book
from labels.keeper import BookKeeper
from labels.signature import LabelKey
from labels.typed import gtin_of, lot_of
from ledger import operate
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder

_HINT = "'tallystick labels lots --json' has the key of each batch, 'tallystick ledger trust export' lists all"


def revoke(
    folder: LedgerFolder, dsn: str, *, kid: str | None, gtin: str | None, lot: str | None, reason: str, timeout_s: float
) -> list[LabelKey]:
    """Revoke the label keys that are named so, for ever, as the operator; returns them. Raises UserError."""
    with connect(dsn) as connection:
        book = BookKeeper(folder).book(connection)
    found = _named(book, kid) if kid is not None else _of_product(book, gtin, lot)
    lines = [line for line in found if not line.revoked]
    if not lines:
        raise UserError("every label key of that name is revoked already", "that is for ever, and needs nothing more")
    entries = [{"type": "revocation", "kid": line.thumbprint, "reason": reason} for line in lines]
    operate.post(folder, dsn, entries, timeout_s=timeout_s)
    return lines


def _named(book: Book, kid: str) -> list[LabelKey]:
    if not re.fullmatch("[0-9a-f]{8,64}", kid):
        raise UserError(f"{kid!r} is no key id", "write its first 8 hexadecimal digits at least")
    found = [line for line in book.label_keys if line.thumbprint.hex().startswith(kid)]
    if len(found) > 1:
        raise UserError(f"{len(found)} label keys begin with {kid}", "write more of its digits")
    if not found:
        raise UserError(f"no label key begins with {kid}", _HINT)
    return found


def _of_product(book: Book, gtin: str | None, lot: str | None) -> list[LabelKey]:
    if gtin is None:
        raise UserError("no label key is named", "give its key id, or --gtin, and --lot for one lot's alone")
    gtin = gtin_of(gtin)
    named = None if lot is None else lot_of(gtin, lot)
    found = [line for line in book.label_keys if line.covers(gtin) and named in (None, line.lot)]
    if not found:
        raise UserError(f"no label key is for GTIN {gtin}{f', lot {lot} alone' if lot else ''}", _HINT)
    return found
