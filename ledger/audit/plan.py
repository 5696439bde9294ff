"""The plan of a chain's audit: its blocks, read once and in order, and the ranges of entries that they make.

Ranges end at multiples of `RANGE`, wherever blocks do: so they hold whole tiles and bundles, and none grows with its
block. A range is judged apart from the walk that joins it, so all that it needs to know of its blocks is decided here:
by which registry state its entries are judged.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.audit.histories import Histories
from ledger.audit.piece import Job, Signed, Span
from ledger.audit.rows import BlockRow
from ledger.block import Header
from ledger.errors import MalformedError
from ledger.log import Log
from ledger.registry import REGISTRY

RANGE = 4096
BLOCKS_MAX = 512  # in a range: where blocks are small, their checkpoints are its work


@dataclass(frozen=True, slots=True)
class Planned:
    """A block as the walk meets it: its row, its header or what is wrong with that, and how it is judged."""

    row: BlockRow
    header: Header | None
    fault: str | None
    registry: int  # the size of the state by which its entries are judged
    registry_fault: str | None

    @property
    def size(self) -> int:
        """The chain's size behind it, as far as it can be told."""
        return self.row.size if self.header is None else self.header.size


class Plan:
    """The ranges of a chain from entry `first` on, up to `end`, which has to be one more than its last index.

    `blocks` are the rows from the block on that holds entry `first`; `registry` is the state at which the chain's
    blocks have arrived, of those that `histories` has. `planned` fills as `jobs` is read.
    """

    def __init__(
        self, log: Log, blocks: Iterator[BlockRow], *, first: int, end: int, registry: int, histories: Histories
    ) -> None:
        self._log, self._blocks, self._end = log, blocks, end
        self._first, self._size, self._registry, self._histories = first, first, registry, histories
        self._spans: list[Span] = []
        self._ends: list[Planned] = []
        self.planned: deque[Planned] = deque()

    def jobs(self) -> Iterator[Job]:
        """The ranges in order, each as soon as the blocks that it needs were read."""
        for row in self._blocks:
            planned = self._plan(row)
            self._size = min(max(planned.size, self._size), self._end)
            self._spans.append(Span(self._size, planned.registry))
            self.planned.append(planned)
            while (cut := (self._first // RANGE + 1) * RANGE) < self._size:
                yield self._job(cut)
            self._ends.append(planned)
            if cut == self._size or len(self._ends) >= BLOCKS_MAX:
                yield self._job(self._size)
        if self._ends:
            yield self._job(self._size)

    def _job(self, end: int) -> Job:
        """The range from where the last one ended, with the blocks that end in it."""
        signed = tuple(self._signed(block, block.header) for block in self._ends if block.header is not None)
        job = Job(self._log, self._first, end, tuple(self._spans), signed, len(self._ends))
        self._first, self._ends = end, []
        self._spans = [span for span in self._spans if span.end > end]
        return job

    def _signed(self, block: Planned, header: Header) -> Signed:
        signers = self._histories.signers(self._log.chain, block.registry, header.size)
        return Signed(block.row.height, block.row.checkpoint, header.size, header.root, signers)

    def _plan(self, row: BlockRow) -> Planned:
        try:
            header = Header.decode(row.header)
        except MalformedError as error:
            return Planned(row, None, f"its header cannot be read: {error}", self._registry, None)
        fault = self._judge(header)
        return Planned(row, header, None, self._registry, fault)

    def _judge(self, header: Header) -> str | None:
        """Go on to the registry state that a header names, if it may name it; else say why not."""
        size, _ = header.registry
        if self._log.chain == REGISTRY and size > header.first:
            return "it is judged by entries of its own"
        if size < self._registry:
            return f"its registry state goes back, from {self._registry} entries to {size}"
        self._registry = min(size, self._histories.size)
        if self._registry < size:
            return f"it names a registry of {size} entries, of which there are {self._registry}"
        return None
