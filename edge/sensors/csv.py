"""Replays recorded series from CSV files, and says so: each pack carries what was recorded when.

A *route* is one or more *segments*, each a run of consecutive rows of a file; they are replayed one after the
other. Rows that the recording lacks are not filled in: the gap stays.
"""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from edge.clock import Moment
from edge.options import Table
from edge.sensors import Pack, Setup
from ledger.errors import UserError
from ledger.senml import TIME_MAX, Reading

ROWS_MAX = 100_000
NOTE = "replay"
_STEP_S = 3_600.0  # between two rows of which nobody says
_CONVERSIONS = ("none", "F-to-Cel")
_SEGMENT_KEYS = {"file", "time", "value", "zone", "start", "rows", "source"}
_KEYS = {"metric", "unit", "convert", "interval_s", "pack", "retime", "at", "spacing_s", "segments"}


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded row: when it was recorded, by the recorder's zone, its value, and which segment it is of."""

    recorded: datetime
    value: float
    segment: int


class CsvSensor:
    """Gives packs of `pack` rows, one row each `interval_s`, until the route ends.

    `retime = "first"` or `"last"` shifts the route so that its first or last row is at the moment `at` (`"start"`:
    when the sensor first started), rows keeping their distances, or `spacing_s` apart; `"none"` leaves the times.
    """

    def __init__(self, setup: Setup) -> None:
        options = setup.options
        options.only(_KEYS | _SEGMENT_KEYS)
        self._metric = options.text("metric", "temperature")
        self._unit = options.text("unit", "Cel")
        self._pack = options.whole("pack", 10, least=1, most=100)
        self._interval_ms = 1_000 * options.number("interval_s", 1.0, least=0, most=86_400)
        self._retime = options.choice("retime", "last", ("first", "last", "none"))
        self._row, self._at = _cursor(setup, options)
        segments = list(_segments(options))
        self._rows = [row for i, segment in enumerate(segments) for row in _read(segment, i)]
        self._sources = [segment.text("source", segment.file("file").name) for segment in segments]
        if options.choice("convert", "none", _CONVERSIONS) == "F-to-Cel":
            self._rows = [Row(row.recorded, round((row.value - 32) / 1.8, 2), row.segment) for row in self._rows]
        self._times = _times(self._rows, self._retime, self._at, _spacing(options))
        self._due_ms = float(setup.now.ticks_ms)

    @property
    def due_ms(self) -> int | None:
        """When the next pack is due; None once the route has ended."""
        return int(self._due_ms) if self._row < len(self._rows) else None

    def read(self, now: Moment) -> Pack | None:
        """The next pack. It never spans two segments, so that its note is true of all of it."""
        segment = self._rows[self._row].segment
        end = self._row
        while end < min(self._row + self._pack, len(self._rows)) and self._rows[end].segment == segment:
            end += 1
        readings = [
            Reading(self._metric, self._unit, self._times[i], self._rows[i].value) for i in range(self._row, end)
        ]
        if self._retime != "none":
            readings.append(Reading(NOTE, "", readings[0].time, self._note(self._row, end - 1)))
        self._due_ms = max(self._due_ms, now.ticks_ms - self._interval_ms) + (end - self._row) * self._interval_ms
        self._row = end
        return Pack(tuple(readings), json.dumps({"row": end, "at": self._at}))

    def _note(self, first: int, last: int) -> str:
        start, end = (self._rows[i].recorded.isoformat(timespec="minutes") for i in (first, last))
        span = start if first == last else f"{start} to {end}"
        return f"recorded {span} by {self._sources[self._rows[first].segment]}; replayed"


def _cursor(setup: Setup, options: Table) -> tuple[int, float]:
    """The next row, and the moment that the route is timed by."""
    at = _moment(options, setup.now.wall_s)
    if setup.cursor is None:
        return 0, at
    try:
        kept = json.loads(setup.cursor)
    except (ValueError, RecursionError):
        kept = None
    match kept:
        case {"row": int(row), "at": float() | int() as moment} if row >= 0 and abs(moment) <= TIME_MAX:
            return row, float(moment)
    raise UserError(f"the spool's cursor of the sensor {setup.name!r} is not a CSV sensor's", "give it another name")


