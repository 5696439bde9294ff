"""Sealing: one writer a chain, one transaction a block.

The order is what makes a crash harmless at any point: entries, tiles, block and the checkpoint signed inside one
transaction; COMMIT; the checkpoint file; and only then may the caller send receipts or serve anything.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from ledger import checkpoint_file, merkle, note
from ledger.block import GENESIS_PREV, Header
from ledger.checkpoint import Checkpoint
from ledger.database import LOCK_CHAIN, connect
from ledger.errors import CheckpointError, NoteError, TrustError, UserError
from ledger.frontier import Frontier, FullTile
from ledger.keys import SigningKey
from ledger.log_keys.keyring import LogKeys, OneKey
from ledger.merkle import HASH_BYTES
from ledger.statement import StreamKey
from ledger.tile import TILE_WIDTH, Tile, node_reader, place, width_in
from ledger.tile_tree import TileTree
from ledger.tree_store import edge_rows, entry_id, fetch_tiles

TREES_KEPT = 256  # full tiles with the nodes above them, of 30 kB each


class SectionRow(NamedTuple):
    """A section that arrived whole, as it is kept; `data` is None where a copy of the ledger was not given it."""

    line: int
    privacy: int
    content_format: int
    data: bytes | None


class NewEntry(NamedTuple):
    """An entry to be: its bytes; for a statement also its stream, seq, number of manifest lines and whole sections.

    `hash` is the SHA-256 of its bytes, if it is known by now.
    """

    data: bytes
    stream: StreamKey | None = None
    seq: int | None = None
    lines: int = 0
    sections: Sequence[SectionRow] = ()
    hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block as committed and published."""

    header: Header
    checkpoint: str


_RESTORE = "keep it as it is: it is evidence. Is this the database you mean? Else restore its newest backup"


_DECIDE = f"if it is the newest there is, decide: {checkpoint_file.ACCEPT}"


class ChainLocked(UserError):
    """Another process writes this chain."""


class HistoryForked(UserError):
    """The database and the published checkpoint contradict each other: a restored backup, or worse."""


