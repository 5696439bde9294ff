"""Making proof bundles from the database, up to what is published and no further."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

import psycopg

from ledger import checkpoint_file, merkle, read
from ledger.block import Header
from ledger.checkpoint_file import Published
from ledger.errors import MalformedError, UserError
from ledger.fold import Stored
from ledger.folder import LedgerFolder
from ledger.key_history import KeyHistory
from ledger.merkle import Node
from ledger.proof.bundle import Anchoring, Bundle, Hashes, ProvenEntry, RegistryPart
from ledger.registry import ANCHOR, REGISTRY
from ledger.section import Privacy
from ledger.statement import Statement
from ledger.tile import Tile, node_reader, tiles_for
from ledger.tree_store import entry_id, fetch_tiles, index_of

CACHED_MAX = 20_000
TILES_MAX = 256
_AUDIT = "run 'tallystick ledger audit'"


def prove(
    connection: psycopg.Connection,
    folder: LedgerFolder,
    chain: str,
    index: int,
    privacy_max: Privacy = Privacy.PUBLIC,
) -> Bundle:
    """A bundle for entry `index` of `chain`, with its sections up to `privacy_max`. For many: make a Prover once."""
    return Prover(connection, folder).prove(chain, index, privacy_max)


def find_statement(connection: psycopg.Connection, statement_hash: bytes) -> tuple[str, int]:
    """Chain and index of a statement, by the SHA-256 of its bytes; raises UserError."""
    row = connection.execute(
        """select c.name, e.entry_id from entry e join chain c on c.chain_id = e.entry_id >> 40
            where e.statement_hash = %s and c.name <> %s""",
        [statement_hash, ANCHOR],
    ).fetchone()
    if row is None:
        raise UserError(f"no statement {statement_hash.hex()} is in the ledger", "it may not be sealed yet")
    return row[0], index_of(row[1])


def find_link(
    connection: psycopg.Connection, kids: Sequence[bytes], *, lane: int, stream: bytes, seq: int
) -> tuple[str, int]:
    """Chain and index of link `seq` of a stream that one of the keys `kids` signs; raises UserError."""
    rows = connection.execute(
        """select c.name, e.entry_id
             from stream s join chain c using (chain_id) join entry e using (stream_id)
            where s.kid = any(%s) and s.lane = %s and s.stream = %s and e.seq = %s""",
        [list(kids), lane, stream, seq],
    ).fetchall()
    if not rows:
        raise UserError("no such statement is in the ledger", "it may not be sealed yet")
    if len(rows) > 1:
        chains = ", ".join(sorted(row[0] for row in rows))
        raise UserError(f"that stream runs on several chains: {chains}", "name the statement by its hash")
    return rows[0][0], index_of(rows[0][1])


class Prover:
    """Makes bundles by the checkpoints that were published when it was made, or last refreshed.

    It reads each checkpoint, the registry and each tile once. Not safe to share between threads; it reads by its
    caller's connection, and leaves the transaction there to its caller.
    """

    def __init__(self, connection: psycopg.Connection, folder: LedgerFolder) -> None:
        self._connection, self._folder = connection, folder
        rows = connection.execute("select name, chain_id from chain order by name = %s, chain_id", [REGISTRY])
        self._trees = {name: _Tree(connection, name, chain_id) for name, chain_id in rows}
        self._published: dict[str, Published | None] = {}
        self._cache: dict[tuple[Any, ...], Any] = {}
        self._keys = KeyHistory()
        self.refresh()

    def refresh(self) -> None:
        """See what has been published since."""
        # The registry's last: then it has every state that the others' headers name.
        self._published = {chain: checkpoint_file.load(self._folder.checkpoints, chain) for chain in self._trees}
        self._cache.clear()

    def find(self, name: str, *, lane: int, stream: bytes, seq: int) -> tuple[str, int]:
        """Chain and index of link `seq` of a stream of the device or service `name`; raises UserError."""
        self._fold_registry()
        kids = [key.kid for key in self._keys.state.keys.values() if key.name == name]
        if not kids:
            raise UserError(f"no key is registered for {name!r}", "'tallystick ledger keys' lists them")
        return find_link(self._connection, kids, lane=lane, stream=stream, seq=seq)

    def has(self, chain: str, index: int) -> bool:
        """Whether entry `index` of `chain` is published."""
        published = self._published.get(chain)
        return published is not None and index < published.checkpoint.size

    def shredded(self, chain: str, index: int) -> dict[int, int]:
        """The lines of a statement that were shredded, each with the registry entry that says so."""
        self._fold_registry()
        said = self._keys.state.shredded.items()
        return {line: entry for (of, about, line), entry in said if (of, about) == (chain, index)}

    def require_reached(self) -> None:
        """Raise UserError if the database is behind what is published, so that much is not to be found."""
        for chain, published in self._published.items():
            if published is not None:
                size = published.checkpoint.size
                read.require_reached(self._connection, self._trees[chain].chain_id, chain, size)

    def prove(self, chain: str, index: int, privacy_max: Privacy = Privacy.PUBLIC) -> Bundle:
        """A bundle for entry `index` of `chain`, with its sections up to `privacy_max`.

        Raises UserError if there is no such entry in what is published, or if it was erased.
        """
        try:
            return self._prove(chain, index, privacy_max)
        except UserError:
            self.require_reached()  # of all that can be lacking then, that is the reason
            raise

    def _prove(self, chain: str, index: int, privacy_max: Privacy) -> Bundle:
        if chain == ANCHOR:
            raise UserError("the anchor holds no statements", "it is part of every other chain's proofs")
        published = self._need_published(chain)
        size = published.checkpoint.size
        if not 0 <= index < size:
            raise UserError(
                f"there is no entry {index} in {chain!r}: it has published {size} entries",
                f"name one from 0 to {size - 1}" if size else "wait until something is sealed on it",
            )
        tree = self._trees[chain]
        stored, statement = self._statement(chain, index)
        block = self._block(tree, index)
        header = Header.decode(block.header)
        state, kid = header.registry, statement.kid
        sections = _visible(statement, stored, privacy_max)
        tree.fetch_for(index, header.size, size)
        return Bundle(
            chain=chain,
            entry=ProvenEntry(index, stored.data, sections, tree.inclusion(index, size)),
            checkpoint=published.note,
            header=block.header,
            consistency=tree.consistency(header.size, size),
            anchor=self._once("anchor", block.anchor_index, make=partial(self._anchoring, block.anchor_index)),
            registry=self._once("registry", state, kid, make=partial(self._registry_part, state[0], kid)),
        )

    def _statement(self, chain: str, index: int) -> tuple[Stored, Statement]:
        stored = read.entry(self._connection, self._trees[chain].chain_id, index)
        if stored is None:
            raise UserError(f"entry {index} of {chain!r} is not in the database", _AUDIT)
        if not stored.data:
            raise self._without_its_bytes(chain, index)
        try:
            return stored, Statement.decode(stored.data)
        except MalformedError as error:
            raise UserError(f"entry {index} of {chain!r} is damaged: {error}", _AUDIT) from error

    def _without_its_bytes(self, chain: str, index: int) -> UserError:
        """Of an entry that was erased here, the statement's hash is known; of one that never came, nothing is."""
        place = entry_id(self._trees[chain].chain_id, index)
        row = self._connection.execute("select statement_hash from entry where entry_id = %s", [place]).fetchone()
        if row and row[0]:
            return UserError(
                f"entry {index} of {chain!r} was erased: only its hash is left",
                "a bundle that was made before still proves it: ask whoever has one",
            )
        return UserError(
            f"this copy holds only the hash of entry {index} of {chain!r}: withheld from it, or erased",
            "mirror with --token-file, or ask the operator",
        )

    def _block(self, tree: "_Tree", index: int) -> "_Block":
        """The block that holds entry `index`, and where its header stands in the anchor, if it does."""
        row = self._connection.execute(
            """select b.header, a.anchor_index
                 from (select chain_id, height, header from block
                        where chain_id = %s and size > %s order by size limit 1) b
                 left join anchored a using (chain_id, height)""",
            [tree.chain_id, index],
        ).fetchone()
        if row is None:
            raise UserError(f"no block holds entry {index} of {tree.chain!r}", _AUDIT)
        return _Block(bytes(row[0]), row[1])

    def _anchoring(self, index: int | None) -> Anchoring | None:
        """That the anchor holds a header as its entry `index`, if that is published."""
        checkpoint = self._published[ANCHOR]
        if checkpoint is None or index is None or index >= checkpoint.checkpoint.size:
            return None
        path = self._trees[ANCHOR].inclusion(index, checkpoint.checkpoint.size)
        return Anchoring(index, path, checkpoint.note)

    def _registry_part(self, size: int, kid: bytes) -> RegistryPart:
        """What the registry of `size` entries says of a key."""
        checkpoint = self._need_published(REGISTRY)
        if size == 0:  # the genesis itself
            return RegistryPart(checkpoint.note, (), ())
        self._fold_registry()
        tree = self._trees[REGISTRY]
        entries = tuple(
            self._once("registry entry", index, size, make=partial(self._registry_entry, index, size))
            for index in self._keys.concerning(kid, size)
        )
        return RegistryPart(checkpoint.note, tree.consistency(size, checkpoint.checkpoint.size), entries)

    def _registry_entry(self, index: int, size: int) -> ProvenEntry:
        stored, statement = self._statement(REGISTRY, index)
        sections = _visible(statement, stored, Privacy.PUBLIC)
        return ProvenEntry(index, stored.data, sections, self._trees[REGISTRY].inclusion(index, size))

    def _fold_registry(self) -> None:
        """Fold on to the registry's published size."""
        size = self._need_published(REGISTRY).checkpoint.size
        for stored in read.entries(self._connection, REGISTRY, self._keys.state.size, size):
            self._keys.add(stored)

    def _need_published(self, chain: str) -> Published:
        if chain not in self._trees:
            raise UserError(f"no chain is called {chain!r}", f"the chains are {', '.join(self._trees)}")
        published = self._published[chain]
        if published is None:
            raise UserError(f"{chain!r} has published nothing yet", "it will once its first entry is sealed")
        return published

    def _once(self, *key: Any, make: Callable[[], "_Made"]) -> "_Made":
        if key not in self._cache:
            if len(self._cache) >= CACHED_MAX:
                self._cache.clear()
            self._cache[key] = make()
        made: _Made = self._cache[key]
        return made


