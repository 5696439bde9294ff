"""A print run's memory in the database: what is due, what was sent, and what came out.

A label is due if no row of the run's lot says that it was sent or printed, or if the last says that it was refused.
Each record is committed before the next step is taken.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from uuid import UUID, uuid4

import psycopg

from labels import uses
from labels.batch import Batch, Label
from labels.listed import StoredLabel
from labels.printing.outlet import Numbered, Part
from labels.uses import Use
from ledger.database import LOCK_PRINT
from ledger.errors import UserError

_PAGE = 1_000  # labels that are in memory at once
_WAIT_MS = 2_000
_PRINTING = [int(use) for use in uses.PRINTING]

_LAST = """left join lateral (
  select use from label_use u
   where u.batch_root = l.batch_root and u.index = l.index and u.use_id > %(after)s and u.use = any(%(printing)s)
   order by u.use_id desc limit 1) last on true"""
_UNCONFIRMED = """
select l.batch_root, l.index, l.path, l.signature, s.at, s.note, r.sent_to
  from label_use s
  join print_run r on r.run = s.run
  join label l on l.batch_root = s.batch_root and l.index = s.index
 where s.batch_root = any(%(roots)s) and s.use = %(sent)s
   and not exists (select from label_use u where u.batch_root = s.batch_root and u.index = s.index
                      and u.use_id > s.use_id and u.use = any(%(printing)s))
 order by s.use_id"""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A label that was sent to `where` in a part of name `part`, and never confirmed."""

    label: Numbered
    at: datetime
    part: str
    where: str


class Journal:
    """The printing of one lot, whose published batches are `batches` in the order of issue. Nobody else prints it."""

    def __init__(self, connection: psycopg.Connection, batches: Sequence[Batch], *, gtin: str, lot: str) -> None:
        """Take the lot; UserError if another run has it."""
        self._connection, self._gtin, self._lot = connection, gtin, lot
        self._first = dict(
            zip((b.root for b in batches), accumulate((b.size for b in batches), initial=0), strict=False)
        )
        self.size = sum(batch.size for batch in batches)
        self._run: UUID | None = None
        self._after = self._anew_after()
        self._take()

    def begin(self, where: str, *, anew: bool = False) -> None:
        """Begin a run that sends to `where`; `anew` makes all labels due, also for the runs that resume this one.

        All rows up to now then count for nothing, whatever other lots' runs are adding.
        """
        if anew:
            self._after = self._value("select coalesce(max(use_id), 0) from label_use")
        self._run = uuid4()
        self._connection.execute(
            "insert into print_run (run, began_at, gtin, lot, sent_to, anew_after) values (%s, %s, %s, %s, %s, %s)",
            [self._run, datetime.now(UTC), self._gtin, self._lot, where, self._after],
        )
        self._connection.commit()

    def due(self) -> Iterator[Numbered]:
        """The labels to print, in order. What is recorded meanwhile changes nothing of those that were given."""
        query = f"""select l.index, l.path, l.signature from label l {_LAST}
            where l.batch_root = %(root)s and l.index > %(above)s and (last.use is null or last.use = %(refused)s)
            order by l.index limit %(page)s"""  # noqa: S608 - no text of others
        for root in self._first:
            above = -1
            while rows := self._rows(query, root=root, above=above, refused=int(Use.REFUSED), page=_PAGE):
                yield from (self._numbered(root, *row) for row in rows)
                above = rows[-1][0]

    def chosen(self, paths: Iterable[Sequence[str]]) -> Iterator[tuple[Numbered, bool] | None]:
        """For each set of canonical paths the lot's label that has one of them, and whether it is due; None if none."""
        query = f"""select l.batch_root, l.index, l.path, l.signature, last.use from label l {_LAST}
            where l.batch_root = any(%(roots)s) and l.path = any(%(paths)s)"""  # noqa: S608
        for alternatives in paths:
            rows = self._rows(query, roots=list(self._first), paths=list(alternatives))
            for root, index, path, digits, use in rows[:1]:
                yield self._numbered(bytes(root), index, path, digits), use in (None, Use.REFUSED)
            if not rows:
                yield None

    def count_due(self) -> int:
        """How many labels are due."""
        query = f"""select count(*) from label l {_LAST} where l.batch_root = any(%(roots)s)
            and (last.use is null or last.use = %(refused)s)"""  # noqa: S608
        [(count,)] = self._rows(query, roots=list(self._first), refused=int(Use.REFUSED))
        return int(count)

    def unconfirmed(self) -> list[Unconfirmed]:
        """The labels that a run sent before it died, in the order in which they were sent."""
        rows = self._rows(_UNCONFIRMED, roots=list(self._first), sent=int(Use.SENT))
        return [
            Unconfirmed(self._numbered(bytes(root), index, path, digits), at, part, where)
            for root, index, path, digits, at, part, where in rows
        ]

    def record(self, parts: Iterable[Part], use: Use) -> None:
        """Record what became of all labels of some parts."""
        self.record_labels(((label, part.name) for part in parts for label in part.labels), use)

    def record_labels(self, labels: Iterable[tuple[Numbered, str]], use: Use) -> None:
        """Record what became of labels, each with the name of the part that it is on."""
        rows = ((label.stored.batch_root, label.stored.index, part) for label, part in labels)
        uses.record_noted(self._connection, rows, use, at=datetime.now(UTC), run=self._run)
        self._connection.commit()

    def _take(self) -> None:
        """Wait a little: the session of a run that has just died may still be ending."""
        try:
            self._connection.execute(f"set local lock_timeout = {_WAIT_MS}".encode())
            self._value("select 1 from pg_advisory_lock(%s, hashtext(%s))", LOCK_PRINT, f"{self._gtin}/{self._lot}")
        except psycopg.errors.LockNotAvailable as error:
            raise UserError(
                f"another run is printing lot {self._lot} of GTIN {self._gtin}",
                "wait until it is done: two would print a serial twice",
            ) from error

    def _anew_after(self) -> int:
        query = "select coalesce(max(anew_after), 0) from print_run where gtin = %s and lot = %s"
        return self._value(query, self._gtin, self._lot)

    def _numbered(self, root: bytes, index: int, path: str, digits: str) -> Numbered:
        return Numbered(self._first[root] + index + 1, StoredLabel(Label(path, digits), root, index))

    def _value(self, query: str, *arguments: object) -> int:
        row = self._connection.execute(query.encode(), arguments).fetchone()
        self._connection.commit()
        return int(row[0]) if row else 0

    def _rows(self, query: str, **arguments: object) -> list[tuple[Any, ...]]:
        known = {"after": self._after, "printing": _PRINTING}
        rows = self._connection.execute(query.encode(), {**known, **arguments}).fetchall()
        self._connection.commit()  # no snapshot is held while labels are drawn
        return rows
