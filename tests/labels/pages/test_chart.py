"""The chart: numbers in, well-formed and harmless markup out."""

import math
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.pages.chart import NARROW, POINTS_MAX, WIDE, Line, Mark, downsampled, number, svg
from ledger.senml import TIME_MAX

T0 = 1_790_000_000.0
DAY = tuple((T0 + 3600 * n, 15 + 5 * math.sin(n / 4)) for n in range(24))


def drawn(markup: str, kind: str) -> list[ElementTree.Element]:
    """All elements of a class."""
    found = ElementTree.fromstring(markup).iter()
    return [element for element in found if kind in (element.get("class") or "").split()]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_line_a_sensor_with_axes_and_extremes(size: object) -> None:
    """Each sensor has its line, each reading its dot; the lowest and the highest are written out."""
    markup = svg([Line("a", DAY), Line("b", DAY)], title="Temperature", unit="°C", size=size)  # type: ignore[arg-type]
    assert len(drawn(markup, "line")) == 2 and len(drawn(markup, "dot")) == 48
    assert [text.text for text in drawn(markup, "extreme-name")] == ["19.99 °C", "10 °C"]
    assert {text.text for text in drawn(markup, "axis")} >= {"°C", "10", "15", "20"}


def test_the_axis_shows_the_time_of_the_clock_it_is_given() -> None:
    """Its days begin at midnight there: where the axis says a day begins, that clock says so."""
    midnight = 1_790_035_200.0  # 2026-09-22T00:00Z
    line = Line("a", tuple((midnight + 3600 * n, float(n)) for n in range(-30, 31)))
    at = {shift_s: _ticks(svg([line], title="t", unit="", shift_s=shift_s)) for shift_s in (0, -28_800, 19_800)}
    per_s = (at[0]["22 Sep"] - at[0]["21 Sep"]) / 86_400
    assert at[-28_800]["22 Sep"] == pytest.approx(at[0]["22 Sep"] + 28_800 * per_s, abs=0.2)
    assert at[19_800]["22 Sep"] == pytest.approx(at[0]["22 Sep"] - 19_800 * per_s, abs=0.2)


def _ticks(markup: str) -> dict[str | None, float]:
    return {text.text: float(text.get("x") or 0) for text in drawn(markup, "day")}


def test_readings_outside_the_limits_stand_out() -> None:
    """Both limits are drawn and named, and each reading outside has a mark of its own."""
    markup = svg([Line("a", DAY)], title="t", unit="°C", low=12, high=18)
    assert [text.text for text in drawn(markup, "limit-name")] == ["min 12 °C", "max 18 °C"]
    assert len(drawn(markup, "outside")) == sum(not 12 <= value <= 18 for _, value in DAY)


def test_no_line_is_drawn_across_a_gap() -> None:
    """Where readings are missing the line is broken."""
    late = tuple((time + 5 * 86400, value) for time, value in DAY)
    assert len(drawn(svg([Line("a", DAY + late)], title="t", unit=""), "line")) == 2


def test_every_text_is_escaped() -> None:
    """Names, units and marks cannot become markup."""
    evil = "</svg><script>alert(1)</script>\"'&"
    markup = svg([Line(evil, DAY)], title=evil, unit=evil, low=1, high=2, marks=[Mark(T0 + 60, evil)])
    ElementTree.fromstring(markup)
    assert "<script" not in markup


def test_marks_that_fall_together_are_one() -> None:
    """Steps at the same time share a mark; those outside the chart's time have none."""
    markup = svg([Line("a", DAY)], title="t", unit="", marks=[Mark(T0, "1"), Mark(T0, "2"), Mark(T0 - 9999, "0")])
    assert [text.text for text in drawn(markup, "mark-name")] == ["1\N{EN DASH}2"]


def test_downsampling_keeps_the_extremes() -> None:
    """Of 100,000 readings a few hundred are drawn, the lowest and the highest among them."""
    points = [(T0 + n, float(n % 977)) for n in range(100_000)]
    points[54_321] = (T0 + 54_321, -5.0)
    points[12_345] = (T0 + 12_345, 5_000.0)
    kept = downsampled(points)
    assert len(kept) <= POINTS_MAX and {points[54_321], points[12_345]} <= set(kept)
    assert list(kept) == sorted(kept)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (12.5, "12.5"), (-3.0, "\N{MINUS SIGN}3"), (1e9, "1e+09"), (12345.6, "12,346"), (-0.001, "0")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    """A number is written as a person would."""
    assert number(value) == text


_values = st.floats(allow_nan=False, allow_infinity=False)
_times = st.floats(0, TIME_MAX, allow_nan=False)


@given(
    st.lists(st.lists(st.tuples(_times, _values), max_size=20), max_size=4),
    st.none() | _values,
    st.none() | _values,
    st.lists(_times, max_size=4),
)
def test_any_finite_numbers_give_a_chart_or_nothing(
    lines: list[list[tuple[float, float]]], low: float | None, high: float | None, marks: list[float]
) -> None:
    """However far apart, however equal: the markup is well formed, and every number in it finite."""
    series = [Line(str(n), tuple(sorted(points))) for n, points in enumerate(lines)]
    markup = svg(series, title="t", unit="u", low=low, high=high, marks=[Mark(t, str(n)) for n, t in enumerate(marks)])
    if markup:
        ElementTree.fromstring(markup)
    assert "nan" not in markup and "inf" not in markup
