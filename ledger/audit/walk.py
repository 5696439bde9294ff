"""The audit: everything that a ledger derives, rebuilt from its entries alone, and held against what it stored.

For each chain, block by block: leaf hashes, tree, tiles and roots; the headers' own chain; checkpoints; the
registry's state that each header names; and for each entry its encoding, key, signature, stream and sections. For
the anchor: every header of every chain once, in order. What is stored comes from a `Source`, in order, so that
memory stays flat; nothing here reads by itself. The tables that people query (readings, events) are projections of
the sections, and no part of this.

Erased entries and sections are *withheld*, sections that never came whole are *lacking*: both are counted, and no
problem. A chain is audited to its end whatever is found; what only follows from a wrong tree is told once.
"""

import hashlib
from collections.abc import Callable
from typing import Protocol

from ledger import fold, merkle, note
from ledger.audit import log_keys, rollbacks
from ledger.audit.anchor import Ahead, AnchorEntries
from ledger.audit.report import Findings, Report
from ledger.audit.rows import BlockRow, ChainRow, EntryRow, Source
from ledger.audit.statements import RegistryStates, StatementEntries, leaf_of, whole
from ledger.block import GENESIS_PREV, Header
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointError, MalformedError, NoteError, TrustError
from ledger.frontier import Frontier
from ledger.registry import ANCHOR, REGISTRY, Registry
from ledger.trust import Log, Trust


def _no_one(chain: str, entries: int) -> None:
    """Tell no one."""


def audit(source: Source, trust: Trust, *, tell: Callable[[str, int], None] = _no_one) -> Report:
    """Audit all that `source` holds under `trust`. `tell` hears of progress: a chain, and its entries so far."""
    report = Report()
    rows = sorted(source.chains(), key=lambda row: (row.name != REGISTRY, row.name == ANCHOR))
    _require_pinned(rows, trust, report.ledger)
    trust = log_keys.followed(source, trust, report.ledger)
    for row in rows:
        if row.name in trust.logs:
            findings = report.chains[row.name] = Findings(row.name)
            checks = _anchor_entries(source, rows, findings) if row.name == ANCHOR else None
            _Walk(row, source, trust, findings, checks, tell).run()
    rollbacks.check(_registry(source, report).rollbacks, source, trust, report.chains)
    for stray in source.strays():
        report.strays.wrong(stray)
    return report


def _registry(source: Source, report: Report) -> Registry:
    """The registry as it is in the end."""
    states = RegistryStates(source.entries(REGISTRY))
    states.fold_to(report.chains[REGISTRY].counts["entries"] if REGISTRY in report.chains else 0)
    return states.registry


def _require_pinned(rows: list[ChainRow], trust: Trust, findings: Findings) -> None:
    stored = {row.name: row.origin for row in rows}
    for name in sorted(stored.keys() | trust.logs.keys()):
        if name not in trust.logs:
            findings.wrong(f"the chain {name!r} is not in the trust file")
        elif name not in stored:
            findings.wrong(f"the chain {name!r} of the trust file is not there")
        elif stored[name] != trust.logs[name].origin:
            findings.wrong(f"the chain {name!r} has the origin {stored[name]!r}, not the trust file's")


def _anchor_entries(source: Source, rows: list[ChainRow], findings: Findings) -> AnchorEntries:
    chains = {row.origin: row.name for row in rows if row.name != ANCHOR}
    blocks = {origin: source.blocks(name) for origin, name in chains.items()}
    return AnchorEntries(chains, blocks, source.anchored(), findings)


class _Checks(Protocol):
    def entry(self, row: EntryRow, registry: Registry) -> None: ...
    def end(self) -> None: ...


