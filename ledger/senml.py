"""Packs of readings as SenML-CBOR (RFC 8428, 6), content format 112."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from ledger import cbor
from ledger.errors import MalformedError

BN, BT, BU, BV, BVER = -2, -3, -4, -5, -1
N, U, V, VS, VB, S, T, VD = 0, 1, 2, 3, 4, 5, 6, 8  # bs, s and ut are passed over
VERSION = 10
_VALUES = (V, VS, VB, VD)
_BASES = frozenset({BN, BT, BU, BV})
_COMMON = frozenset({*_BASES, N, U, S, T, *_VALUES})
RELATIVE_BELOW = 2**28  # RFC 8428, 4.5.3: smaller times are relative to now
TIME_MAX = 253_402_300_000  # in the last hour of the year 9999
_ANY_TIME = TIME_MAX / 2
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:./_")

Value = float | str | bool | bytes


@dataclass(frozen=True, slots=True)
class Reading:
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


def decode(body: bytes, *, now: float) -> tuple[Reading, ...]:
    """Resolve a pack (RFC 8428, 4.6), with times below 2^28 relative to `now`; MalformedError if it is none."""
    records = cbor.decode(body, depth_max=3)
    if not isinstance(records, list):
        raise MalformedError("a SenML pack is an array of records")
    base: dict[int, Any] = {BN: "", BT: 0, BU: "", BV: 0}
    return tuple(reading for record in records for reading in _resolve(record, base, now))


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


def _resolve(record: Any, base: dict[int, Any], now: float) -> list[Reading]:
    if not isinstance(record, dict):
        raise MalformedError("a SenML record is a map")
    if not _COMMON.issuperset(record):
        _check_labels(record)
    if not _BASES.isdisjoint(record):
        base.update({label: record[label] for label in (BN, BT, BU, BV) if label in record})
    present = [label for label in _VALUES if label in record]
    if not present and S in record:
        return []
    if len(present) != 1:
        raise MalformedError("a SenML record has one value, or a sum and none")
    name, unit = _name(base[BN], record.get(N, "")), _unit(record.get(U, base[BU]))
    time = _finite(base[BT]) + _finite(record.get(T, 0))
    return [Reading(name, unit, _absolute(time, now), _value(present[0], record[present[0]], base[BV]))]


def _check_labels(record: dict[Any, Any]) -> None:
    for label in record:
        if isinstance(label, str) and label.endswith("_"):
            raise MalformedError(f"SenML label {label!r} must be understood, and is not")
    if not (cbor.is_count(version := record.get(BVER, VERSION)) and version <= VERSION):
        raise MalformedError(f"a SenML pack of another version than {VERSION}")


def _name(base: Any, name: Any) -> str:
    if not (isinstance(base, str) and isinstance(name, str)):
        raise MalformedError("a SenML name is text")
    return _joined(base, name)


# Packs repeat few names and units many times.
@lru_cache(maxsize=4096)
def _joined(base: str, name: str) -> str:
    full = base + name
    if not 0 < len(full) <= 256 or not full[0].isalnum() or not _NAME_CHARS.issuperset(full):
        raise MalformedError("a SenML name has characters that names have not (RFC 8428, 4.5.1)")
    return full


def _unit(unit: Any) -> str:
    if not isinstance(unit, str) or len(unit) > 32 or not unit.isascii() or not unit.isprintable():
        raise MalformedError("a SenML unit is a short text of printable ASCII characters")
    return unit


def _absolute(time: float, now: float) -> float:
    absolute = time if time >= RELATIVE_BELOW else now + time
    if not 0 <= absolute <= TIME_MAX:
        raise MalformedError("a SenML time is beyond any calendar")
    return absolute


def _value(label: int, value: Any, base: Any) -> Value:
    if label == V:
        return _finite(_finite(value) + _finite(base))
    kind: type = {VS: str, VB: bool, VD: bytes}[label]
    if not isinstance(value, kind):
        raise MalformedError("a SenML value is not of its label's type")
    return cast(Value, value)


def _finite(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedError("a SenML number is not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise MalformedError("a SenML number is too large") from error
    if not math.isfinite(number):
        raise MalformedError("a SenML number is not finite")
    return number
