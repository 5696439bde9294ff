"""Reconciling batches: each one's count, what does not fit together, and the findings that say so in the registry."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from labels.batch import serial_in
from labels.book import Book, IssuedBatch
from labels.catalogue.catalogue import Catalogue
from labels.reconciling import groups, recalled, scans
from labels.reconciling.recalled import RecalledLabels
from labels.reconciling.scans import Strays
from labels.reconciling.tally import Found, Oddity, Tally, oddities, tally
from labels.words import plural
from ledger import operate
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import REGISTRY, Role
from ledger.tree_store import entry_id


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A batch, its count, what does not fit together, and what is recalled; by the index of a first one, its serial."""

    issued: IssuedBatch
    tally: Tally
    found: tuple[Found, ...]
    serials: dict[int, str]
    recalled: RecalledLabels

    @property
    def document(self) -> dict[str, Any]:
        """It, for machines."""
        batch = self.issued.batch
        named = {"gtin": batch.gtin, "lot": batch.lot, "root": batch.root.hex(), "registry_entry": self.issued.index}
        findings = [
            {"finding": one.oddity, "labels": one.labels, "first_serial": self.first_serial(one)} for one in self.found
        ]
        return {**named, **asdict(self.tally), **self.recalled.document, "findings": findings}

    def first_serial(self, found: Found) -> str | None:
        """The serial of the first label of what was found."""
        return None if found.first is None else self.serials.get(found.first)


def reconcile(
    connection: psycopg.Connection, batches: Iterable[IssuedBatch], catalogue: Catalogue, *, closed: bool = False
) -> Iterable[Reconciled]:
    """Count batches, one after the other; the catalogue says what is recalled."""
    items = recalled.items(catalogue)
    for issued in batches:
        batch = issued.batch
        grouped = groups.of_batch(connection, batch.root)
        found = oddities(grouped, issued=batch.size, closed=closed)
        firsts = [one.first for one in found if one.first is not None]
        yield Reconciled(
            issued,
            tally(grouped, issued=batch.size),
            tuple(found),
            _serials(connection, batch.root, firsts),
            recalled.of_batch(connection, batch, catalogue, items),
        )


@dataclass(frozen=True, slots=True)
class Undeclared:
    """The labels that were seen, are signed, and are in no published batch: by product, and of those without labels."""

    by_gtin: dict[str, Found]
    others: Strays | None = None

    def __bool__(self) -> bool:
        return bool(self.by_gtin) or self.others is not None

    @property
    def document(self) -> dict[str, Any]:
        """It, for machines."""
        return {
            "undeclared": {gtin: found.labels for gtin, found in self.by_gtin.items()},
            "undeclared_or_more": [gtin for gtin, found in self.by_gtin.items() if found.or_more],
            "undeclared_of_others": asdict(self.others) if self.others else None,
        }

    @property
    def told(self) -> Iterable[str]:
        """It, for a person."""
        for gtin, found in self.by_gtin.items():
            yield f"GTIN {gtin}: {found.reason}"
        if self.others:
            found = Found(Oddity.UNDECLARED, self.others.labels, or_more=self.others.or_more)
            products = plural(self.others.products, "product")
            yield f"{products} without labels, such as GTIN {self.others.first}: {found.reason}"


def undeclared(connection: psycopg.Connection, book: Book, gtins: Iterable[str], *, others: bool = False) -> Undeclared:
    """Those of products that have labels; and of all `others`, if they are asked for."""
    found = {}
    first: dict[str, int] = {}
    for issued in book.batches.values():
        gtin = issued.batch.gtin
        first[gtin] = min(first.get(gtin, issued.issued_at), issued.issued_at)
    for gtin in gtins:
        count, or_more = scans.strays(connection, gtin, first=datetime.fromtimestamp(first[gtin], UTC))
        if count:
            found[gtin] = Found(Oddity.UNDECLARED, count, or_more=or_more)
    strays = scans.strays_of_others(connection) if others else None
    return Undeclared(found, strays if strays and strays.labels else None)


def publish(
    folder: LedgerFolder,
    dsn: str,
    connection: psycopg.Connection,
    book: Book,
    found: Sequence[tuple[IssuedBatch, Found]],
    *,
    timeout_s: float,
) -> int:
    """Say what was found in the registry, signed by the label service, but what was said before; how many were new."""
    new = [(issued, one) for issued, one in found if not _is_said(connection, book, issued, one)]
    if not new:
        return 0
    entries = [
        {"type": "label-finding", "root": issued.batch.root, "finding": one.oddity.value, "reason": one.reason}
        for issued, one in new
    ]
    operate.post(folder, dsn, entries, timeout_s=timeout_s, key=SigningKey.load(folder.key_file(Role.LABELS)))
    return len(new)


def chosen(book: Book, gtin: str | None, lot: str | None) -> list[IssuedBatch]:
    """The batches of a lot, of a product or of all; UserError if there are none."""
    batches = book.lots(gtin, lot) if gtin else list(book.batches.values())
    if not batches:
        of = " ".join(filter(None, [f"GTIN {gtin}" if gtin else "", f"lot {lot}" if lot else ""]))
        told = f"no published batch has labels{f' of {of}' if of else ''}"
        raise UserError(told, "issue some: 'tallystick labels issue --help'")
    return batches


def _is_said(connection: psycopg.Connection, book: Book, issued: IssuedBatch, found: Found) -> bool:
    chain = connection.execute("select chain_id from chain where name = %s", [REGISTRY]).fetchone()
    assert chain is not None  # the book is of a ledger that has one
    query = "select from finding where about = %s and reason = %s limit 1"
    return connection.execute(query, [entry_id(chain[0], issued.index), found.reason]).fetchone() is not None


def _serials(connection: psycopg.Connection, root: bytes, indices: Sequence[int]) -> dict[int, str]:
    query = "select index, path from label where batch_root = %s and index = any(%s)"
    rows = connection.execute(query, [root, list(indices)])
    return {index: serial_in(path) for index, path in rows}
