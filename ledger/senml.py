"""Packs of readings as SenML-CBOR (RFC 8428, 6), content format 112."""

import math
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from ledger import cbor
from ledger.errors import MalformedError

BN, BT, BU, BV, BVER = -2, -3, -4, -5, -1
N, U, V, VS, VB, S, T, VD = 0, 1, 2, 3, 4, 5, 6, 8  # bs, s and ut are passed over
VERSION = 10
RECORDS_MAX = 10_000
_VALUES = (V, VS, VB, VD)
_BASES = frozenset({BN, BT, BU, BV})
_COMMON = frozenset({*_BASES, N, U, S, T, *_VALUES})
_NO_NUMBER = frozenset({VS, VB, VD, S})
_MAPS = frozenset({dict})
_INTEGERS, _TEXTS = frozenset({int}), frozenset({str})
_NUMBERS = frozenset({int, float})
_TYPES: dict[int, type] = {VS: str, VB: bool, VD: bytes}
RELATIVE_BELOW = 2**28  # RFC 8428, 4.5.3: smaller times are relative to now
TIME_MAX = 253_402_300_000  # in the last hour of the year 9999
_ANY_TIME = TIME_MAX / 2
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:./_")

Value = float | str | bool | bytes


class Reading(NamedTuple):
    """One resolved record: its full name, SenML unit ("" where there is none), time in seconds since 1970, value."""

    name: str
    unit: str
    time: float
    value: Value


def encode(readings: Sequence[Reading], *, base_name: str) -> bytes:
    """A pack of readings, named in full or by what follows `base_name`; times are offsets from the first.

    Raises MalformedError for what `decode` would refuse, so that nobody signs it.
    """
    base_time = readings[0].time if readings else 0.0
    records = [_record(reading, base_name, base_time) for reading in readings]
    if records:
        records[0] = {BN: base_name, BT: _number(base_time), **records[0]}
    body = cbor.encode(records)
    decode(body, now=_ANY_TIME)
    return body


Series = tuple[str, str]  # name, unit


class Columns(NamedTuple):
    """A pack by its columns, a reading a row: its series, time in seconds since 1970, value.

    `kinds` are the series that there are, each once.
    """

    series: list[Series]
    times: list[float]
    values: Sequence[Value]
    kinds: set[Series]


def decode(body: bytes, *, now: float) -> tuple[Reading, ...]:
    """Resolve a pack (RFC 8428, 4.6), with times below 2^28 relative to `now`; MalformedError if it is none."""
    rows = zip(*columns(body, now=now)[:3], strict=True)
    return tuple(Reading(*series, time, value) for series, time, value in rows)


def columns(body: bytes, *, now: float) -> Columns:
    """As `decode`, for whoever has very many: what a reading costs is what is done a row here."""
    records = cbor.decode_item(body, depth_max=3)
    if type(records) is not list or len(records) > RECORDS_MAX:
        raise MalformedError(f"a SenML pack is an array of at most {RECORDS_MAX} records")
    only_numbers = _NO_NUMBER.isdisjoint(_labels(records))
    made = Columns([], [], values := list[Value](), set())
    for base, run in _runs(records):
        valued = run if only_numbers else [record for record in run if _has_value(record)]
        values += _numbers(valued, base) if only_numbers else [_value(record, base) for record in valued]
        made.times.extend(_times(valued, base, now))
        series = _series(valued, base)
        made.series.extend(series.rows)
        made.kinds.update(series.kinds)
    return made


def _record(reading: Reading, base_name: str, base_time: float) -> dict[int, Any]:
    record: dict[int, Any] = {N: reading.name.removeprefix(base_name)}
    if reading.unit:
        record[U] = reading.unit
    if reading.time != base_time:
        record[T] = _number(round(reading.time - base_time, 6))
    label = VB if isinstance(reading.value, bool) else _LABELS[type(reading.value)]
    record[label] = _number(reading.value) if label == V else reading.value
    return record


_LABELS = {float: V, int: V, str: VS, bytes: VD}


