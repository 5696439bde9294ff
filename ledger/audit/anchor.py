"""The audit of the anchor: every header of every chain once, in order, the registry first."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Generic, TypeVar

from ledger import anchor
from ledger.anchor import Kind
from ledger.audit.content import leaf_of
from ledger.audit.examine import examine_checkpoints
from ledger.audit.piece import BYTES, ENCODING, VOICE, Job, Piece
from ledger.audit.report import Findings
from ledger.audit.rows import AnchoredRow, BlockRow, EntryRow
from ledger.block import Header
from ledger.errors import MalformedError
from ledger.registry import REGISTRY

_Item = TypeVar("_Item")


class Ahead(Generic[_Item]):
    """An iterator of which the next item can be seen before it is taken."""

    def __init__(self, items: Iterator[_Item]) -> None:
        self._items = items
        self.next: _Item | None = next(items, None)

    def take(self) -> _Item | None:
        """The next item, and go on; None at the end."""
        taken, self.next = self.next, next(self._items, None)
        return taken


class AnchorEntries:
    """Checks the anchor's entries in the order of its log, against the `blocks` of each chain by its origin.

    `registry_size` is the registry's size in the last of its headers that was anchored; `heights` is where each chain's
    blocks go on, if not at their first.
    """

    def __init__(
        self,
        chains: Mapping[str, str],
        blocks: Mapping[str, Iterator[BlockRow]],
        anchored: Iterator[AnchoredRow],
        *,
        registry_size: int = 0,
        heights: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._chains = chains
        self._blocks = {origin: Ahead(rows) for origin, rows in blocks.items()}
        self._anchored = Ahead(anchored)
        self.registry_size, self.heights = registry_size, dict(heights)
        self._faults: list[tuple[int, str]] = []

    def examine(self, rows: Iterable[EntryRow], job: Job) -> Piece:
        """Check a range of which `rows` are what is there; the ranges come in order, and none is left out."""
        piece, leaves, expected = Piece(job.first, job.end, job.ends), list[bytes](), job.first
        for row in rows:
            if row.index > expected:
                piece.gaps.append((expected, row.index))
            leaves.append(leaf_of(row))
            for rank, fault in self._stored(row, leaves[-1]):
                piece.wrong(row.index, rank, fault)
            for index, fault in self._entry(row):
                piece.wrong(index, VOICE, fault)
            expected = row.index + 1
        if expected < job.end:
            piece.gaps.append((expected, job.end))
        piece.leaves = b"".join(leaves)
        piece.counts["entries"] = len(leaves)
        examine_checkpoints(job, piece)
        return piece

    def end(self, findings: Findings) -> None:
        """See what is left over: blocks that are not anchored yet, and places that the anchor has not."""
        for blocks in self._blocks.values():
            while blocks.take() is not None:
                findings.counts["unanchored"] += 1
        while (row := self._anchored.take()) is not None:
            what = f"block {row.height} of {row.chain!r} is said to be here, and is not"
            findings.wrong(what, index=row.anchor_index)

    def _stored(self, row: EntryRow, leaf: bytes) -> Iterator[tuple[int, str]]:
        if row.data is not None and row.statement_hash not in (None, sha256(row.data).digest()):
            yield BYTES, "its bytes do not give the statement hash that is stored"
        if leaf != row.leaf_hash:
            yield BYTES, "its bytes do not give the leaf hash that is stored"
        if row.statement_hash is not None and (row.stream, row.seq, row.lines, row.sections) != (None, None, 0, ()):
            yield ENCODING, "the anchor's entries have neither streams nor sections"

    def _entry(self, row: EntryRow) -> list[tuple[int, str]]:
        """What is wrong with one, and with what is said to stand before it; each with an index."""
        self._faults = []
        try:
            kind, held = anchor.decode(row.data or b"")
            if kind is Kind.HEADER:
                self._header(row.index, Header.decode(held))
        except MalformedError as error:
            self._wrong(f"it is no entry of an anchor: {error}", index=row.index)
        return self._faults

    def _wrong(self, what: str, *, index: int) -> None:
        self._faults.append((index, what))

    def _header(self, index: int, header: Header) -> None:
        blocks = self._blocks.get(header.origin)
        if blocks is None:
            self._wrong(f"it holds a block of {header.origin!r}, which is no chain of this ledger", index=index)
            return
        chain = self._chains[header.origin]
        fault = _fault(header, blocks)
        self.heights[chain] = blocks.next.height if blocks.next else max(header.height + 1, self.heights.get(chain, 0))
        if fault is not None:
            self._wrong(f"{chain}: {fault}", index=index)
        self._registry_first(index, chain, header)
        self._place(AnchoredRow(chain, header.height, index))

    def _registry_first(self, index: int, chain: str, header: Header) -> None:
        if header.registry[0] > self.registry_size:
            what = f"block {header.height} of {chain!r} names a registry state that is not anchored before it"
            self._wrong(what, index=index)
        if chain == REGISTRY:
            self.registry_size = header.size

    def _place(self, true: AnchoredRow) -> None:
        """The table that says where each header is says so of this one."""
        while self._anchored.next is not None and self._anchored.next.anchor_index < true.anchor_index:
            row = self._anchored.take()
            assert row is not None
            what = f"block {row.height} of {row.chain!r} is said to be here, and is not"
            self._wrong(what, index=row.anchor_index)
        if self._anchored.next == true:
            self._anchored.take()
            return
        what = f"it holds block {true.height} of {true.chain!r}, which is not said to be here"
        self._wrong(what, index=true.anchor_index)
        if self._anchored.next is not None and self._anchored.next.anchor_index == true.anchor_index:
            self._anchored.take()


def _fault(header: Header, blocks: Ahead[BlockRow]) -> str | None:
    """Why this is not the next header of its chain; goes on behind it."""
    expected = blocks.next
    if expected is None:
        return f"block {header.height} is anchored, but the chain has no such block"
    if header.height < expected.height:
        return f"block {header.height} is anchored again"
    while blocks.next is not None and blocks.next.height < header.height:
        blocks.take()
    held = blocks.take()
    if header.height != expected.height:
        return f"block {header.height} is anchored where block {expected.height} should be"
    if held is None or held.header != header.encode():
        return f"block {header.height} is anchored with another header than the chain has"
    return None
