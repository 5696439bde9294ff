"""Sensors: what the machine says of itself, and recorded series that say they are replayed."""

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge import sensors
from edge.clock import Moment
from edge.config import SensorConfig
from edge.options import Table
from edge.sensors import Pack, Setup
from edge.sensors.csv import CsvSensor
from edge.sensors.host import HostSensor
from ledger.errors import UserError
from ledger.section import Privacy

ROOT = Path(__file__).parents[2]
DATA = ROOT / "deploy" / "data"
NOW = Moment(1_800_000_000.0, 5_000)
SF: dict[str, Any] = {
    "file": str(DATA / "sf-temps.csv"),
    "start": "2010-07-01T00:00",
    "rows": 24,
    "zone": "-08:00",
    "source": "NOAA, San Francisco",
    "convert": "F-to-Cel",
}


def setup(options: dict[str, Any], cursor: str | None = None, now: Moment = NOW) -> Setup:
    return Setup("s", Table("sensor s", options, Path("/x/config.toml")), cursor, now)


def packs(sensor: CsvSensor, now: Moment = NOW) -> list[Pack]:
    found = []
    while sensor.due_ms is not None:
        pack = sensor.read(now)
        assert pack is not None
        found.append(pack)
    return found


def test_our_sensors_are_those_of_the_entry_point_group() -> None:
    """The built-in table, which spares a device the search, says what pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][sensors.GROUP] == sensors.BUILT_IN


def test_an_unknown_sensor_is_named() -> None:
    """The hint lists those that there are."""
    with pytest.raises(UserError, match="no sensor is of type 'sonar'") as caught:
        sensors.load(SensorConfig("sonar", "s", Privacy.PUBLIC, setup({}).options), None, NOW)
    assert "csv, host" in caught.value.hint


# host


def test_the_host_sensor_reads_this_machine() -> None:
    """Two samples give a pack with load, memory and disk, all of them shares but the load."""
    sensor = HostSensor(setup({"samples": 2, "interval_s": 1}))
    assert sensor.due_ms == NOW.ticks_ms
    assert sensor.read(NOW) is None
    assert sensor.due_ms == NOW.ticks_ms + 1_000
    pack = sensor.read(Moment(NOW.wall_s + 1, NOW.ticks_ms + 1_000))
    assert pack is not None and pack.cursor is None
    values = {reading.name: reading for reading in pack.readings}
    assert {"load", "memory", "disk"} <= values.keys()
    assert all(0 <= float(values[name].value) <= 1 for name in ("memory", "disk"))
    assert {reading.time for reading in pack.readings} == {NOW.wall_s, NOW.wall_s + 1}


def test_the_host_sensor_reads_a_pi(tmp_path: Path) -> None:
    """Busy share, used memory and thermal zones come out of /proc and /sys; a zone that is off is left out."""
    for name, text in {
        "proc/stat": "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1 1\n",
        "proc/loadavg": "0.52 0.58 0.59 1/467 12345\n",
        "proc/meminfo": "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\nHugePages_Total:       0\n",
        "sys/class/thermal/thermal_zone0/type": "CPU Thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "48312\n",
        "sys/class/thermal/thermal_zone1/type": "off\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sensor = HostSensor(setup({"samples": 1, "packs": 2, "disk": str(tmp_path)}), root=tmp_path)
    first = sensor.read(NOW)
    assert first is not None and "cpu" not in {reading.name for reading in first.readings}
    (tmp_path / "proc/stat").write_text("cpu  150 0 125 750 125 0 0 0 0 0\n")
    second = sensor.read(NOW)
    assert second is not None
    values = {reading.name: (reading.value, reading.unit) for reading in second.readings}
    assert values["cpu"] == (0.5, "/")
    assert values["memory"] == (0.75, "/")
    assert values["load"] == (0.52, "")
    assert values["thermal-cpu-thermal"] == (48.312, "Cel")
    assert sensor.due_ms is None  # `packs` packs, and no more


def test_a_bare_machine_has_little_to_say(tmp_path: Path) -> None:
    """What cannot be read is left out; nothing fails."""
    pack = HostSensor(setup({"samples": 1}), root=tmp_path).read(NOW)
    assert pack is not None and [reading.name for reading in pack.readings] == ["disk"]


def test_a_host_sensor_that_slept_does_not_catch_up() -> None:
    """After a pause the next sample is due later, not a hundred at once."""
    sensor = HostSensor(setup({"interval_s": 1}))
    sensor.read(Moment(NOW.wall_s, NOW.ticks_ms + 3_600_000))
    assert sensor.due_ms is not None and sensor.due_ms > NOW.ticks_ms + 3_600_000


# csv


def test_the_series_are_whole() -> None:
    """Both files have a row for each hour of 2010 but the one that daylight saving time skips, and no filling."""
    for name in ("sf-temps.csv", "seattle-temps.csv"):
        lines = (DATA / name).read_text().splitlines()
        assert lines[0] == "date,temp"
        assert len(lines) == 1 + 365 * 24 - 1
        dates = {line.partition(",")[0] for line in lines}
        assert "2010-03-14T02:00" in dates
        assert "2010-03-14T03:00" not in dates


def test_fahrenheit_becomes_celsius_and_the_last_row_is_now() -> None:
    """24 hourly rows re-timed to now: the last is now, the first 23 h ago, in Cel, and each pack says what it is."""
    found = packs(CsvSensor(setup({**SF, "pack": 10})))
    rows = [reading for pack in found for reading in pack.readings if reading.name == "temperature"]
    assert [len(pack.readings) for pack in found] == [11, 11, 5]
    assert rows[-1].time == NOW.wall_s
    assert rows[0].time == NOW.wall_s - 23 * 3_600
    assert _recorded("2010-07-01T00:00") == "56.7"
    assert (rows[0].value, rows[0].unit) == (13.72, "Cel")
    note = found[0].readings[-1]
    assert note.name == "replay"
    assert note.value == ("recorded 2010-07-01T00:00-08:00 to 2010-07-01T09:00-08:00 by NOAA, San Francisco; replayed")


def _recorded(date: str) -> str:
    lines = (DATA / "sf-temps.csv").read_text().splitlines()
    return next(line.partition(",")[2] for line in lines if line.startswith(date))


def test_the_first_row_can_be_at_a_given_moment() -> None:
    """`retime = "first"` with a moment, rows a minute apart."""
    options = {**SF, "retime": "first", "at": "2026-01-01T00:00:00Z", "spacing_s": 60, "rows": 3}
    (pack,) = packs(CsvSensor(setup(options)))
    start = 1_767_225_600.0
    assert [reading.time for reading in pack.readings] == [start, start + 60, start + 120, start]


def test_without_retiming_nothing_is_called_replayed() -> None:
    """`retime = "none"` gives the recorded times as they are."""
    (pack,) = packs(CsvSensor(setup({**SF, "retime": "none", "rows": 2})))
    assert [reading.name for reading in pack.readings] == ["temperature"] * 2
    assert pack.readings[0].time == 1_277_971_200.0  # 2010-07-01T08:00:00Z


def test_the_gap_in_the_recording_stays_a_gap() -> None:
    """Around the hour that was not recorded, rows are two hours apart."""
    (pack,) = packs(CsvSensor(setup({**SF, "start": "2010-03-14T02:00", "rows": 2})))
    assert pack.readings[1].time - pack.readings[0].time == 7_200


def test_a_route_of_two_segments_is_one_series_with_true_notes() -> None:
    """From one city to the next: hourly throughout, and no pack spans two recorders."""
    options = {
        **{key: value for key, value in SF.items() if key not in ("file", "source", "start", "rows")},
        "pack": 4,
        "segments": [
            {
                "file": str(DATA / "sf-temps.csv"),
                "source": "NOAA, San Francisco",
                "start": "2010-07-01T00:00",
                "rows": 6,
            },
            {
                "file": str(DATA / "seattle-temps.csv"),
                "source": "NOAA, Seattle",
                "start": "2010-02-03T00:00",
                "rows": 3,
            },
        ],
    }
    found = packs(CsvSensor(setup(options)))
    assert [len(pack.readings) - 1 for pack in found] == [4, 2, 3]
    times = [reading.time for pack in found for reading in pack.readings[:-1]]
    assert {later - earlier for earlier, later in pairwise(times)} == {3_600}
    assert "by NOAA, San Francisco; replayed" in str(found[1].readings[-1].value)
    assert str(found[2].readings[-1].value).startswith("recorded 2010-02-03T00:00-08:00 to 2010-02-03T02:00-08:00")


def test_rows_are_sent_interval_by_interval() -> None:
    """A pack of 4 rows at half a second each takes two seconds."""
    sensor = CsvSensor(setup({**SF, "pack": 4, "interval_s": 0.5}))
    assert sensor.due_ms == NOW.ticks_ms
    sensor.read(NOW)
    assert sensor.due_ms == NOW.ticks_ms + 2_000


@pytest.mark.parametrize("stop", range(4))
def test_after_a_restart_no_row_comes_twice_and_none_is_left_out(stop: int) -> None:
    """Wherever it stopped, the next one goes on from the cursor, timed by the same moment."""
    whole = packs(CsvSensor(setup({**SF, "pack": 7})))
    before = whole[:stop]
    cursor = before[-1].cursor if before else None
    later = Moment(NOW.wall_s + (86_400 if before else 0), 77)
    after = packs(CsvSensor(setup({**SF, "pack": 7}, cursor, later)), later)
    assert before + after == whole


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"file": "/nowhere.csv"}, "'file' of .sensor s, segment 1. cannot be read"),
        ({"file": "/bin/true"}, "what is not CSV|which the file has not"),
        ({"value": "temperature"}, "names the column 'temperature'"),
        ({"start": "2011-01-01T00:00"}, "has 0 from the start on"),
        ({"rows": 100_000}, "asks for 100000"),
        ({"start": "yesterday"}, "'start' of .sensor s, segment 1. is 'yesterday'"),
        ({"at": "2026-01-01T00:00"}, "'at' of .sensor s. is '2026-01-01T00:00'"),
        ({"retime": "middle"}, "not one of first, last, none"),
        ({"convert": "K-to-Cel"}, "not one of none, F-to-Cel"),
        ({"pack": 1_000}, "'pack' of"),
        ({"interval_s": float("nan")}, "'interval_s' of"),
        ({"unknown": 1}, "has no key 'unknown'"),
        ({"segments": []}, "is not a list of tables"),
        ({"segments": [{"fil": "x"}]}, "has no key 'fil'"),
    ],
)
def test_every_mistake_in_a_csv_sensor_is_named(changes: dict[str, Any], complaint: str) -> None:
    """A wrong option is a UserError that names it."""
    with pytest.raises(UserError, match=complaint):
        CsvSensor(setup({**SF, **changes}))


@pytest.mark.parametrize("line", ["2010-01-01T01:00,warm", "2010-01-01T01:00,nan", "noon,1", "2010-01-01T01:00"])
def test_a_line_that_cannot_be_read_is_named(line: str, tmp_path: Path) -> None:
    """The error tells the line's number."""
    path = tmp_path / "bad.csv"
    path.write_text(f"date,temp\n2010-01-01T00:00,1\n{line}\n")
    with pytest.raises(UserError, match="a line that cannot be read: 3"):
        CsvSensor(setup({"file": str(path)}))


@pytest.mark.parametrize("cursor", ["7", "seven", '{"row": true}', '{"row": -1, "at": 0}'])
def test_another_sensors_cursor_is_not_taken(cursor: str) -> None:
    """A name that was another sensor's must not skip or repeat rows."""
    with pytest.raises(UserError, match="cursor"):
        CsvSensor(setup(SF, cursor))