def _number(value: Any) -> Any:
    """An integral float is shorter as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _labels(records: list[Any]) -> list[Any]:
    """The labels of all records, checked. They are in no set: those of a stranger might be made to collide there."""
    if not _MAPS.issuperset(map(type, records)):
        raise MalformedError("a SenML record is a map")
    labels = list(chain.from_iterable(records))
    # By type as well: a bool or a float would pass for an equal integer.
    if not (_INTEGERS.issuperset(map(type, labels)) and _COMMON.issuperset(labels)):
        for record in records:
            _check_labels(record)
    return labels


class _Base(NamedTuple):
    """What the base fields met so far add to a record (RFC 8428, 4.1)."""

    name: str = ""
    time: float = 0.0
    unit: str = ""
    value: float = 0.0

    def moved(self, record: dict[Any, Any]) -> "_Base":
        """As it is from `record` on."""
        name, unit = record.get(BN, self.name), record.get(BU, self.unit)
        if type(name) is not str:
            raise MalformedError("a SenML name is text")
        time, value = _finite(record.get(BT, self.time)), _finite(record.get(BV, self.value))
        return _Base(name, time, _unit(unit), value)


def _runs(records: list[dict[Any, Any]]) -> Iterator[tuple[_Base, list[dict[Any, Any]]]]:
    """The records that share a base, together: few packs have more than one run."""
    base, start = _Base(), 0
    if records and _BASES.isdisjoint(chain.from_iterable(records[1:])):
        yield base.moved(records[0]), records
        return
    for place, record in enumerate(records):
        if not _BASES.isdisjoint(record):
            if place > start:
                yield base, records[start:place]
            base, start = base.moved(record), place
    yield base, records[start:]


class _Named(NamedTuple):
    rows: list[Series]
    kinds: Collection[Series]


def _series(records: list[dict[Any, Any]], base: _Base) -> _Named:
    unit = base.unit
    names, units = [record.get(N, "") for record in records], [record.get(U, unit) for record in records]
    # Before they are in a set, where they might be made to collide.
    if not (_TEXTS.issuperset(map(type, names)) and _TEXTS.issuperset(map(type, units))):
        raise MalformedError("a SenML name and a SenML unit are text")
    pairs = list(zip(names, units, strict=True))
    named = {pair: _named(base.name, *pair) for pair in set(pairs)}
    return _Named(list(map(named.__getitem__, pairs)), named.values())


def _times(records: list[dict[Any, Any]], base: _Base, now: float) -> list[float]:
    start, offsets = base.time, [record.get(T, 0) for record in records]
    _require_numbers(offsets)
    try:
        times = [start + offset for offset in offsets]
    except OverflowError as error:
        raise MalformedError("a SenML number is too large") from error
    if times and min(times) < RELATIVE_BELOW:
        times = [time if time >= RELATIVE_BELOW else now + time for time in times]
    if times and not (math.isfinite(sum(times)) and min(times) >= 0 and max(times) <= TIME_MAX):
        raise MalformedError("a SenML time is beyond any calendar, or not finite")
    return times


def _numbers(records: list[dict[Any, Any]], base: _Base) -> list[float]:
    """The values of records that have no other kind."""
    try:
        values = [record[V] for record in records]
    except KeyError:
        raise MalformedError("a SenML record has one value, or a sum and none") from None
    _require_numbers(values)
    try:
        numbers = list(map(float, values))
    except OverflowError as error:
        raise MalformedError("a SenML number is too large") from error
    if base.value:
        numbers = [number + base.value for number in numbers]
    if not all(map(math.isfinite, numbers)):
        raise MalformedError("a SenML number is not finite")
    return numbers


def _require_numbers(values: list[Any]) -> None:
    if not _NUMBERS.issuperset(map(type, values)):
        raise MalformedError("a SenML number is not a number")


def _has_value(record: dict[Any, Any]) -> bool:
    """Whether the record has its one value: else it has a sum and none (RFC 8428, 4.2)."""
    count = sum(label in record for label in _VALUES)
    if count > 1 or (not count and S not in record):
        raise MalformedError("a SenML record has one value, or a sum and none")
    return count == 1


def _value(record: dict[Any, Any], base: _Base) -> Value:
    if V in record:
        return _finite(_finite(record[V]) + base.value)
    [label] = [label for label in _TYPES if label in record]
    value: Value = record[label]
    if type(value) is not _TYPES[label]:
        raise MalformedError("a SenML value is not of its label's type")
    return value


def _check_labels(record: dict[Any, Any]) -> None:
    for label in record:
        if type(label) not in (int, str):
            raise MalformedError("a SenML label is an integer or a text")
        if isinstance(label, str) and label.endswith("_"):
            raise MalformedError(f"SenML label {label!r} must be understood, and is not")
    if not (cbor.is_count(version := record.get(BVER, VERSION)) and version <= VERSION):
        raise MalformedError(f"a SenML pack of another version than {VERSION}")


@lru_cache(maxsize=4096)  # packs repeat few names and units many times
def _named(base: str, name: str, unit: str) -> tuple[str, str]:
    full = base + name
    if not 0 < len(full) <= 256 or not full[0].isalnum() or not _NAME_CHARS.issuperset(full):
        raise MalformedError("a SenML name has characters that names have not (RFC 8428, 4.5.1)")
    return full, _unit(unit)


def _unit(unit: Any) -> str:
    if type(unit) is not str or len(unit) > 32 or not unit.isascii() or not unit.isprintable():
        raise MalformedError("a SenML unit is a short text of printable ASCII characters")
    return unit


def _finite(value: Any) -> float:
    kind = type(value)
    if kind is int:
        try:
            return float(value)
        except OverflowError as error:
            raise MalformedError("a SenML number is too large") from error
    if kind is not float:
        raise MalformedError("a SenML number is not a number")
    if not math.isfinite(value):
        raise MalformedError("a SenML number is not finite")
    number: float = value
    return number
