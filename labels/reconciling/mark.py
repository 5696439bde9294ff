"""Marking: a person says what became of labels. All that is named is marked, or, if one is unknown, nothing is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

import psycopg

from labels import gs1, uses, words
from labels.batch import Batch
from labels.listed import StoredLabel, of_paths
from labels.typed import serial_of
from labels.use import Use
from ledger.errors import UserError

LINES_MAX = 1_000_000  # of labels that are marked at once


@dataclass(frozen=True, slots=True)
class Named:
    """A label as a person or a scanner named it, its possible paths, and what signs its link.

    `where` is the line of a file in which it stands, or "" if it was typed.
    """

    where: str
    text: str
    paths: tuple[str, ...]
    digits: str | None = None


def named(text: str, where: str, *, gtin: str | None, lot: str | None) -> Named:
    """A label by its link, or by its serial where `gtin` is known; UserError if `text` is neither."""
    if "/" in text and ":" in text:
        try:
            link = gs1.parse(text)
            return Named(where, text, (link.canonical_path,), dict(link.query).get("s"))
        except gs1.Gs1Error as error:
            told = f"that is no label's link: {words.mistake(error)}"
            raise UserError(_at(where, told), "give the whole link, as a scanner reads it") from error
    if gtin is None:
        told = f"{words.clipped(text)!r} is no link"
        raise UserError(_at(where, told), "a serial needs its product: name it by --gtin")
    try:
        path = serial_of(gtin, text).canonical_path
    except UserError as error:
        raise UserError(_at(where, str(error)), error.hint) from error
    with_lot = (gs1.item(gtin, lot=lot, serial=text).canonical_path,) if lot else ()
    return Named(where, text, (path, *with_lot))


def lines(text: str, source: str) -> Iterable[tuple[str, str]]:
    """The labels that a text names, one a line: (where it stands, what). Empty lines name none."""
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if stripped := line.strip():
            yield f"line {number} of {source}", stripped


def find(connection: psycopg.Connection, names: Sequence[Named]) -> list[StoredLabel]:
    """The issued labels of these names, each once; UserError names the first that was never issued here, or not so."""
    if len(names) > LINES_MAX:
        raise UserError(f"{len(names):,} labels are more than {LINES_MAX:,}", "mark them in several goes")
    known = of_paths(connection, [path for name in names for path in name.paths])
    found = {}
    for name in names:
        stored = next((known[path] for path in name.paths if path in known), None)
        if stored is None:
            hint = "nothing was marked; where the link holds the lot, name it by --lot"
            raise UserError(_at(name.where, f"no label {words.clipped(name.text)!r} was issued here"), hint)
        if name.digits not in (None, stored.label.digits):
            told = f"the signature in {words.clipped(name.text)!r} is not that of the label issued here"
            raise UserError(
                _at(name.where, told), "nothing was marked; scan it again: if it says the same, the label is made up"
            )
        found[stored.batch_root, stored.index] = stored
    return list(found.values())


def numbered(batches: Sequence[Batch], first: int, last: int) -> list[tuple[bytes, int]]:
    """The labels of a lot by their numbers, from 1 on over its batches in the order of issue; UserError if not so."""
    starts = list(accumulate((batch.size for batch in batches), initial=0))
    if not 1 <= first <= last <= starts[-1]:
        told = f"the lot has labels 1 to {starts[-1]:,}, not {first:,} to {last:,}"
        told = told if batches else "no labels of this lot are published"
        raise UserError(told, "'labels lots' lists the lots, and 'labels print' tells the numbers")
    return [
        (batch.root, index)
        for batch, start in zip(batches, starts, strict=False)
        for index in range(max(0, first - 1 - start), min(batch.size, last - start))
    ]


def mark(
    connection: psycopg.Connection, labels: Iterable[tuple[bytes, int]], use: Use, *, at: datetime, note: str = ""
) -> None:
    """Record that these labels, by batch root and index, were used so, and commit."""
    with connection.transaction():
        uses.record_noted(connection, ((root, index, note) for root, index in labels), use, at=at)
    connection.commit()


def _at(where: str, told: str) -> str:
    return f"{where}: {told}" if where else told
