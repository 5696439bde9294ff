"""The streams of a chain, joined over its ranges: each from seq 0 on, link by link; a closed one stays closed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ledger.audit.piece import LINK, Fault, Run, SectionName
from ledger.registry import REGISTRY
from ledger.statement import StreamKey


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of a lane: its stream, seq, and statement hash."""

    stream: bytes
    seq: int
    hash: bytes


@dataclass
class Streams:
    """A chain's lanes so far, by (kid, lane), and all streams that were ever opened."""

    chain: str
    heads: dict[tuple[bytes, int], Head] = field(default_factory=dict)
    known: set[StreamKey] = field(default_factory=set)

    def join(self, runs: Sequence[Run], faults: list[Fault], notes: list[Fault]) -> None:
        """Go on with a range's runs, in the order of their first entries."""
        for run in runs:
            key = (run.kid, run.lane, run.stream)
            fault = self._fault(run, key)
            if fault is not None:
                faults.append(Fault(run.index, LINK, f"stream {run.stream.hex()}: {fault}"))
            if key not in self.known:
                self.known.add(key)
                if run.says_why is False and (self.chain, run.index) != (REGISTRY, 0):
                    notes.append(Fault(run.index, LINK, "it opens a stream and does not say why"))
            elif self.heads[run.kid, run.lane].stream != run.stream:
                continue  # the open stream goes on from its own head
            self.heads[run.kid, run.lane] = Head(run.stream, run.last_seq, run.last_hash)

    def _fault(self, run: Run, key: StreamKey) -> str | None:
        if key not in self.known:
            return None if run.seq == 0 else f"it begins at seq {run.seq}"
        head = self.heads[run.kid, run.lane]
        if head.stream != run.stream:
            return f"it goes on with seq {run.seq} after stream {head.stream.hex()} has closed it"
        if run.seq != head.seq + 1:
            return f"seq {run.seq} follows seq {head.seq}"
        if run.prev is not None and run.prev != head.hash:
            return f"seq {run.seq} does not name seq {head.seq} as the one before"
        return None


@dataclass
class Evictions:
    """Lines that lack their section, and lines that a device says it evicted: what is both is *evicted*."""

    lacking: set[SectionName] = field(default_factory=set)
    named: set[SectionName] = field(default_factory=set)

    def join(self, lacking: Sequence[SectionName], evicted: Sequence[SectionName]) -> None:
        """Go on with what a range lacks, and names."""
        self.lacking.update(lacking)
        self.named.update(evicted)

    @property
    def counts(self) -> Iterator[tuple[str, int]]:
        """How many lines are lacking with no word of why, and how many were evicted."""
        both = len(self.lacking & self.named)
        return iter((("lacking", len(self.lacking) - both), ("evicted", both)))
