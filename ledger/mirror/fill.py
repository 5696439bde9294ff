"""Filling a database with what a published folder holds: so that proofs and pages can be made without its operator.

What is written is what a gateway would have written: entries, sections, streams, tiles, blocks, and the tables that
people query. The order is that of sealing: rows, COMMIT, then the checkpoint file; the registry first and the anchor
last. So it can be killed at any time, and goes on. Nothing is signed: a database filled like this has no keys.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import psycopg

from ledger import anchor, checkpoint_file, fold, whole_file
from ledger.audit.published_source import PublishedSource
from ledger.audit.rows import BlockRow, EntryRow
from ledger.block import Header
from ledger.database import LOCK_CHAIN, connect, migrate
from ledger.errors import UserError
from ledger.fold import Stored
from ledger.folder import LedgerFolder
from ledger.frontier import Frontier
from ledger.projection.tables import Projection, write_registry
from ledger.registry import ANCHOR, REGISTRY, Registry
from ledger.seal import SectionRow, copy_sections
from ledger.section import ContentFormat, Section
from ledger.statement import Statement, StreamKey
from ledger.tree_store import edge_rows, entry_id
from ledger.trust.trust_file import Trust

COMMIT_ENTRIES = 1_000
_ANOTHER = "name an empty database with --dsn, and another --data"
Block = tuple[BlockRow, list[EntryRow]]


class Filled(NamedTuple):
    """A chain's size before and after, and how many of its entries are but hashes."""

    before: int
    size: int
    withheld: int

    @property
    def document(self) -> dict[str, int]:
        """For machines."""
        return {"size": self.size, "new": self.size - self.before, "withheld": self.withheld}


def fill(
    source: PublishedSource, trust: Trust, dsn: str, folder: LedgerFolder, *, tell: Callable[[str, int], None]
) -> dict[str, Filled]:
    """Bring a database up to what `source` has, which was audited; returns what came of each chain.

    Raises UserError if there is an operator's ledger in `folder`, or the database holds another history.
    """
    _require_free(folder, trust)
    migrate(dsn)
    registry = Registry()
    with connect(dsn) as connection:
        chains = _chains(connection, source)
        _keep_trust(folder, trust)
        sizes = {}
        for chain in sorted(chains, key=lambda name: (name == ANCHOR, name != REGISTRY)):
            filled = _Fill(connection, folder, chains[chain], chain, registry)
            before = filled.size
            filled.run(source, tell)
            sizes[chain] = Filled(before, filled.size, filled.withheld())
    return sizes


def _require_free(folder: LedgerFolder, trust: Trust) -> None:
    if (folder.path / "keys").exists():
        raise UserError(f"{folder.path} is an operator's: it has keys", _ANOTHER)
    if folder.exists and folder.trust().genesis != trust.genesis:
        raise UserError(f"{folder.path} is another ledger's", _ANOTHER)


def _keep_trust(folder: LedgerFolder, trust: Trust) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    whole_file.replace(folder.trust_file, trust.text.encode())


def _chains(connection: psycopg.Connection, source: PublishedSource) -> dict[str, int]:
    """The chains' row ids, in the order of the genesis; they are the database's from now on."""
    genesis = next(source.entries(REGISTRY), None)
    if genesis is None:
        raise UserError("the folder holds no registry", "mirror it anew, or export it")
    state = Registry()
    fold.apply(state, _stored(genesis))
    rows = [(number, c.name, c.origin, c.kind) for number, c in enumerate(state.chains.values(), 1)]
    with connection.cursor() as cursor:
        insert = "insert into chain (chain_id, name, origin, kind) values (%s, %s, %s, %s) on conflict do nothing"
        cursor.executemany(insert, rows)
        cursor.execute("select chain_id, name, origin, kind from chain order by chain_id")
        if cursor.fetchall() != rows:
            raise UserError("the database holds another ledger", _ANOTHER)
    connection.commit()
    return {name: number for number, name, _, _ in rows}