def _moment(options: Table, start: float) -> float:
    text = options.text("at", "start")
    if text == "start":
        return round(start, 3)
    return _date_time(text, options, "at").timestamp()


def _date_time(text: str, options: Table, key: str, zone: str = "") -> datetime:
    try:
        moment = datetime.fromisoformat(text + zone)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise options.wrong(key, f"is {text!r}, and not a date-time like 2010-07-01T00:00" + ("" if zone else "Z"))
    return moment


def _segments(options: Table) -> Iterator[Table]:
    """The segments, each with what it does not say itself taken from the sensor's own keys."""
    common = {key: value for key, value in options.values.items() if key in _SEGMENT_KEYS}
    listed = options.values.get("segments", [{}])
    if not isinstance(listed, list) or not listed or not all(isinstance(item, dict) for item in listed):
        raise options.wrong("segments", "is not a list of tables")
    for number, item in enumerate(listed, 1):
        table = Table(f"{options.title}, segment {number}", {**common, **item}, options.path)
        table.only(_SEGMENT_KEYS)
        yield table


def _read(segment: Table, number: int) -> list[Row]:
    """The rows of one segment: `rows` of them (0: all) from the one recorded at `start` on."""
    path, zone = segment.file("file"), segment.text("zone", "+00:00")
    wanted = segment.whole("rows", 0, least=0, most=ROWS_MAX)
    start = None if "start" not in segment.values else _date_time(segment.text("start"), segment, "start", zone)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = _parse(csv.DictReader(file), segment, zone, number)
            rest = (row for row in rows if start is None or row.recorded >= start)
            found = list(islice(rest, wanted or ROWS_MAX))
    except OSError as error:
        raise segment.wrong("file", f"cannot be read: {error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise segment.wrong("file", f"names what is not CSV: {path}: {error}") from error
    if not found or len(found) < wanted:
        raise segment.wrong("rows", f"asks for {wanted or 'some'}, and {path.name} has {len(found)} from the start on")
    return found


def _parse(reader: "csv.DictReader[str]", segment: Table, zone: str, number: int) -> Iterator[Row]:
    time, value = segment.text("time", "date"), segment.text("value", "temp")
    for column, key in ((time, "time"), (value, "value")):
        if column not in (reader.fieldnames or ()):
            raise segment.wrong(key, f"names the column {column!r}, which the file has not")
    for fields in reader:
        try:
            yield Row(datetime.fromisoformat(fields[time] + zone), _finite(fields[value]), number)
        except (TypeError, ValueError) as error:
            raise segment.wrong("file", f"has a line that cannot be read: {reader.line_num}: {error}") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def _spacing(options: Table) -> float | None:
    if "spacing_s" not in options.values:
        return None
    return options.number("spacing_s", 0, least=0.001, most=86_400 * 366)


def _times(rows: list[Row], retime: str, at: float, spacing_s: float | None) -> list[float]:
    """The time at which each row is to be, in seconds since 1970."""
    recorded = [row.recorded.timestamp() for row in rows]
    if retime == "none":
        return recorded
    offsets, step = [0.0], _STEP_S
    for i in range(1, len(rows)):
        if rows[i].segment == rows[i - 1].segment:
            step = recorded[i] - recorded[i - 1]
        elif i + 1 < len(rows) and rows[i + 1].segment == rows[i].segment:
            step = recorded[i + 1] - recorded[i]  # another recorder took over: one step of its own
        offsets.append(offsets[-1] + (step if spacing_s is None else spacing_s))
    base = at if retime == "first" else at - offsets[-1]
    return [round(base + offset, 3) for offset in offsets]