class ChainWriter:
    """The one writer of a chain: holds its advisory lock for as long as its session lives.

    After any error the writer must be closed and opened anew: what was committed is then read from the database.
    A block's checkpoint is signed by all keys of the log that hold its size, as far as the registry state tells that
    its header names. `key` is the oldest of them: while two sign, who knows only the older must still understand.
    """

    def __init__(self, dsn: str, *, chain: str, key: SigningKey | LogKeys, checkpoints: Path) -> None:
        self.chain = chain
        self._checkpoints = checkpoints
        self.connection = connect(dsn)
        self.head: Header | None = None
        self.checkpoint = ""
        self.streams: dict[StreamKey, int] = {}
        self._frontier = Frontier()
        self._trees: dict[tuple[int, int], TileTree] = {}
        self.chain_id: int
        self.origin: str
        try:
            self.chain_id, self.origin = self._row("select chain_id, origin from chain where name = %s", [chain])
            self._keys = OneKey(chain, self.origin, key) if isinstance(key, SigningKey) else key
            self._wait_for_disk()
            self._lock()
            self._log = self._keys.log(self.connection, None)
            self._load()
            self.key = self._signers(self.size)[0]
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Give the chain up."""
        self.connection.close()

    @property
    def size(self) -> int:
        """The chain's tree size."""
        return self._frontier.size

    @property
    def root(self) -> bytes:
        """The root at `size`."""
        return self.head.root if self.head else merkle.EMPTY_ROOT

    def seal(
        self,
        entries: Sequence[NewEntry],
        *,
        now_ms: int,
        registry: tuple[int, bytes],
        also: Callable[[psycopg.Connection, int], None] = lambda connection, first: None,
    ) -> Sealed:
        """Add a block of at least one entry, and publish its checkpoint.

        `also(connection, first index)` writes what belongs into the same transaction. Statements of one stream
        must stand side by side in `entries`.
        """
        first, frontier = self.size, self._frontier.copy()
        leaf_hashes = [merkle.leaf_hash(entry.data) for entry in entries]
        for leaf in leaf_hashes:
            frontier.append(leaf)
        tiles = frontier.take_full_tiles()
        header = self._header(frontier, first, now_ms, registry)
        self._log = self._keys.log(self.connection, registry[0])
        signers = self._signers(header.size)
        text = Checkpoint(self.origin, header.size, header.root).text
        sealed = Sealed(header, note.sign(text, [note.Signer(self.origin, signer) for signer in signers]))
        self.connection.commit()  # a caller's SELECT began a transaction: in it, ours would end without a COMMIT
        with self.connection.transaction():
            new_streams = self._insert_streams(entries)
            self._copy_entries(entries, leaf_hashes, first, self.streams | new_streams)
            self._insert_tiles(tiles)
            self._insert_block(sealed)
            also(self.connection, first)
        checkpoint_file.write(self._checkpoints, self.chain, sealed.checkpoint)
        self._frontier, self.head, self.checkpoint, self.key = frontier, header, sealed.checkpoint, signers[0]
        self.streams |= new_streams
        for tile in tiles:
            self._keep((tile.level, tile.index), tile.tree)
        return sealed

    def read_nodes(self, nodes: Sequence[merkle.Node]) -> Sequence[bytes]:
        """Hashes of complete subtrees of the tree at `size`, for proofs."""
        return [self._node(node) for node in nodes]

    def _node(self, node: merkle.Node) -> bytes:
        level, index, first, count = place(node)
        return self._tree(level, index).node(count.bit_length() - 1, first // count)

    def _tree(self, level: int, index: int) -> TileTree:
        if width_in(self.size, level=level, index=index) < TILE_WIDTH:
            return self._frontier.tree(level)
        key = (level, index)
        tree = self._trees.pop(key, None)
        if tree is None:
            [data] = fetch_tiles(self.connection, self.chain_id, [Tile(level, index)])
            self.connection.commit()
            tree = TileTree(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))
        self._keep(key, tree)  # as the newest: every proof reads the upper levels' tiles
        return tree

    def _keep(self, key: tuple[int, int], tree: TileTree) -> None:
        """Remember a full tile that proofs may ask for again; forget what none asked for longest."""
        self._trees[key] = tree
        while len(self._trees) > TREES_KEPT:
            del self._trees[next(iter(self._trees))]

    def _signers(self, size: int) -> list[SigningKey]:
        """The keys that sign for the tree of `size`, the oldest first."""
        return [self._keys.secret(key) for key in self._log.keys if key.holds(size)]

    def _wait_for_disk(self) -> None:
        """A receipt is for ever: COMMIT returns when it is on disk, also where the server's default is not to wait."""
        self.connection.execute(
            "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'"
        )
        self.connection.commit()

    def _lock(self) -> None:
        [mine] = self._row("select pg_try_advisory_lock(%s, %s)", [LOCK_CHAIN, self.chain_id])
        self.connection.commit()
        if not mine:
            raise ChainLocked(f"another process writes the chain {self.chain!r}", "one gateway a chain: stop the other")

    def _load(self) -> None:
        """Read head and edge; then see that database and checkpoint file tell one history."""
        row = self.connection.execute(
            "select header, checkpoint from block where chain_id = %s order by height desc limit 1", [self.chain_id]
        ).fetchone()
        if row is not None:
            self.head, self.checkpoint = Header.decode(bytes(row[0])), row[1]
        self.streams = {
            (bytes(kid), lane, bytes(stream)): stream_id
            for stream_id, kid, lane, stream in self.connection.execute(
                "select stream_id, kid, lane, stream from stream where chain_id = %s order by stream_id",
                [self.chain_id],
            )
        }
        size = self.head.size if self.head else 0
        self._frontier = self._edge(size)
        if self.head and self._frontier.root() != self.head.root:
            raise HistoryForked(f"the entries of {self.chain!r} do not give the root of its last block", _RESTORE)
        self._compare_with_file()
        self.connection.commit()

    def _edge(self, size: int) -> Frontier:
        try:
            return Frontier(size, edge_rows(self.connection, self.chain_id, size))
        except ValueError as error:
            raise HistoryForked(
                f"{self.chain!r}: the database lacks entries or tiles below its size {size}", _RESTORE
            ) from error

    def _compare_with_file(self) -> None:
        text = checkpoint_file.read(self._checkpoints, self.chain)
        published = self._published(text) if text is not None else None
        if checkpoint_file.is_held(self._checkpoints, self.chain):
            raise HistoryForked(
                f"{self.chain!r} was restored from a backup, and nobody has said that it goes on from there", _DECIDE
            )
        if published is None:
            if self.head is not None and self.head.height > 0:
                raise HistoryForked(
                    f"the database has {self.head.size} entries of {self.chain!r}, but none was ever published",
                    f"restore the folder {self._checkpoints}, or see that this is the database you mean",
                )
        elif published.size > self.size:
            raise HistoryForked(
                f"{self.chain!r}: {published.size} entries were published, the database has {self.size}",
                "a backup was restored: writing on would fork history. Restore a newer one, or decide: "
                f"{checkpoint_file.ACCEPT}",
            )
        elif self._root_at(published.size) != published.root:
            raise HistoryForked(
                f"{self.chain!r}: the database has another history than the published checkpoint", _RESTORE
            )
        if self.head is not None and (published is None or published.size < self.size):
            checkpoint_file.write(self._checkpoints, self.chain, self.checkpoint)

    def _published(self, text: str) -> Checkpoint:
        try:
            return self._log.open(text)
        except (NoteError, CheckpointError, TrustError) as error:
            raise HistoryForked(
                f"the published checkpoint of {self.chain!r} is damaged: {error}",
                f"restore {self._checkpoints / self.chain} from a copy",
            ) from error

    def _root_at(self, size: int) -> bytes:
        read = node_reader(lambda tiles: fetch_tiles(self.connection, self.chain_id, tiles), size)
        return merkle.root_from(size, read)

    def _header(self, frontier: Frontier, first: int, now_ms: int, registry: tuple[int, bytes]) -> Header:
        height = self.head.height + 1 if self.head else 0
        prev = self.head.hash if self.head else GENESIS_PREV
        return Header(self.origin, height, first, frontier.size, frontier.root(), prev, now_ms, registry)

    def _insert_streams(self, entries: Sequence[NewEntry]) -> dict[StreamKey, int]:
        """Row ids of the streams that these entries open."""
        opened = [entry.stream for entry in entries if entry.stream and entry.stream not in self.streams]
        insert = "insert into stream (chain_id, kid, lane, stream) values (%s, %s, %s, %s) returning stream_id"
        return {key: self._row(insert, [self.chain_id, *key])[0] for key in dict.fromkeys(opened)}

    def _copy_entries(
        self,
        entries: Sequence[NewEntry],
        leaf_hashes: Sequence[bytes],
        first: int,
        streams: Mapping[StreamKey, int],
    ) -> None:
        columns = "(entry_id, stream_id, seq, lines, statement_hash, leaf_hash, data)"
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"copy entry {columns} from stdin (format binary)") as copy,
        ):
            copy.set_types(["int8", "int4", "int8", "int2", "bytea", "bytea", "bytea"])
            for index, (entry, leaf) in enumerate(zip(entries, leaf_hashes, strict=True), first):
                digest = entry.hash or hashlib.sha256(entry.data).digest()
                identity = entry_id(self.chain_id, index)
                stream_id = streams[entry.stream] if entry.stream else None
                copy.write_row((identity, stream_id, entry.seq, entry.lines, digest, leaf, entry.data))
        rows = [
            (entry_id(self.chain_id, index), row)
            for index, entry in enumerate(entries, first)
            for row in entry.sections
        ]
        copy_sections(self.connection, rows)

    def _insert_tiles(self, tiles: Sequence[FullTile]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "insert into tile (chain_id, level, index, hashes, root) values (%s, %s, %s, %s, %s)",
                [(self.chain_id, tile.level, tile.index, tile.hashes, tile.root) for tile in tiles],
            )

    def _insert_block(self, sealed: Sealed) -> None:
        header = sealed.header
        self.connection.execute(
            """insert into block (chain_id, height, first, size, root, header, checkpoint, time_ms)
               values (%s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                self.chain_id,
                header.height,
                header.first,
                header.size,
                header.root,
                header.encode(),
                sealed.checkpoint,
                header.time_ms,
            ],
        )

    def _row(self, query: str, parameters: list[object]) -> tuple[Any, ...]:
        row = self.connection.execute(query.encode(), parameters).fetchone()
        if row is None:
            raise UserError(f"the database knows no chain {self.chain!r}", "was the ledger made with 'ledger init'?")
        return row


def copy_sections(connection: psycopg.Connection, rows: Sequence[tuple[int, SectionRow]]) -> None:
    """Write whole sections, each with its entry's id."""
    if not rows:
        return
    columns = "(entry_id, line, privacy, content_format, data)"
    with connection.cursor() as cursor, cursor.copy(f"copy section {columns} from stdin (format binary)") as copy:
        copy.set_types(["int8", "int2", "int2", "int4", "bytea"])
        for identity, row in rows:
            copy.write_row((identity, row.line, int(row.privacy), row.content_format, row.data))
