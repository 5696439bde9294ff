"""Checking statements: each by the bundle that anyone could check, and remembered, for what is proven stays so."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from ledger.epcis import Event
from ledger.errors import OutsideError, UserError
from ledger.proof.bundle import Bundle
from ledger.proof.verdict import Said, Verdict
from ledger.proof.verify import verify
from ledger.registry import Chain, Role
from ledger.trust.trust_file import Trust

WEIGHT_MAX = 300_000  # of the verdicts remembered, in readings


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that was checked; without a verdict it is not proven, and `complaint` says why."""

    chain: str
    index: int
    verdict: Verdict | None
    complaint: str = ""

    @property
    def anchored(self) -> bool:
        """Whether its block is in the anchor."""
        return self.verdict is not None and self.verdict.anchored

    def said(self, line: int) -> Said | None:
        """What its section `line` says, if that was proven and can be read."""
        if self.verdict is None or not 0 <= line < len(self.verdict.sections):
            return None
        return self.verdict.sections[line].said


class Checker:
    """Verifies statements under one trust file, and remembers. Safe to share between threads."""

    def __init__(self, trust: Trust, *, weight_max: int = WEIGHT_MAX) -> None:
        self._pinned = self._trust = trust
        self._chains: Mapping[str, Chain] = {}
        self._lock, self._weight, self._weight_max = Lock(), 0, weight_max
        self._kept: OrderedDict[tuple[str, int], tuple[Checked, int, int]] = OrderedDict()

    def know(self, chains: Mapping[str, Chain]) -> None:
        """Take the logs' keys as the registry has them by now: one may have changed."""
        if chains != self._chains:
            self._trust, self._chains = self._pinned.knowing(chains), chains

    def check(self, prove: Callable[[str, int], Bundle], chain: str, index: int, *, anchor_size: int) -> Checked:
        """Check entry `index` of `chain`, whose bundle `prove` makes. `anchor_size` is the published anchor's.

        What is proven and anchored is never checked again; the rest is as soon as the anchor has grown.
        """
        with self._lock:
            kept = self._kept.get((chain, index))
            if kept is not None and (kept[0].anchored or kept[1] == anchor_size):
                self._kept.move_to_end((chain, index))
                return kept[0]
        checked = self._check(prove, chain, index)
        self._keep(checked, anchor_size)
        return checked

    def forget(self, shredded: Mapping[tuple[str, int], Collection[int]]) -> None:
        """Keep nothing of sections that were shredded: of each statement, by chain and index, these lines."""
        with self._lock:
            for place in shredded.keys() & self._kept.keys():
                if _shows(self._kept[place][0], shredded[place]):
                    self._weight -= self._kept.pop(place)[2]

    def _check(self, prove: Callable[[str, int], Bundle], chain: str, index: int) -> Checked:
        try:
            return Checked(chain, index, verify(prove(chain, index), self._trust))
        except (UserError, OutsideError, LookupError) as error:
            return Checked(chain, index, None, str(error))

    def _keep(self, checked: Checked, anchor_size: int) -> None:
        key, weight = (checked.chain, checked.index), _weight(checked)
        with self._lock:
            if (old := self._kept.pop(key, None)) is not None:
                self._weight -= old[2]
            self._kept[key] = checked, anchor_size, weight
            self._weight += weight
            while self._weight > self._weight_max and len(self._kept) > 1:
                _, (_, _, lost) = self._kept.popitem(last=False)
                self._weight -= lost


def saying(checked: Checked, role: Role, says: Callable[[Mapping[str, Any]], bool]) -> Checked:
    """What was checked, if `role` said by it what the database has us believe."""
    verdict = checked.verdict
    if verdict is None or (
        verdict.role is role
        and any(isinstance(section.said, dict) and says(section.said) for section in verdict.sections)
    ):
        return checked
    return replace(checked, verdict=None, complaint=f"it does not say what is made of it, or not as {role}")


def _shows(checked: Checked, lines: Collection[int]) -> bool:
    sections = checked.verdict.sections if checked.verdict else ()
    return any(section.line in lines and section.body is not None for section in sections)


def _weight(checked: Checked) -> int:
    weight = 10
    for section in checked.verdict.sections if checked.verdict else ():
        if isinstance(section.said, tuple):
            weight += len(section.said)
        elif isinstance(section.said, Event):
            weight += len(section.body or b"") // 100
    return weight
