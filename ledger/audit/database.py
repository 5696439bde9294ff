"""A ledger in its database and checkpoint folder, as an audit reads it: in batches, as of one moment."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from ledger import checkpoint_file
from ledger.audit.rows import AnchoredRow, BlockRow, ChainRow, EntryRow, SectionRow, TileRow
from ledger.folder import LedgerFolder
from ledger.tree_store import chain_of, entry_id, index_of

ENTRIES_BATCH, ROWS_BATCH = 500, 1_000

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


class DatabaseSource:
    """Reads by `connection`, in one transaction of its own that sees one moment and writes nothing.

    The connection must be in no transaction; its next commit or rollback ends the audit's.
    """

    def __init__(self, connection: psycopg.Connection, folder: LedgerFolder, *, snapshot: bool = True) -> None:
        self._connection = connection
        rows = connection.execute("select name from chain").fetchall()
        # Files first: then nothing is published that this moment of the database has not.
        self._published = {name: _read(folder, name) for (name,) in rows}
        if snapshot:
            connection.rollback()
            connection.execute("set transaction isolation level repeatable read, read only")
        found = connection.execute("select chain_id, name, origin from chain order by chain_id").fetchall()
        self._ids = {name: chain_id for chain_id, name, _ in found}
        self._names = {chain_id: name for chain_id, name, _ in found}
        self._chains = [ChainRow(name, origin) for _, name, origin in found]

    def chains(self) -> Sequence[ChainRow]:
        return self._chains

    def published(self, chain: str) -> str | None:
        return self._published.get(chain)

    def entries(self, chain: str) -> Iterator[EntryRow]:
        if chain not in self._ids:
            return
        low, end = entry_id(self._ids[chain], 0), entry_id(self._ids[chain] + 1, 0)
        while rows := self._connection.execute(
            """select e.entry_id, s.kid, s.lane, s.stream, e.seq, e.lines, e.statement_hash, e.leaf_hash, e.data
                 from entry e left join stream s on s.stream_id = e.stream_id and s.chain_id = e.entry_id >> 40
                where e.entry_id >= %s and e.entry_id < %s order by e.entry_id limit %s""",
            [low, end, ENTRIES_BATCH],
        ).fetchall():
            sections = self._sections(low, rows[-1][0])
            yield from (_entry(row, sections.get(row[0], ())) for row in rows)
            low = rows[-1][0] + 1

    def blocks(self, chain: str) -> Iterator[BlockRow]:
        low = -(2**63)
        while rows := self._connection.execute(
            """select height, first, size, root, time_ms, header, checkpoint from block
                where chain_id = %s and height >= %s order by height limit %s""",
            [self._ids[chain], low, ROWS_BATCH],
        ).fetchall():
            for height, first, size, root, time_ms, header, checkpoint in rows:
                yield BlockRow(height, first, size, bytes(root), time_ms, bytes(header), checkpoint)
            low = rows[-1][0] + 1

    def tile(self, chain: str, level: int, index: int) -> TileRow | None:
        row = self._connection.execute(
            "select hashes, root from tile where chain_id = %s and level = %s and index = %s",
            [self._ids[chain], level, index],
        ).fetchone()
        return TileRow(bytes(row[0]), bytes(row[1])) if row else None

    def tile_count(self, chain: str) -> int:
        row = self._connection.execute("select count(*) from tile where chain_id = %s", [self._ids[chain]]).fetchone()
        return int(row[0]) if row else 0

    def anchored(self) -> Iterator[AnchoredRow]:
        low = -(2**63)
        while rows := self._connection.execute(
            """select chain_id, height, anchor_index from anchored
                where anchor_index >= %s order by anchor_index limit %s""",
            [low, ROWS_BATCH],
        ).fetchall():
            for chain_id, height, anchor_index in rows:
                yield AnchoredRow(self._names.get(chain_id, f"number {chain_id}"), height, anchor_index)
            low = rows[-1][2] + 1

    def strays(self) -> Iterator[str]:
        for what, query in _STRAYS.items():
            for row in self._connection.execute(query.encode()).fetchmany(ROWS_BATCH):
                yield what.format(*(self._name(row[0]) if "entry {0}" in what else row[0], *row[1:]))

    def _name(self, entry: int) -> str:
        name = self._names.get(chain_of(entry))
        return f"{index_of(entry)} of {repr(name) if name else f'chain number {chain_of(entry)}'}"

    def _sections(self, low: int, last: int) -> dict[int, tuple[SectionRow, ...]]:
        sections: dict[int, tuple[SectionRow, ...]] = {}
        for entry, line, privacy, content_format, data in self._connection.execute(
            """select entry_id, line, privacy, content_format, data from section
                where entry_id >= %s and entry_id <= %s order by entry_id, line""",
            [low, last],
        ):
            row = SectionRow(line, privacy, content_format, None if data is None else bytes(data))
            sections[entry] = (*sections.get(entry, ()), row)
        return sections


def _entry(row: tuple[Any, ...], sections: tuple[SectionRow, ...]) -> EntryRow:
    entry, kid, lane, stream, seq, lines, statement_hash, leaf_hash, data = row
    key = None if kid is None else (bytes(kid), lane, bytes(stream))
    content = None if data is None else bytes(data)
    known = bytes(statement_hash) or None  # none of an entry that a copy of the ledger was not given
    return EntryRow(index_of(entry), key, seq, lines, known, bytes(leaf_hash), content, sections)


def _read(folder: LedgerFolder, chain: str) -> str | None:
    try:
        return checkpoint_file.read(folder.checkpoints, chain)
    except UnicodeDecodeError:
        return ""  # which is no note: the audit says so
