"""Issuing: a key that may sign labels of some GTINs, and a lot's labels as one batch.

What causes an entry and the entry itself go into the database in one transaction: a batch's labels are stored, and
its registry entry is in the inbox, or neither is.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from labels import gs1
from labels.batch import Batch, Label, commit, sign_labels
from labels.book import Book, IssuedBatch
from labels.clock import today
from labels.issuing.serial import new_serials
from labels.keeper import BookKeeper
from labels.signature import DAYS_MAX, LabelKey
from labels.typed import gtin_of, lot_of
from ledger import cbor, inbox, operate
from ledger.author import Author, Content
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import REGISTRY, Role
from ledger.section import ContentFormat, Privacy
from ledger.statement import STREAM_BYTES

LABELS_MAX = 100_000  # of one batch
PREFIX_DIGITS = range(4, 14)
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class NewKey:
    """A label key that the registry has, and where its secret lies."""

    line: LabelKey
    file: Path


@dataclass(frozen=True, slots=True)
class Issued:
    """A batch whose registry entry is published, and its labels in order."""

    batch: IssuedBatch
    labels: tuple[Label, ...]


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
    uri = organisation or book.operator
    if uri not in book.organisations:
        known = ", ".join(sorted(book.organisations)[:5])
        raise UserError(f"no organisation {uri!r} is registered", f"registered are: {known}")
    key = SigningKey.generate()
    file = key_file(folder, key.kid)
    key.save(file, f"signs labels of {', '.join(scope)} for {uri}")
    entry = {"type": "label-key", "key": key.public, "organisation": uri, "gtins": scope}
    operate.post(folder, dsn, [entry | {"first_day": first, "last_day": last}], timeout_s=timeout_s)
    return NewKey(LabelKey(key.public, uri, tuple(scope), first, last), file)


def issue(
    folder: LedgerFolder, dsn: str, *, gtin: str, lot: str, count: int, lot_in_link: bool = False, timeout_s: float
) -> Issued:
    """Issue `count` labels of a lot as a batch, and wait until the registry has published it.

    The same lot may be issued again: that is another batch. Raises UserError.
    """
    gtin = gtin_of(gtin)
    lot = lot_of(gtin, lot)
    if not 0 < count <= LABELS_MAX:
        raise UserError(f"a batch has 1 to {LABELS_MAX:,} labels, not {count:,}", "issue a lot in several batches")
    keeper, day = BookKeeper(folder), today()
    with connect(dsn) as connection:
        book = keeper.book(connection)
        key = _signing_key(folder, book, gtin, day)
        with connection.transaction():
            serials = _new_serials(connection, gtin, count)
            labels = sign_labels(key, day, gtin=gtin, lot=lot, serials=serials, lot_in_link=lot_in_link)
            batch = commit(labels, gtin=gtin, lot=lot, kid=key.kid, day=day)
            _store(connection, batch, labels)
            _post(connection, _author(folder, book), batch)
        connection.commit()
        return Issued(_await_published(connection, keeper, batch, time.monotonic() + timeout_s), tuple(labels))


def key_file(folder: LedgerFolder, kid: bytes) -> Path:
    """Where the secret of a label key lies."""
    return folder.key_file(f"label-{kid.hex()[:8]}")


def _prefix(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) in PREFIX_DIGITS):
        raise UserError(
            f"prefix {text!r} is not what 14-digit GTINs begin with",
            f"write {PREFIX_DIGITS[0]} to {PREFIX_DIGITS[-1]} digits, the leading 0 of a 13-digit GTIN among them",
        )
    return text


def _signing_key(folder: LedgerFolder, book: Book, gtin: str, day: int) -> SigningKey:
    """The newest key that may sign `gtin` today and whose secret is here."""
    for line in reversed(book.label_keys):
        fits = line.covers(gtin) and line.first_day <= day <= line.last_day and not line.revoked
        if fits and (file := key_file(folder, line.thumbprint)).exists():
            key = SigningKey.load(file)
            if key.kid == line.thumbprint:
                return key
    raise UserError(
        f"no key here may sign labels of GTIN {gtin} today", f"make one: 'tallystick labels key --gtin {gtin}'"
    )


def _new_serials(connection: psycopg.Connection, gtin: str, count: int) -> list[str]:
    """Serials that no label of this product has."""
    serials = new_serials(count)
    paths = {gs1.item(gtin, serial=serial).canonical_path: serial for serial in serials}
    rows = connection.execute("select path from label where path = any(%s)", [list(paths)]).fetchall()
    taken = {paths[path] for (path,) in rows}
    return [serial for serial in serials if serial not in taken] + new_serials(len(taken), taken=set(serials))


def _store(connection: psycopg.Connection, batch: Batch, labels: Sequence[Label]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("copy label (batch_root, index, path, signature) from stdin") as copy,
    ):
        for index, label in enumerate(labels):
            copy.write_row((batch.root, index, label.path, label.digits))


def _author(folder: LedgerFolder, book: Book) -> Author:
    key = book.key_named(Role.LABELS)
    return folder.author(Role.LABELS, issuer=key.issuer, subject=key.subject)


def _post(connection: psycopg.Connection, author: Author, batch: Batch) -> None:
    content = Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(batch.entry()))
    now, new_stream = int(time.time()), os.urandom(STREAM_BYTES)
    inbox.post(connection, author, chain=REGISTRY, contents=[content], now=now, new_stream=new_stream)


def _await_published(connection: psycopg.Connection, keeper: BookKeeper, batch: Batch, deadline: float) -> IssuedBatch:
    while True:
        found = keeper.book(connection).batches.get(batch.root)
        connection.commit()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise UserError(
                f"{batch.size} labels are signed and stored, but nobody has sealed their batch yet",
                "is the gateway running? 'tallystick up' or 'tallystick gateway run'",
            )
        time.sleep(_POLL_S)
