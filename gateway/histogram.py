"""A histogram that takes a whole batch at once: what it costs does not grow with what it counts. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass
class Histogram:
    """How many values there were at or below each bound, their number and their sum."""

    bounds: tuple[float, ...] = SECONDS
    cumulative: list[int] = field(default_factory=lambda: [0] * len(SECONDS))
    count: int = 0
    sum: float = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.add_all([value])

    def add_all(self, values: Sequence[float]) -> None:
        """Count many; quick if they are nearly in order, as what waited in a queue is."""
        ordered = sorted(values)
        self.cumulative = [
            before + bisect_right(ordered, bound) for before, bound in zip(self.cumulative, self.bounds, strict=True)
        ]
        self.count += len(ordered)
        self.sum += sum(ordered)

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus has them: each upper bound, and how many values lie at or below it."""
        below = [(repr(bound), float(count)) for bound, count in zip(self.bounds, self.cumulative, strict=True)]
        return [*below, ("+Inf", float(self.count))]
