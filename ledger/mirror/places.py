"""The places in their streams of a log's entries, and whether what is said of the erased ones can be true.

Nothing proves the place of an erased entry. But an entry that is there has a place of its own, and where both cannot
be, it is what was said of the erased one that is not so. Pure. The rules are the audit's.
"""

from collections.abc import Iterable

from ledger.audit.piece import Fault, Run
from ledger.audit.streams import Streams
from ledger.errors import MalformedError
from ledger.mirror.leaves import Leaf
from ledger.statement import Statement


class Places:
    """The streams of the log of `chain`, entry by entry from the first on."""

    def __init__(self, chain: str) -> None:
        self._streams, self._erased = Streams(chain), -1
        self._last: dict[tuple[bytes, int], int] = {}  # where the newest link of each lane is

    def take(self, index: int, leaf: Leaf) -> str | None:
        """Go on with the next entry; returns what is wrong, if what is said of an erased one may be why."""
        run, faults = _run(index, leaf), list[Fault]()
        if leaf.entry is None:
            self._erased = index
        if run is None:
            return None
        lane = run.kid, run.lane
        before = self._last.get(lane, -1)
        self._streams.join([run], faults, [])
        if self._streams.heads[lane].stream == run.stream:
            self._last[lane] = index
        return faults[0].what if faults and self._erased >= before else None


def fault(chain: str, held: Iterable[Leaf]) -> tuple[int, str] | None:
    """The first entry of a log that contradicts what is said of an erased one, and how; or None."""
    places = Places(chain)
    for index, leaf in enumerate(held):
        if (what := places.take(index, leaf)) is not None:
            return index, what
    return None


def _run(index: int, leaf: Leaf) -> Run | None:
    """The entry as a link by itself; None if it is none."""
    held = leaf.content.held if leaf.content else None
    if held is not None:
        return Run(index, held.kid, held.lane, held.stream, held.seq, None, None, held.seq, held.hash)
    try:
        said = Statement.decode(leaf.entry or b"")
    except MalformedError:
        return None
    tally, digest = said.tally, said.hash
    return Run(index, said.kid, tally.lane, tally.stream, tally.seq, tally.prev, None, tally.seq, digest)