_Made = TypeVar("_Made")


class _Block(NamedTuple):
    """A block's header, encoded, and its index in the anchor."""

    header: bytes
    anchor_index: int | None


@dataclass
class _Tree:
    """A chain's tree as proofs read it. A complete node never changes, so it is remembered for all sizes."""

    connection: psycopg.Connection
    chain: str
    chain_id: int
    nodes: dict[Node, bytes] = field(default_factory=dict)
    tiles: dict[Tile, bytes] = field(default_factory=dict)

    def inclusion(self, index: int, size: int) -> Hashes:
        """The proof of entry `index` in the tree of `size`."""
        return tuple(merkle.inclusion_proof(index, size, self._reader(size)))

    def consistency(self, old_size: int, size: int) -> Hashes:
        """The proof that the tree of `size` begins with that of `old_size`."""
        return tuple(merkle.consistency_proof(old_size, size, self._reader(size)))

    def fetch_for(self, index: int, old_size: int, size: int) -> None:
        """Fetch in one query what `inclusion` of `index`, and `consistency` from `old_size` on, will read."""
        nodes = [*merkle.inclusion_nodes(index, size), *merkle.consistency_nodes(old_size, size)]
        self._fetch(tiles_for([node for node in nodes if node not in self.nodes], size))

    def _reader(self, size: int) -> merkle.Read:
        read_nodes = node_reader(self._fetch, size)

        def read(nodes: Sequence[Node]) -> list[bytes]:
            missing = [node for node in nodes if node not in self.nodes]
            if len(self.nodes) + len(missing) > CACHED_MAX:
                self.nodes.clear()
                missing = list(nodes)
            self.nodes.update(zip(missing, read_nodes(missing), strict=True))
            return [self.nodes[node] for node in nodes]

        return read

    def _fetch(self, tiles: Sequence[Tile]) -> list[bytes]:
        missing = [tile for tile in tiles if tile not in self.tiles]
        if missing:
            if len(self.tiles) + len(missing) > TILES_MAX:
                self.tiles.clear()
                missing = list(tiles)
            try:
                self.tiles.update(zip(missing, fetch_tiles(self.connection, self.chain_id, missing), strict=True))
            except LookupError as error:
                raise UserError(f"the tree of {self.chain!r} is damaged: {error}", _AUDIT) from error
        return [self.tiles[tile] for tile in tiles]


def _visible(statement: Statement, stored: Stored, privacy_max: Privacy) -> tuple[bytes | None, ...]:
    """The sections that are here and not more private than that."""
    return tuple(
        stored.sections.get(number) if line.privacy <= privacy_max else None
        for number, line in enumerate(statement.manifest)
    )