class _Fill:
    """One chain in the database, as it is made longer."""

    def __init__(
        self, connection: psycopg.Connection, folder: LedgerFolder, chain_id: int, chain: str, registry: Registry
    ) -> None:
        self._connection, self._folder, self._chain_id, self._chain = connection, folder, chain_id, chain
        self._registry = registry
        self._lock()
        query = "select height, size, header, checkpoint from block where chain_id = %s order by height desc limit 1"
        self._last = connection.execute(query, [chain_id]).fetchone()
        self.size: int = self._last[1] if self._last else 0
        self._frontier = Frontier(self.size, edge_rows(connection, chain_id, self.size))
        rows = connection.execute("select kid, lane, stream, stream_id from stream where chain_id = %s", [chain_id])
        self._streams: dict[StreamKey, int] = {(bytes(k), lane, bytes(s)): number for k, lane, s, number in rows}
        self._projection = Projection(connection, self._device_name)
        connection.commit()

    def run(self, source: PublishedSource, tell: Callable[[str, int], None]) -> None:
        """Take every block that is not here yet."""
        self._require_beginning(source)
        if self._chain == REGISTRY:
            for row in islice(source.entries(REGISTRY), self.size):
                fold.apply(self._registry, _stored(row))
        waiting: list[Block] = []
        entries = source.entries(self._chain, self.size)
        for block in source.blocks(self._chain, self._last[0] + 1 if self._last else 0):
            waiting.append((block, list(islice(entries, block.size - block.first))))
            if sum(len(rows) for _, rows in waiting) >= COMMIT_ENTRIES:
                self._commit(waiting)
                tell(self._chain, self.size)
                waiting = []
        self._commit(waiting)

    def withheld(self) -> int:
        """How many entries are here by nothing but their leaf hashes."""
        row = self._connection.execute(
            """select count(*) from entry
                where entry_id >= %s and entry_id < %s and data is null and statement_hash = ''""",
            [entry_id(self._chain_id, 0), entry_id(self._chain_id, self.size)],
        ).fetchone()
        return int(row[0]) if row else 0

    def _lock(self) -> None:
        row = self._connection.execute("select pg_try_advisory_lock(%s, %s)", [LOCK_CHAIN, self._chain_id]).fetchone()
        if row != (True,):
            raise UserError(f"another process writes the chain {self._chain!r}", "a gateway? " + _ANOTHER)

    def _require_beginning(self, source: PublishedSource) -> None:
        """The folder's history begins with the database's."""
        if self._last is None:
            return
        height, _, header, checkpoint = self._last
        found = next(source.blocks(self._chain, height), None)
        if found is None or found.header != bytes(header):
            what = f"the database's {self.size} entries of {self._chain!r} are not the beginning of the folder's"
            raise UserError(what, _ANOTHER)
        checkpoint_file.write(self._folder.checkpoints, self._chain, checkpoint)  # if it was killed before

    # Rows

    def _commit(self, blocks: Sequence[Block]) -> None:
        if not blocks:
            return
        with self._connection.transaction():
            for block, entries in blocks:
                self._take(block, entries)
        self._connection.commit()
        checkpoint_file.write(self._folder.checkpoints, self._chain, blocks[-1][0].checkpoint)

    def _take(self, block: BlockRow, entries: Sequence[EntryRow]) -> None:
        for row in entries:
            self._frontier.append(row.leaf_hash)
        if self._frontier.root() != block.root:
            raise UserError(f"the folder changed: block {block.height} of {self._chain!r} does not hold", "try again")
        self._copy_entries(entries)
        self._insert_tiles()
        self._connection.execute(
            """insert into block (chain_id, height, first, size, root, header, checkpoint, time_ms)
               values (%s, %s, %s, %s, %s, %s, %s, %s)""",
            [self._chain_id, block.height, block.first, block.size, block.root, block.header, block.checkpoint,
             block.time_ms],
        )  # fmt: skip
        self.size = block.size
        if self._chain == ANCHOR:
            self._insert_anchored(entries)
        else:
            self._project([row for row in entries if row.data is not None])

    def _copy_entries(self, entries: Sequence[EntryRow]) -> None:
        columns = "(entry_id, stream_id, seq, lines, statement_hash, leaf_hash, data)"
        rows = [self._entry(row) for row in entries]
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"copy entry {columns} from stdin (format binary)") as copy,
        ):
            copy.set_types(["int8", "int4", "int8", "int2", "bytea", "bytea", "bytea"])
            for values in rows:
                copy.write_row(values)
        sections = [
            (entry_id(self._chain_id, row.index), SectionRow(s.line, s.privacy, s.content_format, s.data))
            for row in entries
            for s in row.sections
        ]
        copy_sections(self._connection, sections)

    def _entry(self, row: EntryRow) -> tuple[object, ...]:
        """An entry's columns. Of one that is withheld altogether nothing but its leaf hash is known."""
        stream, seq, lines, digest = row.stream, row.seq, row.lines, row.statement_hash or b""
        if row.data is not None:
            digest = hashlib.sha256(row.data).digest()
            if self._chain != ANCHOR:
                statement = Statement.decode(row.data)
                stream, seq, lines = statement.stream_key, statement.tally.seq, len(statement.manifest)
        number = None if stream is None else self._stream(stream)
        return entry_id(self._chain_id, row.index), number, seq, lines, digest, row.leaf_hash, row.data

    def _stream(self, key: StreamKey) -> int:
        if key not in self._streams:
            row = self._connection.execute(
                "insert into stream (chain_id, kid, lane, stream) values (%s, %s, %s, %s) returning stream_id",
                [self._chain_id, *key],
            ).fetchone()
            assert row is not None
            self._streams[key] = row[0]
        return self._streams[key]

    def _insert_tiles(self) -> None:
        for tile in self._frontier.take_full_tiles():
            self._connection.execute(
                "insert into tile (chain_id, level, index, hashes, root) values (%s, %s, %s, %s, %s)",
                [self._chain_id, tile.level, tile.index, tile.hashes, tile.root],
            )

    def _insert_anchored(self, entries: Sequence[EntryRow]) -> None:
        for row in entries:
            kind, data = anchor.decode(row.data or b"")
            if kind is anchor.Kind.HEADER:
                header = Header.decode(data)
                self._connection.execute(
                    """insert into anchored (chain_id, height, anchor_index)
                       select chain_id, %s, %s from chain where origin = %s""",
                    [header.height, row.index, header.origin],
                )

    # What people query

    def _project(self, entries: Sequence[EntryRow]) -> None:
        if self._chain == REGISTRY:
            for row in entries:
                self._project_registry(row)
            return
        read = [(entry_id(self._chain_id, row.index), *_content(row)) for row in entries]
        self._projection.take(read)  # what it finds wrong, the registry's findings have said

    def _project_registry(self, row: EntryRow) -> None:
        if fold.apply(self._registry, _stored(row)) is not None:
            return
        for section in row.sections:
            if section.content_format == ContentFormat.REGISTRY and section.data is not None:
                body = Section.decode(section.data).body
                write_registry(self._connection, entry_id(self._chain_id, row.index), section.line, body)

    def _device_name(self, urn: str) -> str:
        return next((key.name for key in self._registry.keys.values() if key.subject == urn), urn)


def _content(row: EntryRow) -> tuple[Statement, tuple[Section | None, ...]]:
    """An entry's statement, and its sections by manifest line."""
    statement = Statement.decode(row.data or b"")
    held = {section.line: section.data for section in row.sections}
    found = (held.get(line) for line in range(len(statement.manifest)))
    return statement, tuple(None if data is None else Section.decode(data) for data in found)


def _stored(row: EntryRow) -> Stored:
    return Stored(row.index, row.data or b"", {s.line: s.data for s in row.sections if s.data is not None})
