"""Which readings belong, and what is said of those that were recorded earlier."""

from labels.pages.history import Source, Window
from labels.pages.readings import POINTS_MAX, Pack, gather, joined
from ledger.senml import Reading, Value

URN = "urn:uuid:logger"


def pack(*readings: tuple[str, str, float, Value], number: int = 1) -> Pack:
    """Readings (metric, unit, time, value) of the device."""
    return Pack(URN, Source(number, 0), tuple(Reading(f"{URN}:{name}", *rest) for name, *rest in readings))  # type: ignore[arg-type]


def window(start: float, end: float) -> Window:
    """A window of the device."""
    return Window(URN, start, end, (Source(0, 0),))


def test_only_readings_in_the_window_belong() -> None:
    """Both ends are included; what a pack holds beyond them is not the item's."""
    packs = [pack(*[("temperature", "Cel", float(n), float(n)) for n in range(10)])]
    found = gather([(window(3, 5), packs)], {})
    assert found.series[0].points == {URN: [(3.0, 3.0), (4.0, 4.0), (5.0, 5.0)]}
    assert found.counts == {window(3, 5): 3}


def test_temperatures_come_first_and_units_are_kept_apart() -> None:
    """A series is a metric in a unit."""
    packs = [pack(("humidity", "%RH", 1.0, 40.0), ("a", "Cel", 1.0, 1.0), ("humidity", "/", 1.0, 0.4))]
    found = gather([(window(0, 9), packs)], {})
    assert [(series.metric, series.unit) for series in found.series] == [
        ("a", "Cel"), ("humidity", "%RH"), ("humidity", "/"),
    ]  # fmt: skip


def test_excursions_are_counted_against_the_limits() -> None:
    """Below the lowest and above the highest good value; the ends are good."""
    packs = [pack(*[("temperature", "Cel", float(n), float(n)) for n in range(10)])]
    found = gather([(window(0, 9), packs)], {("temperature", "Cel"): (2.0, 7.0)})
    assert found.series[0].outside == 4


def test_strings_and_truth_values_are_counted_and_not_drawn() -> None:
    """Only numbers make a line."""
    found = gather([(window(0, 9), [pack(("door", "", 1.0, True), ("note", "", 1.0, "x"))])], {})
    assert not found.series and found.counts == {window(0, 9): 2}


def test_a_replay_says_so() -> None:
    """The note of a pack is told, and is itself no reading."""
    note = "recorded 2010-07-01T00:00-08:00 by NOAA, San Francisco; replayed"
    found = gather([(window(0, 9), [pack(("replay", "", 1.0, note), ("temperature", "Cel", 1.0, 1.0))])], {})
    assert found.notes == ["recorded 2010-07-01T00:00-08:00 to 2010-07-01T00:00-08:00 by NOAA, San Francisco; replayed"]
    assert found.years == ["2010"] and found.counts == {window(0, 9): 1}


def test_notes_of_one_recorder_are_joined() -> None:
    """From the first moment to the last; what has another form stays as it is."""
    notes = [
        f"recorded 2010-07-0{n}T00:00-08:00 to 2010-07-0{n}T05:00-08:00 by NOAA, Seattle; replayed" for n in (2, 1)
    ]
    assert joined([*notes, "something else", "something else"]) == [
        "recorded 2010-07-01T00:00-08:00 to 2010-07-02T05:00-08:00 by NOAA, Seattle; replayed",
        "something else",
    ]
    assert len(joined(map(str, range(1000)))) == 20


def test_readings_on_a_page_are_bounded() -> None:
    """Beyond the bound nothing is drawn, and the page says that it was cut."""
    packs = [pack(*[("t", "Cel", float(n), 1.0) for n in range(5_000)], number=n) for n in range(50)]
    found = gather([(window(0, 9_999), packs)], {})
    assert found.cut and len(found.series[0].points[URN]) == POINTS_MAX
