"""A ledger in its database and checkpoint folder, as an audit reads it: in batches, as of one moment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from ledger import checkpoint_file
from ledger.audit.rows import AnchoredRow, BlockRow, ChainRow, EntryRow, Source, SourceAt, TileRow
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.published.content import Shown
from ledger.statement import StreamKey
from ledger.tree_store import INDEX_BITS, chain_of, entry_id, index_of

ENTRIES_BATCH, ROWS_BATCH, TILES_BATCH = 2_048, 1_000, 32
_INDICES = 1 << INDEX_BITS
_new = tuple.__new__  # makes a named tuple at a third of what its own constructor costs

_STRAYS = {
    "section {1} of entry {0} belongs to no entry": """
        select s.entry_id, s.line from section s
         where not exists (select from entry e where e.entry_id = s.entry_id) order by 1, 2""",
    "entry {0} belongs to no chain": """
        select e.entry_id from entry e
         where not exists (select from chain c where c.chain_id = e.entry_id >> 40) order by 1""",
    "block {1} of chain number {0} belongs to no chain": """
        select b.chain_id, b.height from block b
         where not exists (select from chain c where c.chain_id = b.chain_id) order by 1, 2""",
    "tile {1}/{2} of chain number {0} belongs to no chain": """
        select t.chain_id, t.level, t.index from tile t
         where not exists (select from chain c where c.chain_id = t.chain_id) order by 1, 2, 3""",
    "stream row {0} has no entries": """
        select s.stream_id from stream s
         where not exists (select from entry e where e.stream_id = s.stream_id) order by 1""",
}


@dataclass(frozen=True, slots=True)
class DatabaseAt:
    """A ledger in a database, as of the moment that a snapshot holds (see `DatabaseSource.at`)."""

    dsn: str
    snapshot: str

    @contextmanager
    def open(self) -> Iterator["DatabaseSource"]:
        """Open it; raises UserError if the moment has passed."""
        with connect(self.dsn) as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            connection.execute(sql.SQL("set transaction snapshot {}").format(self.snapshot))
            yield DatabaseSource(connection, None, snapshot=False)


class DatabaseSource:
    """Reads by `connection`, in one transaction of its own that sees one moment and writes nothing.

    The connection must be in no transaction; its next commit or rollback ends the audit's. Without a `folder`, nothing
    is published.
    """

    def __init__(self, connection: psycopg.Connection, folder: LedgerFolder | None, *, snapshot: bool = True) -> None:
        self._connection = connection
        rows = connection.execute("select name from chain").fetchall()
        # Files first: then nothing is published that this moment of the database has not.
        self._published = {name: _read(folder, name) for (name,) in rows if folder is not None}
        if snapshot:
            connection.rollback()
            connection.execute("set transaction isolation level repeatable read, read only")
            # The cores have enough to do. Without help two indices are merged; with it, one of them is hashed.
            connection.execute("set local max_parallel_workers_per_gather = 0")
        found = connection.execute("select chain_id, name, origin from chain order by chain_id").fetchall()
        self._ids = {name: chain_id for chain_id, name, _ in found}
        self._names = {chain_id: name for chain_id, name, _ in found}
        self._chains = [ChainRow(name, origin) for _, name, origin in found]
        self._tiles: dict[tuple[str, int, int], TileRow] = {}

    def at(self, dsn: str) -> DatabaseAt:
        """The same moment, for further connections while this transaction lives."""
        row = self._connection.execute("select pg_export_snapshot()").fetchone()
        assert row is not None
        return DatabaseAt(dsn, row[0])

    @property
    def is_whole(self) -> bool:
        return True

    def chains(self) -> Sequence[ChainRow]:
        return self._chains

    def published(self, chain: str) -> str | None:
        return self._published.get(chain)

    def end(self, chain: str) -> int:
        if chain not in self._ids:
            return 0
        low = entry_id(self._ids[chain], 0)
        row = self._connection.execute(
            "select max(entry_id) from entry where entry_id >= %s and entry_id < %s", [low, low + _INDICES]
        ).fetchone()
        return 0 if row is None or row[0] is None else index_of(row[0]) + 1

    def entries(self, chain: str, first: int = 0, end: int | None = None) -> Iterator[EntryRow]:
        if chain not in self._ids:
            return
        base = entry_id(self._ids[chain], 0)
        low, high = base + first, base + (_INDICES if end is None else min(end, _INDICES))
        with self._connection.cursor(binary=True) as cursor:
            while rows := self._batch(cursor, base, low, high):
                yield from rows
                low = base + rows[-1].index + 1

    def _batch(self, cursor: psycopg.Cursor[Any], base: int, low: int, high: int) -> list[EntryRow]:
        """The next entries from one id on, below another."""
        found = cursor.execute(
            """select entry_id, stream_id, seq, lines, statement_hash, leaf_hash, data from entry
                where entry_id >= %s and entry_id < %s order by entry_id limit %s""",
            [low, high, ENTRIES_BATCH],
        ).fetchall()
        if not found:
            return []
        sections, streams = self._sections(cursor, low, found[-1][0]), self._streams
        # A copy of the ledger keeps no statement hash of an entry that it was not given.
        return [
            EntryRow(
                entry - base, streams.get((base, stream)), seq, lines, said or None, leaf, data, sections.get(entry, ())
            )
            for entry, stream, seq, lines, said, leaf, data in found
        ]

    @cached_property
    def _streams(self) -> dict[tuple[int, int], StreamKey]:
        """All streams by their chain's first entry id and their row."""
        rows = self._connection.execute("select chain_id, stream_id, kid, lane, stream from stream", binary=True)
        return {(entry_id(chain, 0), row): (kid, lane, stream) for chain, row, kid, lane, stream in rows}

    def _sections(self, cursor: psycopg.Cursor[Any], low: int, last: int) -> dict[int, tuple[Shown, ...]]:
        sections: dict[int, tuple[Shown, ...]] = {}
        for row in cursor.execute(
            """select entry_id, line, privacy, content_format, data from section
                where entry_id >= %s and entry_id <= %s order by entry_id, line""",
            [low, last],
        ).fetchall():
            entry, section = row[0], (_new(Shown, row[1:]),)
            sections[entry] = sections[entry] + section if entry in sections else section
        return sections

    def blocks(self, chain: str, first: int = 0) -> Iterator[BlockRow]:
        low = first or -(2**63)
        while rows := self._connection.execute(
            """select height, first, size, root, time_ms, header, checkpoint from block
                where chain_id = %s and height >= %s order by height limit %s""",
            [self._ids[chain], low, ROWS_BATCH],
            binary=True,
        ).fetchall():
            yield from (BlockRow(*row) for row in rows)
            low = rows[-1][0] + 1

    def tile(self, chain: str, level: int, index: int) -> TileRow | None:
        if (chain, level, index) not in self._tiles:
            rows = self._connection.execute(
                """select index, hashes, root from tile
                    where chain_id = %s and level = %s and index >= %s and index < %s""",
                [self._ids[chain], level, index, index + TILES_BATCH],
                binary=True,
            )
            # They are asked for in order, each once: what was read before is of no more use.
            self._tiles = {key: row for key, row in self._tiles.items() if key[:2] != (chain, level)}
            self._tiles |= {(chain, level, n): TileRow(hashes, root) for n, hashes, root in rows}
        return self._tiles.pop((chain, level, index), None)

    def tile_count(self, chain: str) -> int:
        row = self._connection.execute("select count(*) from tile where chain_id = %s", [self._ids[chain]]).fetchone()
        return int(row[0]) if row else 0

    def anchored(self, first: int = 0) -> Iterator[AnchoredRow]:
        low = first or -(2**63)
        while rows := self._connection.execute(
            """select chain_id, height, anchor_index from anchored
                where anchor_index >= %s order by anchor_index limit %s""",
            [low, ROWS_BATCH],
        ).fetchall():
            for chain_id, height, anchor_index in rows:
                yield AnchoredRow(self._names.get(chain_id, f"number {chain_id}"), height, anchor_index)
            low = rows[-1][2] + 1

    def unread(self) -> Iterator[str]:
        return iter(())

    def strays(self) -> Iterator[str]:
        for what, query in _STRAYS.items():
            for row in self._connection.execute(query.encode()).fetchmany(ROWS_BATCH):
                yield what.format(*(self._name(row[0]) if "entry {0}" in what else row[0], *row[1:]))

    def _name(self, entry: int) -> str:
        name = self._names.get(chain_of(entry))
        return f"{index_of(entry)} of {repr(name) if name else f'chain number {chain_of(entry)}'}"


@contextmanager
def in_database(dsn: str, folder: LedgerFolder) -> Iterator[tuple[Source, SourceAt]]:
    """One's own ledger, as of this moment."""
    with connect(dsn) as connection:
        source = DatabaseSource(connection, folder)
        yield source, source.at(dsn)


def _read(folder: LedgerFolder, chain: str) -> str | None:
    try:
        return checkpoint_file.read(folder.checkpoints, chain)
    except UnicodeDecodeError:
        return ""  # which is no note: the audit says so
