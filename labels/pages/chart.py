"""A time series as an SVG, drawn where it is served. Pure: numbers in, markup out; every text in it is escaped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

POINTS_MAX = 400  # of one line: two a column of pixels are all that can be seen
_STEPS_S = (60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DAY_S = 86400
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 26, 40
VALUE_MAX = 1e12  # beyond it no scale is of use
_GAP = 4.0  # this many usual distances without a reading are a gap, and no line is drawn across


@dataclass(frozen=True, slots=True)
class Line:
    """One sensor's readings, (seconds since 1970, value), in the order of time."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a line across: `name` is one to three characters."""

    time: float
    name: str


@dataclass(frozen=True, slots=True)
class Size:
    """In pixels."""

    width: int
    height: int


WIDE, NARROW = Size(680, 300), Size(352, 270)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From times and values to pixels."""

    size: Size
    times: tuple[float, float]
    values: tuple[float, float]

    def x(self, time: float) -> float:
        first, last = self.times
        return round(_LEFT + (time - first) / (last - first) * (self.size.width - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self.values
        return round(self.bottom - (value - low) / (high - low) * (self.bottom - _TOP), 1)

    @property
    def bottom(self) -> int:
        return self.size.height - _BOTTOM


def svg(
    lines: Sequence[Line],
    *,
    title: str,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    marks: Sequence[Mark] = (),
    size: Size = WIDE,
    shift_s: int = 0,
) -> str:
    """The chart, or nothing if there is nothing to draw: values beyond a million millions are left out.

    Its axis shows the time on a clock `shift_s` seconds ahead of UTC.

    Its colours are the page's: classes `line-0` and on, `limit`, `outside`.
    """
    drawn = [tuple(point for point in line.points if abs(point[1]) <= VALUE_MAX) for line in lines]
    shown = [Line(line.name, downsampled(points)) for line, points in zip(lines, drawn, strict=True)]
    if not any(drawn):
        return ""
    values = [value for line in shown for _, value in line.points]
    times = [time for line in shown for time, _ in line.points]
    low, high = (limit if limit is not None and abs(limit) <= VALUE_MAX else None for limit in (low, high))
    limits = [limit for limit in (low, high) if limit is not None]
    scale = _Scale(size, _padded(min(times), max(times), 60), _value_range([*values, *limits]))
    parts = [
        f'<svg class="chart" viewBox="0 0 {size.width} {size.height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        *_value_axis(scale, unit),
        *_time_axis(scale, shift_s),
        *_marks(scale, marks),
        *_limits(scale, low, high, unit),
    ]
    for number, line in enumerate(shown):
        parts += _line(scale, line, number % 6, low, high)
    parts += _extremes(scale, shown, unit)
    return "".join([*parts, "</svg>"])


def downsampled(points: Sequence[tuple[float, float]], most: int = POINTS_MAX) -> tuple[tuple[float, float], ...]:
    """At most `most` points: of each stretch of time the lowest and the highest, so that no extreme is lost."""
    if len(points) <= most:
        return tuple(points)
    first, span = points[0][0], points[-1][0] - points[0][0] or 1.0
    count = most // 2
    buckets: dict[int, list[tuple[float, float]]] = {}
    for point in points:
        buckets.setdefault(min(int((point[0] - first) / span * count), count - 1), []).append(point)
    kept = []
    for bucket in buckets.values():
        ends = {min(bucket, key=lambda point: point[1]), max(bucket, key=lambda point: point[1])}
        kept += sorted(ends)
    return tuple(kept)


def number(value: float) -> str:
    """A value as a person reads it: at most four figures after the leading ones."""
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.3g}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


def between(low: float | None, high: float | None) -> str:
    """`2 to 8`, `at most 8` or `at least 2`."""
    if low is None or high is None:
        return f"at most {number(high)}" if high is not None else f"at least {number(low or 0.0)}"
    return f"{number(low)} to {number(high)}"


def _padded(first: float, last: float, least: float) -> tuple[float, float]:
    return (first, last) if last - first >= least else (first - least / 2, last + least / 2)


def _value_range(values: Sequence[float]) -> tuple[float, float]:
    """Round ends, with some air above and below."""
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    air = max((high - low) * 0.12, size * 1e-6) if high - low > 1e-9 else max(size * 0.05, 0.5)
    step = _value_step(low - air, high + air)
    return floor((low - air) / step) * step, ceil((high + air) / step) * step


def _value_step(low: float, high: float) -> float:
    rough = (high - low) / 4
    power = 10.0 ** floor(log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _value_axis(scale: _Scale, unit: str) -> Iterable[str]:
    low, high = scale.values
    step = _value_step(low, high)
    for count in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1):
        y = scale.y(count * step)
        yield f'<path class="grid" d="M{_LEFT} {y}H{scale.size.width - _RIGHT}"/>'
        yield f'<text class="axis" x="{_LEFT - 7}" y="{y + 4}" text-anchor="end">{number(count * step)}</text>'
    yield f'<text class="axis unit" x="{_LEFT - 7}" y="14" text-anchor="end">{escape(unit)}</text>'


def _time_axis(scale: _Scale, shift_s: int) -> Iterable[str]:
    first, last = (time + shift_s for time in scale.times)
    room = 62 if scale.size.width < 500 else 80
    most = max(2, (scale.size.width - _LEFT - _RIGHT) // room)
    days = ceil((last - first) / most / _DAY_S) * _DAY_S
    step = next((step for step in _STEPS_S if (last - first) / step <= most), days)
    said = ""
    for count in range(ceil(first / step), floor(last / step) + 1):
        moment = datetime.fromtimestamp(count * step, UTC)
        x, day = scale.x(count * step - shift_s), f"{moment.day} {moment:%b}"
        yield f'<path class="tick" d="M{x} {scale.bottom}v5"/>'
        if step < _DAY_S:
            yield f'<text class="axis" x="{x}" y="{scale.bottom + 19}" text-anchor="middle">{moment:%H:%M}</text>'
        if day != said:
            y = scale.bottom + (34 if step < _DAY_S else 19)
            yield f'<text class="axis day" x="{x}" y="{y}" text-anchor="middle">{day}</text>'
        said = day
    yield f'<path class="base" d="M{_LEFT} {scale.bottom}H{scale.size.width - _RIGHT}"/>'


def _marks(scale: _Scale, marks: Sequence[Mark]) -> Iterable[str]:
    """Lines across at the moments, those that fall together under one name."""
    first, last = scale.times
    names: dict[float, list[str]] = {}
    for mark in marks:
        if first <= mark.time <= last:
            x = scale.x(mark.time)
            near = next((other for other in names if abs(other - x) < 30), x)
            names.setdefault(near, []).append(mark.name)
    for x, group in names.items():
        text = group[0] if len(group) == 1 else f"{group[0]}\N{EN DASH}{group[-1]}"
        width = 14 + 7 * len(text)
        left = min(max(round(x - width / 2, 1), 0), scale.size.width - width)
        yield f'<path class="mark" d="M{x} {_TOP - 4}V{scale.bottom}"/>'
        yield f'<rect class="mark-box" x="{left}" y="3" width="{width}" height="19" rx="9.5"/>'
        yield f'<text class="mark-name" x="{left + width / 2}" y="17" text-anchor="middle">{escape(text)}</text>'


def _limits(scale: _Scale, low: float | None, high: float | None, unit: str) -> Iterable[str]:
    for limit, name, above in ((low, "min", False), (high, "max", True)):
        if limit is not None:
            y = scale.y(limit)
            text = f"{name} {number(limit)} {unit}".strip()
            yield f'<path class="limit" d="M{_LEFT} {y}H{scale.size.width - _RIGHT}"/>'
            yield f'<text class="limit-name" x="{_LEFT + 4}" y="{y - 5 if above else y + 14}">{escape(text)}</text>'


def _line(scale: _Scale, line: Line, colour: int, low: float | None, high: float | None) -> Iterable[str]:
    for run in _runs(line.points):
        path = "L".join(f"{scale.x(time)} {scale.y(value)}" for time, value in run)
        yield f'<path class="line line-{colour}" d="M{path}"/>'
    if len(line.points) <= 90:
        for time, value in line.points:
            yield f'<circle class="dot line-{colour}" cx="{scale.x(time)}" cy="{scale.y(value)}" r="2.4"/>'
    for time, value in line.points:
        if (low is not None and value < low) or (high is not None and value > high):
            yield f'<circle class="outside" cx="{scale.x(time)}" cy="{scale.y(value)}" r="4"/>'


def _runs(points: Sequence[tuple[float, float]]) -> Iterable[Sequence[tuple[float, float]]]:
    """The stretches without a gap."""
    distances = sorted(after[0] - before[0] for before, after in pairwise(points))
    usual = distances[len(distances) // 2] if distances else 0.0
    start = 0
    for at in range(1, len(points) + 1):
        if at == len(points) or points[at][0] - points[at - 1][0] > max(usual * _GAP, 1.0):
            yield points[start:at]
            start = at


def _extremes(scale: _Scale, lines: Sequence[Line], unit: str) -> Iterable[str]:
    """The lowest and the highest of all, written beside their points."""
    points = [point for line in lines for point in line.points]
    lowest, highest = min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])
    for (time, value), down in ((highest, False), (lowest, True)) if lowest[1] != highest[1] else ((highest, False),):
        x, y = scale.x(time), scale.y(value)
        anchor = "start" if x < _LEFT + 40 else "end" if x > scale.size.width - _RIGHT - 40 else "middle"
        yield f'<circle class="extreme" cx="{x}" cy="{y}" r="4"/>'
        text = f"{number(value)} {unit}".strip()
        yield (
            f'<text class="extreme-name" x="{x}" y="{y + 18 if down else y - 9}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )
