"""What leaves for those who print: a batch's links with their serials, as CSV, as JSON, or bare; streamed.

A serial leaves as it is, for it is printed, and may be read back to issue: also one that a spreadsheet takes for a
formula or a number, as it begins with =, + or -. No quoting keeps it from that, and an apostrophe before it would be
part of it. So whoever has a CSV written hears of that; links have such signs escaped.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from io import StringIO
from itertools import chain
from pathlib import Path

import psycopg

from labels import listed
from labels.book import Book, IssuedBatch
from labels.issuing.refused import Refused
from labels.typed import gtin_of, lot_of
from ledger.errors import UserError

_HEADER = ("gtin", "lot", "serial", "link")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what begins so (GS1 has no more of these than the first three)

_Row = tuple[str, str, str, str]


class Format(StrEnum):
    """How the labels of batches are written."""

    LINKS = "txt"
    CSV = "csv"
    JSON = "json"

    @classmethod
    def of(cls, path: Path) -> "Format":
        """The format that a file's name ends in; UserError if it is none."""
        try:
            return cls(path.suffix.removeprefix(".").lower())
        except ValueError as error:
            raise UserError(
                f"{path} does not say what to write", "name it .csv, .json, or .txt for links alone"
            ) from error


def lines(
    connection: psycopg.Connection,
    batches: Sequence[IssuedBatch],
    form: Format,
    *,
    host: str,
    warn: Callable[[str], None] = lambda text: None,
) -> Iterator[str]:
    """The labels of these batches, in order, as text in pieces; UserError if the database has not all of them.

    `warn` hears what a person should know who opens a CSV.
    """
    for issued in batches:
        if not listed.has_all(connection, issued.batch):
            told = f"this database has not all labels of lot {issued.batch.lot}, registry entry {issued.index}"
            raise UserError(told, "the one of the label service that issued them has")
    if form is Format.JSON:
        return _json(connection, batches, host)
    if form is Format.CSV:
        rows = (row for issued in batches for row in _rows(connection, issued, host))
        return map(_csv_line, chain([_HEADER], _warned(rows, warn)))
    return (f"{row[3]}\n" for issued in batches for row in _rows(connection, issued, host))


def batches_of(book: Book, gtin: str, lot: str, root: str | None = None) -> list[IssuedBatch]:
    """The published batches of a lot; of several the one whose root begins so. UserError if there is none."""
    gtin = gtin_of(gtin)
    found = [issued for issued in book.lots(gtin, lot_of(gtin, lot)) if issued.batch.root.hex().startswith(root or "")]
    if not found:
        told = f" with a root {root}…" if root else ""
        raise Refused(f"no batch of lot {lot} of GTIN {gtin} is published{told}", "'tallystick labels lots' lists them")
    return found


def summary(issued: IssuedBatch) -> dict[str, object]:
    """A batch in a few words, for JSON."""
    batch = issued.batch
    said = {"registry_entry": issued.index, "root": batch.root.hex(), "gtin": batch.gtin, "lot": batch.lot}
    hidden = {} if batch.hidden is None else {"hidden": batch.hidden.hex()}
    return {**said, "size": batch.size, "serials": batch.serials.value, "key": batch.kid.hex(), **hidden}


def _rows(connection: psycopg.Connection, issued: IssuedBatch, host: str) -> Iterator[_Row]:
    for stored in listed.stream(connection, issued.batch.root):
        yield issued.batch.gtin, issued.batch.lot, stored.label.serial, stored.label.link(host)


def _warned(rows: Iterable[_Row], warn: Callable[[str], None]) -> Iterator[_Row]:
    """The same rows; `warn` hears of the first that a spreadsheet would change."""
    is_told = False
    for row in rows:
        if not is_told and (told := next((text for text in row[1:3] if text.startswith(_FORMULA)), None)):
            warn(f"a spreadsheet takes {told!r} for a formula: import its columns as text, or write .json")
            is_told = True
        yield row


def _json(connection: psycopg.Connection, batches: Sequence[IssuedBatch], host: str) -> Iterator[str]:
    """One object a line for each batch, with its links."""
    for issued in batches:
        links = (json.dumps(row[3]) for row in _rows(connection, issued, host))
        yield from chain([json.dumps(summary(issued))[:-1], ', "labels": ['], _between(links, ", "), ["]}\n"])


def _between(texts: Iterable[str], comma: str) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield comma + text if number else text


def _csv_line(row: Sequence[str]) -> str:
    """A line of a CSV (RFC 4180)."""
    line = StringIO()
    csv.writer(line).writerow(row)
    return line.getvalue()
