"""Where the audit of a chain stands: enough to go on from there as if there had been no end."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from ledger.audit.piece import SectionName
from ledger.audit.report import Findings, Part, Problem
from ledger.audit.rows import BlockRow
from ledger.audit.streams import Head
from ledger.block import Header
from ledger.errors import OutsideError
from ledger.statement import StreamKey


class ResumeError(OutsideError):
    """What was audited before is not there as it was: another ledger, another history, or an older one."""


@dataclass
class State:
    """A chain as far as it was audited; nothing, to begin with.

    `header` is that of the last block of which entries were audited: all, unless it `is_open`. `rows` is the tree's
    frontier, `registry` the size of the state by which the last entries were judged; `anchored` is of the anchor: the
    height of each chain's next block in it, and `registry_anchored` the registry's size there.
    """

    size: int = 0
    rows: Sequence[Sequence[bytes]] = ()
    header: Header | None = None
    is_open: bool = False
    registry: int = 0
    heads: Mapping[tuple[bytes, int], Head] = field(default_factory=dict)
    known: AbstractSet[StreamKey] = frozenset()
    lacking: AbstractSet[SectionName] = frozenset()
    named: AbstractSet[SectionName] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    anchored: Mapping[str, int] = field(default_factory=dict)
    registry_anchored: int = 0
    parts: tuple[Part, ...] = ()

    def findings(self, chain: str) -> Findings:
        """What was found so far."""
        problems, notes = ([replace(found, chain=chain) for found in of] for of in (self.problems, self.notes))
        return Findings(chain, Counter(self.counts), problems, notes)

    def require_last(self, chain: str, row: BlockRow | None) -> BlockRow:
        """The last block's row, if it is there as it was; else raises ResumeError."""
        assert self.header is not None
        if row is None:
            raise ResumeError(f"{chain!r} had {self.size} entries and a block {self.header.height}, which is gone")
        if row.header != self.header.encode():
            raise ResumeError(f"block {self.header.height} of {chain!r} has another header than the one audited")
        return row


Keep = Callable[[str, Callable[[], State], bool], None]
"""Is offered the state of a chain from time to time, and with True at its end; whoever wants it makes it at once."""
