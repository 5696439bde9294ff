"""What an audit found."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

PROBLEMS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: at an entry's `index`, or at a block's `height`."""

    chain: str | None
    what: str
    index: int | None = None
    height: int | None = None

    def __str__(self) -> str:
        places = (
            self.chain,
            None if self.index is None else f"entry {self.index}",
            None if self.height is None else f"block {self.height}",
        )
        place = ", ".join(place for place in places if place is not None)
        return f"{place}: {self.what}" if place else self.what

    @property
    def document(self) -> dict[str, Any]:
        """The same, for JSON: a place that it has not is not there."""
        fields = {"chain": self.chain, "index": self.index, "height": self.height, "what": self.what}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass
class Findings:
    """What was found on a chain, in its order: all is counted, the first twenty of each sort are kept."""

    chain: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def wrong(self, what: str, *, index: int | None = None, height: int | None = None) -> None:
        """Something is wrong."""
        self._keep("problems", self.problems, Problem(self.chain, what, index, height))

    def note(self, what: str, *, index: int | None = None, height: int | None = None) -> None:
        """Something is worth a look, and not wrong."""
        self._keep("notes", self.notes, Problem(self.chain, what, index, height))

    def _keep(self, sort: str, kept: list[Problem], found: Problem) -> None:
        self.counts[sort] += 1
        if len(kept) < PROBLEMS_KEPT:
            kept.append(found)


# What is counted of each chain, in the order in which it is told.
COUNTED = (
    "entries", "blocks", "signatures", "tiles", "streams", "sections", "lacking", "evicted", "withheld", "shredded",
    "unanchored", "problems"
)  # fmt: skip


class Part(NamedTuple):
    """The entries up to `size` were audited by then, in milliseconds since 1970."""

    size: int
    at_ms: int

    @property
    def document(self) -> dict[str, Any]:
        """The same, for JSON."""
        at = datetime.fromtimestamp(self.at_ms // 1000, UTC)
        return {"entries": self.size, "at": at.isoformat().replace("+00:00", "Z")}


@dataclass
class Report:
    """The findings of each chain; before them those on the chains as a whole, behind them what belongs to none.

    `before` is what earlier audits went through, and this one did not: its findings are among these, but what has
    changed in it since is not.
    """

    ledger: Findings = field(default_factory=Findings)
    chains: dict[str, Findings] = field(default_factory=dict)
    before: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    strays: Findings = field(default_factory=Findings)

    @property
    def all(self) -> list[Findings]:
        """All of them in their order."""
        return [self.ledger, *self.chains.values(), self.strays]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.count("problems")

    @property
    def problems(self) -> list[Problem]:
        """The first things wrong of each chain."""
        return [problem for findings in self.all for problem in findings.problems]

    @property
    def notes(self) -> list[Problem]:
        """What is worth a look."""
        return [found for findings in self.all for found in findings.notes]

    def count(self, name: str) -> int:
        """A count over all chains."""
        return sum(findings.counts[name] for findings in self.all)

    @property
    def document(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "ok": self.ok,
            "chains": {
                name: {count: findings.counts[count] for count in COUNTED} for name, findings in self.chains.items()
            },
            "entries": self.count("entries"),
            "blocks": self.count("blocks"),
            "signatures": self.count("signatures"),
            "problems": [problem.document for problem in self.problems],
            "problems_total": self.count("problems"),
            "notes": [found.document for found in self.notes],
            "audited_before": {name: [part.document for part in parts] for name, parts in self.before.items() if parts},
        }
