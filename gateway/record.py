"""What a gateway's process tells of itself: plain numbers and times, written once a batch, read from outside.

Pure: `now` is always an argument, in seconds of the monotonic clock. One thread writes; others may read at any time,
and see each number as it was before or after a batch.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.histogram import Histogram
from ledger.registry import ANCHOR

SILENT_S_MAX = 15.0  # a chain that works answers for itself each quarter of a second; a standby, every few seconds
BEAT_S_MAX = 30.0
BROKER = "broker"


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one batch. `refused` is by reason, `earned` what the admitted cost, by device (`Budget`).

    The times are None if no block was sealed.

    `seal_s` is from the first row of the block to its published checkpoint; `commit_s` is the end of that: COMMIT,
    and the checkpoint file.
    """

    size: int
    accepted: int = 0
    repeats: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    earned: Mapping[str, int] = field(default_factory=dict)
    seal_s: float | None = None
    commit_s: float | None = None


@dataclass
class ChainRecord:
    """One chain, or the anchor, as this process has it. `refused` and `dropped` are by reason.

    Only a chain that is held is listened for at the broker.
    """

    is_held: bool = False
    is_standby: bool = False
    fault: str = "not opened yet"
    broker_fault: str = "not connected yet"
    heard_at: float | None = None
    size: int = 0
    accepted: int = 0
    repeats: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seal: Histogram = field(default_factory=Histogram)
    commit: Histogram = field(default_factory=Histogram)
    latency: Histogram = field(default_factory=Histogram)
    waiting: Callable[[], int] = lambda: 0
    ages: Callable[[], Mapping[str, float]] = dict

    def opened(self, now: float, *, size: int, ages: Callable[[], Mapping[str, float]] = dict) -> None:
        """This process holds the chain now; `ages` tells the seconds since each device was last heard."""
        self.is_held, self.is_standby, self.fault, self.heard_at = True, False, "", now
        self.size, self.ages = size, ages

    def took(self, taken: Taken, now: float) -> None:
        """A batch is done."""
        self.fault, self.heard_at, self.size = "", now, taken.size
        self.accepted, self.repeats = self.accepted + taken.accepted, self.repeats + taken.repeats
        self.refused.update(taken.refused)
        if taken.seal_s is not None and taken.commit_s is not None:
            self.seal.add(taken.seal_s)
            self.commit.add(taken.commit_s)

    def answered(self, arrived: Sequence[float], now: float) -> None:
        """What arrived at these times was answered now."""
        self.latency.add_all([now - at for at in reversed(arrived)])

    def failed(self, fault: str, now: float, *, is_standby: bool = False) -> None:
        """This process does not hold the chain: because another one does, or for a fault."""
        self.is_held, self.is_standby, self.fault, self.heard_at = False, is_standby, fault, now
        self.ages = dict

    def why_not(self, now: float) -> str:
        """What keeps the chain from being served here, or from standing by; empty if nothing does."""
        if not self.is_held and not self.is_standby:
            return self.fault
        silent = now - (self.heard_at or 0)
        return "" if silent < SILENT_S_MAX else f"nothing heard of it for {silent:.0f} s: does the database answer?"

    @property
    def state(self) -> str:
        """In a word."""
        if self.heard_at is None:
            return "opening"
        return "held" if self.is_held else "standby" if self.is_standby else "failing"


@dataclass
class Record:
    """The process: its chains by name, its broker, and when its loop last turned."""

    chains: dict[str, ChainRecord]
    beat_at: float = 0.0
    starting: str = ""

    @classmethod
    def of(cls, chains: Sequence[str], now: float) -> "Record":
        """Of a process that starts now, to hold these chains or stand by for them."""
        return cls({name: ChainRecord() for name in chains}, beat_at=now)

    @property
    def broker_fault(self) -> str:
        """Why a chain that is held is not listened for; empty if all are."""
        faults = [chain.broker_fault for name, chain in self.chains.items() if chain.is_held and name != ANCHOR]
        return next(filter(None, faults), "")

    def why_not_live(self, now: float) -> list[str]:
        """What only a restart would mend; empty if nothing."""
        still = now - self.beat_at
        return [] if still < BEAT_S_MAX else [f"its loop has not turned for {still:.0f} s"]

    def why_not_ready(self, now: float) -> list[str]:
        """What keeps it from its work; empty if nothing does."""
        if self.starting:
            return [*self.why_not_live(now), self.starting]
        broker = [f"{BROKER}: {self.broker_fault}"] if self.broker_fault else []
        chains = [f"{name}: {why}" for name, chain in self.chains.items() if (why := chain.why_not(now))]
        return self.why_not_live(now) + broker + chains
