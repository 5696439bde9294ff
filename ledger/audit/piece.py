"""What can be told of a range of a chain's entries by itself, whatever stands before it.

Encoding, key, signature, sections, leaf hashes, and the streams' links within the range: nearly all of an audit's
work. A `Piece` holds what the walk along the chain needs of it, so that ranges are judged on all cores at once.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger import note
from ledger.log import Log

# In which order the faults of one entry are told.
BYTES, GENESIS, ENCODING, LINK, VOICE, SECTION = range(6)


class Span(NamedTuple):
    """Entries up to `end` (exclusive) are judged by the registry's state of `registry` entries."""

    end: int
    registry: int


class Signed(NamedTuple):
    """A block's checkpoint, what it should be signed for, and which keys have to."""

    height: int
    text: str
    size: int
    root: bytes
    signers: frozenset[note.Verifier]


class Job(NamedTuple):
    """A range of a chain's entries, and the checkpoints of the blocks that end in it; `ends` counts those."""

    log: Log
    first: int
    end: int
    spans: tuple[Span, ...]
    checkpoints: tuple[Signed, ...]
    ends: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with an entry; `rank` orders the faults of one."""

    index: int
    rank: int
    what: str

    @property
    def place(self) -> tuple[int, int]:
        """What faults are sorted by."""
        return self.index, self.rank


@dataclass(slots=True)
class Run:
    """Links of one lane that follow on one another: the first, and the place and hash of the last.

    `prev` is None where the first one's is not to be believed; `says_why` whether it opens its stream with a section
    about it, None where that cannot be told.
    """

    index: int
    kid: bytes
    lane: int
    stream: bytes
    seq: int
    prev: bytes | None
    says_why: bool | None
    last_seq: int
    last_hash: bytes

    def goes_on(self, stream: bytes, seq: int, prev: bytes | None, digest: bytes) -> bool:
        """Whether this is the next link; if so, the run goes on to it."""
        if stream != self.stream or seq != self.last_seq + 1 or (prev != self.last_hash and prev is not None):
            return False
        self.last_seq, self.last_hash = seq, digest
        return True


SectionName = tuple[bytes, bytes, int, int]  # kid, stream, seq, line


@dataclass
class Piece:
    """What was found in a range. `leaves` are the leaf hashes of the entries that are there, joined."""

    first: int
    end: int
    ends: int
    leaves: bytes = b""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lacking: list[SectionName] = field(default_factory=list)
    evicted: list[SectionName] = field(default_factory=list)
    checkpoints: dict[int, str | None] = field(default_factory=dict)  # by height: what is wrong with it
    unread: list[str] = field(default_factory=list)  # what could not be read, of whoever read elsewhere

    def wrong(self, index: int, rank: int, what: str) -> None:
        """Something is wrong with an entry."""
        self.faults.append(Fault(index, rank, what))