class _Walk:
    """One walk along a chain."""

    def __init__(
        self,
        row: ChainRow,
        source: Source,
        trust: Trust,
        findings: Findings,
        checks: _Checks | None,
        tell: Callable[[str, int], None],
    ) -> None:
        self._chain, self._source, self._trust, self._findings = row.name, source, trust, findings
        self._log: Log = trust.logs[row.name]
        self._checks = checks or StatementEntries(row.name, self._log.origin, findings)
        self._tell = tell
        self._entries = Ahead(source.entries(row.name))
        self._states = RegistryStates(source.entries(REGISTRY))
        self._frontier = Frontier()
        self._size = 0
        self._tree_sound = True  # until an entry is missing, or a root is wrong
        self._registry_sound = True
        self._last: Header | None = None
        self._prev: bytes | None = GENESIS_PREV
        self._published = self._read_published()

    def run(self) -> None:
        """Walk to the end."""
        for row in self._source.blocks(self._chain):
            self._block(row)
            self._tell(self._chain, self._findings.counts["entries"])
        self._end()
        self._checks.end()

    def _block(self, row: BlockRow) -> None:
        self._findings.counts["blocks"] += 1
        header = self._header(row)
        if header is not None:
            self._registry(header)
        self._take_entries(row.size if header is None else header.size, row.height)
        self._tiles(row.height)
        if header is not None:
            self._root(header)
            self._checkpoint(row, header)
            self._compare_with_published(header)

    # The headers' own chain

    def _header(self, row: BlockRow) -> Header | None:
        expected = self._last.height + 1 if self._last else 0
        try:
            header = Header.decode(row.header)
        except MalformedError as error:
            self._findings.wrong(f"its header cannot be read: {error}", height=row.height)
            self._prev = None
            return None
        stored = (row.height, row.first, row.size, row.root, row.time_ms)
        if stored != (header.height, header.first, header.size, header.root, header.time_ms):
            self._findings.wrong("its columns are stored otherwise than its header says", height=row.height)
        fault = self._header_fault(header, expected)
        if fault is not None:
            self._findings.wrong(fault, height=row.height)
        if self._last is not None and header.time_ms < self._last.time_ms:
            back = self._last.time_ms - header.time_ms
            self._findings.note(f"its time lies {back} ms before that of the block before", height=row.height)
        self._last, self._prev = header, header.hash
        return header

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

    def _registry(self, header: Header) -> None:
        size, root = header.registry
        if self._chain == REGISTRY and size > header.first:
            self._findings.wrong("it is judged by entries of its own", height=header.height)
            return
        if size < self._states.size:
            what = f"its registry state goes back, from {self._states.size} entries to {size}"
            self._findings.wrong(what, height=header.height)
            return
        self._states.fold_to(size)
        if self._states.size < size:
            what = f"it names a registry of {size} entries, of which there are {self._states.size}"
            self._findings.wrong(what, height=header.height)
        elif self._registry_sound and self._states.root != root:
            self._registry_sound = False
            what = f"the registry root that it names is not the registry's at {size} entries"
            self._findings.wrong(what, height=header.height)

    # The entries and their tree

    def _take_entries(self, size: int, height: int) -> None:
        while self._size < size:
            row = self._entries.next
            if row is None or row.index != self._size:
                self._missing(size if row is None else min(row.index, size), height)
                continue
            self._entries.take()
            self._entry(row)
            self._size += 1

    def _missing(self, end: int, height: int) -> None:
        """Entries from here to `end` are not there: what follows can still be read, but makes no tree."""
        if self._size < end:
            last = f" to {end - 1}" if end - 1 > self._size else ""
            what = f"it is missing{f', and so are all{last}' if last else ''}"
            self._findings.wrong(what, index=self._size, height=height)
            self._tree_sound, self._size = False, end

    def _entry(self, row: EntryRow) -> None:
        self._findings.counts["entries"] += 1
        digest = row.statement_hash if row.data is None else hashlib.sha256(row.data).digest()
        if digest != row.statement_hash and row.statement_hash is not None:
            self._findings.wrong("its bytes do not give the statement hash that is stored", index=row.index)
        leaf = leaf_of(row)
        if leaf != row.leaf_hash:
            self._findings.wrong("its bytes do not give the leaf hash that is stored", index=row.index)
        self._frontier.append(leaf)
        if self._chain == REGISTRY and row.index == 0:
            self._checks.entry(row, self._genesis(row))
        else:
            self._checks.entry(row, self._states.registry)

    def _genesis(self, row: EntryRow) -> Registry:
        """The state by which the genesis is judged: what it says itself, if it is the pinned one."""
        registry = Registry()
        fault = fold.apply(registry, whole(row))
        if hashlib.sha256(row.data or b"").digest() != self._trust.genesis:
            self._findings.wrong("it is not the genesis that the trust file pins", index=0)
        elif fault is not None:
            self._findings.wrong(f"it is no genesis: {fault}", index=0)
        else:
            pinned = {name: log.verifier.vkey for name, log in self._trust.logs.items()}
            if pinned != {name: chain.vkey for name, chain in registry.chains.items()}:
                self._findings.wrong("the genesis names other logs or keys than the trust file", index=0)
        return registry

    def _tiles(self, height: int) -> None:
        for tile in self._frontier.take_full_tiles():
            self._findings.counts["tiles"] += 1
            if not self._tree_sound:
                continue
            stored, name = self._source.tile(self._chain, tile.level, tile.index), f"tile {tile.level}/{tile.index}"
            if stored is None:
                self._findings.wrong(f"{name} is missing", height=height)
            elif stored.hashes != tile.hashes:
                at = next(n for n in range(256) if _hash(stored.hashes, n) != _hash(tile.hashes, n))
                self._findings.wrong(f"{name}: hash {at} is not what the entries give", height=height)
            elif stored.root != tile.root:
                self._findings.wrong(f"{name}: the root stored with it is not the one that it has", height=height)

    def _root(self, header: Header) -> None:
        if self._tree_sound and self._frontier.root() != header.root:
            self._findings.wrong("its root is not the one that the entries give", height=header.height)
            self._tree_sound = False

    # Checkpoints

    def _checkpoint(self, row: BlockRow, header: Header) -> None:
        try:
            signed = self._log.open_signed(row.checkpoint)
        except (NoteError, CheckpointError, TrustError) as error:
            self._findings.wrong(f"its checkpoint does not hold: {error}", height=row.height)
            return
        self._findings.counts["signatures"] += len(signed.keys)
        if signed.checkpoint != Checkpoint(self._log.origin, header.size, header.root):
            self._findings.wrong("its checkpoint is signed for another size or root", height=row.height)
        elif not self._signers(header.size) <= {key.verifier for key in signed.keys}:
            what = f"a key of the log that signs for size {header.size} has not signed its checkpoint"
            self._findings.wrong(what, height=row.height)

    def _signers(self, size: int) -> set[note.Verifier]:
        """Who has to sign for `size`, by the registry's state that the block names."""
        chain = self._states.registry.chains.get(self._chain)
        return {key.verifier for key in chain.log_keys if key.holds(size)} if chain else set()

    def _read_published(self) -> Checkpoint | None:
        text = self._source.published(self._chain)
        if text is None:
            return None
        try:
            return self._log.open(text)
        except (NoteError, CheckpointError, TrustError) as error:
            self._findings.wrong(f"its published checkpoint does not hold: {error}")
            return None

    def _compare_with_published(self, header: Header) -> None:
        published = self._published
        if published is not None and published.size <= header.size:
            if (published.size, published.root) != (header.size, header.root):
                what = f"the checkpoint published for {published.size} entries is not this history's"
                self._findings.wrong(what, height=header.height)
            self._published = None

    # The end

    def _end(self) -> None:
        if self._published is not None:
            what = f"{self._published.size} entries were published, and {self._size} are here: was a backup restored?"
            self._findings.wrong(what)
        elif self._source.published(self._chain) is None and self._last is not None:
            self._unpublished(self._last.height)
        if self._entries.next is not None:
            self._findings.wrong("it is in no block, and so is all that follows", index=self._entries.next.index)
        extra = self._source.tile_count(self._chain) - self._findings.counts["tiles"]
        if self._tree_sound and extra > 0:
            self._findings.wrong(f"{extra} tiles are stored that the tree has not")

    def _unpublished(self, height: int) -> None:
        if height == 0:
            self._findings.note("its first checkpoint is not published yet")
        else:
            self._findings.wrong("none of its checkpoints was ever published")


def _hash(hashes: bytes, position: int) -> bytes:
    start = position * merkle.HASH_BYTES
    return hashes[start : start + merkle.HASH_BYTES]
