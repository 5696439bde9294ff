"""A batch's labels in groups of one fate, and what does not fit together. Pure.

Each label that was issued is in exactly one group, so the groups of a batch sum up to what its registry entry declares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from labels.use import Use
from labels.words import plural

_UNPRINTED = frozenset({None, Use.REFUSED})
_MARKED = frozenset({Use.APPLIED, Use.SPOILED, Use.RETURNED})


@dataclass(frozen=True, slots=True)
class Group:
    """So many labels with one fate: the last that was recorded of each, or None where nothing was.

    `printed`: a print of it was ever confirmed. `again`: more than one, without its being spoiled or returned between.
    `seen`: its page was asked for, or an event names it; `seen_since`: after its fate was recorded. `first` is the
    index of the first of them in the batch. `redeemed`: its hidden code was.
    """

    fate: Use | None
    printed: bool
    again: bool
    seen: bool
    seen_since: bool
    labels: int
    first: int
    redeemed: bool = False


class Oddity(StrEnum):
    """What does not fit together. The value names it for machines."""

    MISSING = "missing"
    DOUBTFUL = "doubtful"
    PRINTED_AGAIN = "printed-again"
    APPLIED_UNPRINTED = "applied-unprinted"
    SEEN_UNPRINTED = "seen-unprinted"
    SEEN_UNAPPLIED = "seen-unapplied"
    SEEN_UNTOLD = "seen-untold"
    SEEN_SPOILED = "seen-spoiled"
    SEEN_RETURNED = "seen-returned"
    REDEEMED_UNPRINTED = "redeemed-unprinted"
    REDEEMED_SPOILED = "redeemed-spoiled"
    REDEEMED_RETURNED = "redeemed-returned"
    UNACCOUNTED = "unaccounted"
    UNTOLD = "untold"
    UNDECLARED = "undeclared"


TOLD = {
    Oddity.MISSING: "declared in the registry and not in this database",
    Oddity.DOUBTFUL: "sent to a printer, and nobody said whether it came out",
    Oddity.PRINTED_AGAIN: "printed more than once",
    Oddity.APPLIED_UNPRINTED: "applied, though it was never printed here",
    Oddity.SEEN_UNPRINTED: "seen, though it was never printed here",
    Oddity.SEEN_UNAPPLIED: "seen, though it was printed and never applied",
    Oddity.SEEN_UNTOLD: "seen, though nobody said that it was applied",
    Oddity.SEEN_SPOILED: "seen after it was spoiled",
    Oddity.SEEN_RETURNED: "seen after it was returned unused",
    Oddity.REDEEMED_UNPRINTED: "the hidden code redeemed, though it was never printed here",
    Oddity.REDEEMED_SPOILED: "the hidden code redeemed, though it was spoiled",
    Oddity.REDEEMED_RETURNED: "the hidden code redeemed, though it was returned unused",
    Oddity.UNACCOUNTED: "printed, and neither applied, spoiled nor returned",
    Oddity.UNTOLD: "neither applied, spoiled nor returned; none of its batch was printed here",
    Oddity.UNDECLARED: "signed by a key that may sign it, seen, and in no published batch",
}


@dataclass(frozen=True, slots=True)
class Found:
    """So many labels of one oddity, or more; `first` is the index of the first in its batch, if it has one."""

    oddity: Oddity
    labels: int
    first: int | None = None
    or_more: bool = False

    @property
    def reason(self) -> str:
        """It, as a finding says it."""
        if self.or_more:
            return f"{self.labels:,} or more labels: {TOLD[self.oddity]}"
        return f"{plural(self.labels, 'label')}: {TOLD[self.oddity]}"


@dataclass(frozen=True, slots=True)
class Tally:
    """A batch's count. `issued` is what the registry declares; `printed` were ever; the next seven sum up to it.

    `elsewhere`: of a batch of which no print is recorded here, the labels that something became of all the same.
    """

    issued: int
    printed: int
    unprinted: int
    doubtful: int
    unused: int
    applied: int
    spoiled: int
    returned: int
    missing: int
    seen: int
    redeemed: int = 0
    elsewhere: int = 0

    @property
    def told_elsewhere(self) -> str:
        """How these were printed, for a person; "" where there are none."""
        if not self.elsewhere:
            return ""
        was = plural(self.elsewhere, "label was", "labels were")
        return f"not printed here: {was} used or seen, and so printed elsewhere"


def tally(groups: Sequence[Group], *, issued: int) -> Tally:
    """The count of a batch of `issued` labels."""

    def count(of: Callable[[Group], bool]) -> int:
        return sum(group.labels for group in groups if of(group))

    return Tally(
        issued=issued,
        printed=count(lambda g: g.printed),
        unprinted=count(lambda g: g.fate in _UNPRINTED),
        doubtful=count(lambda g: g.fate is Use.SENT),
        unused=count(lambda g: g.fate is Use.PRINTED),
        applied=count(lambda g: g.fate is Use.APPLIED),
        spoiled=count(lambda g: g.fate is Use.SPOILED),
        returned=count(lambda g: g.fate is Use.RETURNED),
        missing=issued - count(lambda g: True),
        seen=count(lambda g: g.seen),
        redeemed=count(lambda g: g.redeemed),
        elsewhere=0 if _is_printed_here(groups) else count(lambda g: g.fate in _MARKED or g.seen or g.redeemed),
    )


def oddities(groups: Sequence[Group], *, issued: int, closed: bool = False) -> list[Found]:
    """What does not fit together in a batch of `issued` labels.

    Where no label was printed here, or none was said to be applied, nothing follows from that of a single one: whoever
    prints elsewhere says by its use alone that a label is there. One that waits for its use is unaccounted for only
    once the work with the batch is `closed`.
    """
    printed_here, told = _is_printed_here(groups), {group.fate for group in groups}
    applied_told, elsewhere_told = Use.APPLIED in told, not printed_here and bool(told & _MARKED)
    tests: dict[Oddity, Callable[[Group], bool]] = {
        Oddity.DOUBTFUL: lambda g: g.fate is Use.SENT,
        Oddity.PRINTED_AGAIN: lambda g: g.again,
        Oddity.APPLIED_UNPRINTED: lambda g: printed_here and g.fate is Use.APPLIED and not g.printed,
        Oddity.SEEN_UNPRINTED: lambda g: printed_here and g.fate in _UNPRINTED and g.seen,
        Oddity.SEEN_UNAPPLIED: lambda g: applied_told and g.fate is Use.PRINTED and g.seen_since,
        Oddity.SEEN_UNTOLD: lambda g: applied_told and not printed_here and g.fate in _UNPRINTED and g.seen,
        Oddity.SEEN_SPOILED: lambda g: g.fate is Use.SPOILED and g.seen_since,
        Oddity.SEEN_RETURNED: lambda g: g.fate is Use.RETURNED and g.seen_since,
        Oddity.REDEEMED_UNPRINTED: lambda g: printed_here and g.fate in _UNPRINTED and g.redeemed,
        Oddity.REDEEMED_SPOILED: lambda g: g.fate is Use.SPOILED and g.redeemed,
        Oddity.REDEEMED_RETURNED: lambda g: g.fate is Use.RETURNED and g.redeemed,
        Oddity.UNACCOUNTED: lambda g: closed and g.fate is Use.PRINTED,
        Oddity.UNTOLD: lambda g: closed and elsewhere_told and g.fate in _UNPRINTED,
    }
    missing = issued - sum(group.labels for group in groups)
    found = [Found(Oddity.MISSING, missing)] if missing else []
    return found + [one for oddity, test in tests.items() for one in _matching(oddity, groups, test)]


def _is_printed_here(groups: Sequence[Group]) -> bool:
    """Whether any label of the batch was printed here, or sent to a printer and nobody said whether it came out."""
    return any(group.printed or group.fate is Use.SENT for group in groups)


def _matching(oddity: Oddity, groups: Sequence[Group], test: Callable[[Group], bool]) -> list[Found]:
    matching = [group for group in groups if test(group)]
    if not matching:
        return []
    return [Found(oddity, sum(group.labels for group in matching), min(group.first for group in matching))]
