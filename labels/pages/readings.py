"""The readings that belong to an item, out of the packs that were proven. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from labels.pages.chart import Line
from labels.pages.history import Source, Window
from ledger.senml import Reading

POINTS_MAX = 200_000  # on one page
NOTES_MAX = 20
REPLAY = "replay"
_NOTE = re.compile(r"recorded (\S+)(?: to (\S+))? by (.+); replayed")
_YEAR = re.compile(r"recorded ([0-9]{4})\b")


@dataclass(frozen=True, slots=True)
class Pack:
    """A section's readings, whose names begin with `device`'s URN and a colon."""

    device: str
    source: Source
    readings: tuple[Reading, ...]


@dataclass
class Series:
    """One metric's readings in one unit, by device. `limits` are the lowest and the highest good value."""

    metric: str
    unit: str
    limits: tuple[float | None, float | None] = (None, None)
    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def lines(self) -> list[Line]:
        """A line a device, points and lines in the order of time."""
        lines = [Line(device, tuple(sorted(points))) for device, points in self.points.items()]
        return sorted(lines, key=lambda line: line.points[0])

    @property
    def values(self) -> list[float]:
        """All values."""
        return [value for points in self.points.values() for _, value in points]

    @property
    def outside(self) -> int:
        """How many readings are outside the limits."""
        low, high = self.limits
        return sum((low is not None and v < low) or (high is not None and v > high) for v in self.values)


@dataclass
class Readings:
    """What was gathered: numbers as series, and the notes that say a pack was recorded earlier and replayed."""

    series: list[Series] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[Window, int] = field(default_factory=dict)
    cut: bool = False

    @property
    def years(self) -> list[str]:
        """When what was replayed was recorded."""
        return sorted({found[1] for note in self.notes if (found := _YEAR.search(note))})


Limits = dict[tuple[str, str], tuple[float | None, float | None]]


def gather(windows: Iterable[tuple[Window, Sequence[Pack]]], limits: Limits) -> Readings:
    """The readings of each window's packs that lie within it; temperatures first."""
    found: dict[tuple[str, str], Series] = {}
    out, notes, total = Readings(), list[str](), 0
    for window, packs in windows:
        out.counts[window] = 0
        for pack in packs:
            for reading in pack.readings:
                metric = reading.name.removeprefix(f"{pack.device}:")
                if _is_replay(metric) and isinstance(reading.value, str):
                    notes.append(reading.value)
                    continue
                if not window.start <= reading.time <= window.end:
                    continue
                out.counts[window] += 1
                if not isinstance(reading.value, float):
                    continue
                if (total := total + 1) > POINTS_MAX:
                    out.cut = True
                    break
                key = (metric, reading.unit)
                series = found.setdefault(key, Series(*key, limits.get(key, (None, None))))
                series.points.setdefault(pack.device, []).append((reading.time, reading.value))
    out.series = sorted(found.values(), key=lambda series: (series.unit != "Cel", series.metric, series.unit))
    out.notes = joined(notes)
    return out


def joined(notes: Iterable[str]) -> list[str]:
    """Notes of the same recorder as one, from its first moment to its last; others as they are, bounded."""
    spans: dict[str, tuple[str, str]] = {}
    others: dict[str, None] = {}
    for note in notes:
        if found := _NOTE.fullmatch(note):
            start, end, by = found[1], found[2] or found[1], found[3]
            first, last = spans.get(by, (start, end))
            spans[by] = min(first, start), max(last, end)
        else:
            others[note] = None
    told = [f"recorded {first} to {last} by {by}; replayed" for by, (first, last) in spans.items()]
    return [*told, *others][:NOTES_MAX]


def _is_replay(metric: str) -> bool:
    return metric == REPLAY or metric.endswith((f":{REPLAY}", f".{REPLAY}", f"/{REPLAY}"))
