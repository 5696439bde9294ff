"""The walk along one chain: what its ranges came to, joined in order into tree, headers and streams."""

from collections import deque
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import chain

from ledger import merkle
from ledger.audit.anchor import AnchorEntries
from ledger.audit.histories import Histories, Roots
from ledger.audit.piece import GENESIS, Fault, Job, Piece
from ledger.audit.plan import Plan, Planned
from ledger.audit.report import Problem
from ledger.audit.rows import BlockRow, Source
from ledger.audit.state import Keep, State
from ledger.audit.streams import Evictions, Streams
from ledger.block import GENESIS_PREV, Header
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointError, NoteError, TrustError
from ledger.frontier import Frontier
from ledger.log import Log
from ledger.registry import REGISTRY
from ledger.trust.trust_file import Trust

RESTORED = "was a backup restored?"
Tell = Callable[[str, int, int], None]
"""Hears of progress: of a chain, so many of so many entries are done."""


class ChainWalk:
    """One walk along a chain, from `state` on."""

    def __init__(self, log: Log, source: Source, trust: Trust, histories: Histories, state: State, tell: Tell) -> None:
        self._log, self._source, self._trust, self._histories, self._tell = log, source, trust, histories, tell
        self._chain, self._before = log.chain, state
        self.findings = state.findings(log.chain)
        self.unread = dict[str, None]()
        self._size, self._frontier = state.size, Frontier(state.size, state.rows)
        self._streams = Streams(log.chain, dict(state.heads), set(state.known))
        self._evictions = Evictions(set(state.lacking), set(state.named))
        self._roots = Roots(histories.leaves)
        self._tree_sound, self._registry_sound = True, True  # until an entry is missing, or a root is wrong
        self._last: Header | None = None
        self._prev: bytes | None = GENESIS_PREV
        self._open: Planned | None = None  # the block of which some entries are joined, or will be
        self._judged_by = state.registry
        self._told: int | None = None  # the height of one that was opened in an earlier audit
        self._faults, self._notes = deque[Fault](), deque[Fault]()
        self._gaps, self._leaves, self._leaf = deque[tuple[int, int]](), b"", 0
        self._gone: int | None = None  # the first of the entries that are missing up to here
        self._end = source.end(log.chain)
        self._published = self._read_published()

    def run(
        self,
        examine: Callable[[Iterator[Job]], Iterator[Piece]],
        keep: Keep,
        anchor: AnchorEntries | None = None,
    ) -> None:
        """Walk to the end."""
        plan = self._plan()
        self._compare_with_audited()
        self._compare_registry()
        for piece in examine(plan.jobs()):
            self._receive(piece)
            for _ in range(piece.ends):
                block = self._opened(plan)
                self._take(piece, block.size, block.row.height)
                self._close(piece, block)
            if self._size < piece.end:
                self._take(piece, piece.end, self._opened(plan).row.height)
            self._tell(self._chain, self._size, self._end)
            if self._can_go_on:
                keep(self._chain, lambda: self._state(anchor), False)
        if self._can_go_on:
            keep(self._chain, lambda: self._state(anchor), True)
        self._finish()
        if anchor is not None:
            anchor.end(self.findings)

    def _plan(self) -> Plan:
        """The plan from the last block on that was begun before: it must be there as it was."""
        last = self._before.header
        blocks = self._source.blocks(self._chain, 0 if last is None else last.height)
        if last is not None:
            row = self._before.require_last(self._chain, next(blocks, None))
            self._last, self._prev = last, last.hash
            if self._before.is_open:
                self._told, blocks = last.height, chain([row], blocks)
        return Plan(
            self._log,
            blocks,
            first=self._size,
            end=self._end,
            registry=self._before.registry,
            histories=self._histories,
        )

    @property
    def _can_go_on(self) -> bool:
        """Whether a later audit can go on from here. Behind what makes no chain or no tree all is audited again."""
        last = self._last if self._prev is not None else None
        is_sound = self._tree_sound and self._registry_sound and last is not None
        return is_sound and last is not None and last.first <= self._size <= last.size

    def _state(self, anchor: AnchorEntries | None) -> State:
        """Where the walk stands, apart from what it goes on to."""
        is_open = self._open is not None
        self._tiles(self._open.row.height if self._open else 0)
        found = self.findings
        return State(
            size=self._size,
            rows=self._frontier.rows,
            header=self._last,
            is_open=is_open,
            registry=self._judged_by,
            heads=dict(self._streams.heads),
            known=frozenset(self._streams.known),
            lacking=frozenset(self._evictions.lacking),
            named=frozenset(self._evictions.named),
            counts=dict(found.counts),
            problems=tuple(found.problems),
            notes=tuple(found.notes),
            anchored=dict(anchor.heights) if anchor else {},
            registry_anchored=anchor.registry_size if anchor else 0,
            parts=self._before.parts,
        )

    # A range

    def _receive(self, piece: Piece) -> None:
        """Join what was found in a range, but for its leaves, which are taken block by block."""
        faults, notes = list(piece.faults), list(piece.notes)
        self._streams.join(piece.runs, faults, notes)
        self._evictions.join(piece.lacking, piece.evicted)
        self.unread |= dict.fromkeys(piece.unread)
        if self._chain == REGISTRY and piece.first == 0:
            faults += [Fault(0, GENESIS, fault) for fault in genesis_faults(self._histories, self._trust)]
        self._faults = deque(sorted(faults, key=lambda fault: fault.place))
        self._notes = deque(sorted(notes, key=lambda fault: fault.place))
        self._gaps, self._leaves, self._leaf = deque(piece.gaps), piece.leaves, 0
        self.findings.counts.update(piece.counts)

    def _take(self, piece: Piece, size: int, height: int) -> None:
        """Go on to `size` with the entries of block `height`."""
        while self._size < size:
            if self._gaps and self._gaps[0][0] == self._size:
                _, end = self._gaps.popleft()
                if end > size:
                    self._gaps.appendleft((size, end))
                self._missing(min(end, size))
            elif self._size >= piece.end:
                self._missing(size)
            else:
                self._tell_missing(height)
                end = min(size, self._gaps[0][0] if self._gaps else piece.end)
                self._append(end - self._size)
                self._size = end
                self._tell_faults()

    def _append(self, count: int) -> None:
        width, at = merkle.HASH_BYTES, self._leaf
        self._leaf = end = at + count * width
        self._frontier.extend([self._leaves[n : n + width] for n in range(at, end, width)])

    def _tell_faults(self) -> None:
        """Tell what is wrong with the entries so far."""
        while self._faults and self._faults[0].index < self._size:
            fault = self._faults.popleft()
            self.findings.wrong(fault.what, index=fault.index)
        while self._notes and self._notes[0].index < self._size:
            note = self._notes.popleft()
            self.findings.note(note.what, index=note.index)

    def _missing(self, end: int) -> None:
        """Entries from here to `end` are not there: what follows can still be read, but makes no tree."""
        self._gone = self._size if self._gone is None else self._gone
        self._tree_sound, self._size = False, end

    def _tell_missing(self, height: int) -> None:
        """Tell of the entries of a block that are missing up to here, if any are."""
        if self._gone is not None:
            last = f" to {self._size - 1}" if self._size - 1 > self._gone else ""
            what = f"it is missing{f', and so are all{last}' if last else ''}"
            self.findings.wrong(what, index=self._gone, height=height)
            self._gone = None

    # A block

    def _opened(self, plan: Plan) -> Planned:
        """The block whose entries come next; its header is checked when its first entries are."""
        if self._open is None:
            self._open = plan.planned.popleft()
            self._judged_by = self._open.registry
            if self._open.row.height != self._told:
                self._begin(self._open)
            self._told = None
        return self._open

    def _begin(self, block: Planned) -> None:
        self.findings.counts["blocks"] += 1
        if block.header is None:
            self.findings.wrong(str(block.fault), height=block.row.height)
            self._prev = None
            return
        self._header(block.row, block.header)
        self._registry(block.header, block)

    def _close(self, piece: Piece, block: Planned) -> None:
        self._open = None
        self._tell_missing(block.row.height)
        self._tiles(block.row.height)
        header = block.header
        if header is not None:
            self._root(header)
            fault = piece.checkpoints[block.row.height]
            if fault is not None:
                self.findings.wrong(fault, height=block.row.height)
            self._compare_with_published(header)

    def _header(self, row: BlockRow, header: Header) -> None:
        stored = (row.height, row.first, row.size, row.root, row.time_ms)
        if stored != (header.height, header.first, header.size, header.root, header.time_ms):
            self.findings.wrong("its columns are stored otherwise than its header says", height=row.height)
        fault = self._header_fault(header, self._last.height + 1 if self._last else 0)
        if fault is not None:
            self.findings.wrong(fault, height=row.height)
        if self._last is not None and header.time_ms < self._last.time_ms:
            back = self._last.time_ms - header.time_ms
            self.findings.note(f"its time lies {back} ms before that of the block before", height=row.height)
        self._last, self._prev = header, header.hash

    def _header_fault(self, header: Header, expected: int) -> str | None:
        if header.origin != self._log.origin:
            return f"it is a block of {header.origin!r}"
        if self._prev is None:
            return None  # the header before could not be read: nothing to hold this one against
        if header.height != expected:
            return f"it follows block {expected - 1}: block {expected} is not there"
        if header.prev != self._prev:
            return "its prev is not the hash of the header before"
        if header.first != self._size:
            return f"it begins at entry {header.first}, the block before ended at {self._size}"
        return None

    def _registry(self, header: Header, block: Planned) -> None:
        if block.registry_fault is not None:
            self.findings.wrong(block.registry_fault, height=header.height)
        elif self._registry_sound and self._roots.at(header.registry[0]) != header.registry[1]:
            self._registry_sound = False
            what = f"the registry root that it names is not the registry's at {header.registry[0]} entries"
            self.findings.wrong(what, height=header.height)

    def _tiles(self, height: int) -> None:
        for tile in self._frontier.take_full_tiles():
            self.findings.counts["tiles"] += 1
            if not self._tree_sound:
                continue
            stored, name = self._source.tile(self._chain, tile.level, tile.index), f"tile {tile.level}/{tile.index}"
            if stored is None:
                self.findings.wrong(f"{name} is missing", height=height)
            elif stored.hashes != tile.hashes:
                at = next(n for n in range(256) if _hash(stored.hashes, n) != _hash(tile.hashes, n))
                self.findings.wrong(f"{name}: hash {at} is not what the entries give", height=height)
            elif stored.root not in (tile.root, None):
                self.findings.wrong(f"{name}: the root stored with it is not the one that it has", height=height)

    def _root(self, header: Header) -> None:
        if self._tree_sound and self._frontier.root() != header.root:
            self.findings.wrong("its root is not the one that the entries give", height=header.height)
            self._tree_sound = False

    # The published checkpoint

    def _read_published(self) -> Checkpoint | None:
        text = self._source.published(self._chain)
        if text is None:
            return None
        try:
            return self._log.open(text)
        except (NoteError, CheckpointError, TrustError) as error:
            self._wrong_once(f"its published checkpoint does not hold: {error}")
            return None

    def _compare_with_published(self, header: Header) -> None:
        published = self._published
        if published is not None and published.size <= header.size:
            if (published.size, published.root) != (header.size, header.root):
                self._other_history(published, header.height)
            self._published = None

    def _compare_with_audited(self) -> None:
        """What is published may be older than what was audited before: then it is of one of those blocks."""
        published, last = self._published, self._last
        if published is None or last is None or published.size > (last.first if self._told is not None else last.size):
            return
        self._published = None
        for row in self._source.blocks(self._chain):
            if row.size >= published.size:
                if (row.size, row.root) != (published.size, published.root):
                    self._other_history(published, row.height)
                return

    def _compare_registry(self) -> None:
        """All registry entries were read: those that were audited before have to give the root that they gave."""
        size = self._before.size
        if self._chain == REGISTRY and size and Roots(self._histories.leaves).at(size) != self._frontier.root():
            self.findings.wrong(f"its first {size} entries are not those that were audited before", height=0)

    def _other_history(self, published: Checkpoint, height: int) -> None:
        what = f"the checkpoint published for {published.size} entries is not this history's"
        self._wrong_once(what, height=height)

    def _wrong_once(self, what: str, height: int | None = None) -> None:
        """Tell what is wrong, unless an earlier audit did."""
        if Problem(self._chain, what, height=height) not in self.findings.problems:
            self.findings.wrong(what, height=height)

    # The end

    def _finish(self) -> None:
        if self._published is not None:
            what = f"{self._published.size} entries were published, and {self._size} are here: {RESTORED}"
            self.findings.wrong(what)
        elif self._source.published(self._chain) is None and self._last is not None:
            self._unpublished(self._last.height)
        stray = next(self._source.entries(self._chain, self._size), None) if self._end > self._size else None
        if stray is not None:
            self.findings.wrong("it is in no block, and so is all that follows", index=stray.index)
        extra = self._source.tile_count(self._chain) - self.findings.counts["tiles"]
        if self._tree_sound and extra > 0:
            self.findings.wrong(f"{extra} tiles are stored that the tree has not")
        self.findings.counts["streams"] = len(self._streams.known)
        self.findings.counts.update(dict(self._evictions.counts))

    def _unpublished(self, height: int) -> None:
        if height == 0:
            self.findings.note("its first checkpoint is not published yet")
        else:
            self.findings.wrong("none of its checkpoints was ever published")


def genesis_faults(histories: Histories, trust: Trust) -> Iterator[str]:
    """What is wrong with the registry's first entry, which the trust file pins."""
    row = histories.genesis_row
    if row is None or row.index != 0:
        return
    if sha256(row.data or b"").digest() != trust.genesis:
        yield "it is not the genesis that the trust file pins"
    elif histories.genesis_fault is not None:
        yield f"it is no genesis: {histories.genesis_fault}"
    elif histories.genesis_vkeys != {name: log.verifier.vkey for name, log in trust.logs.items()}:
        yield "the genesis names other logs or keys than the trust file"


def _hash(hashes: bytes, position: int) -> bytes:
    start = position * merkle.HASH_BYTES
    return hashes[start : start + merkle.HASH_BYTES]
