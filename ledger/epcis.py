"""EPCIS 2.0 events as CBOR: the JSON binding's object, one to one (GS1 EPCIS 2.0, 10; CBV 2.0, 7)."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

from ledger import cbor
from ledger.errors import MalformedError

BODY_BYTES_MAX = 200 * 1024
EPCS_MAX = 5_000
ACTIONS = ("ADD", "OBSERVE", "DELETE")
_CBV_STEPS = """
    accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
    retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping
"""
BIZ_STEPS = frozenset(_CBV_STEPS.split())  # CBV 2.0, 7.1.3
_CBV_DISPOSITIONS = """
    active available completeness_inferred completeness_verified conformant container_closed container_open damaged
    destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance
    mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed
    recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown
"""
DISPOSITIONS = frozenset(_CBV_DISPOSITIONS.split())  # CBV 2.0, 7.2
_OFFSET = r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)"
_ZONE = re.compile(_OFFSET)
# The profile of RFC 3339 that all readers share: datetime.fromisoformat takes more, and more with each Python.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_DATE_TIME = re.compile(f"{_DATE}T{_CLOCK}(?:Z|{_OFFSET})")
_NOT_IN_JSONB = re.compile("[\x00\ud800-\udfff]")
_URI_CHARS = re.compile(r"[!-~]{1,1000}")
_LISTS = {"ObjectEvent": "epcList", "AggregationEvent": "childEPCs", "AssociationEvent": "childEPCs"}


@dataclass(frozen=True, slots=True)
class SensorWindow:
    """What a device sensed for an event: a sensorElement's metadata, times in seconds since 1970."""

    device: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Event:
    """An event's dimensions as the history reads them; `document` is the JSON binding's whole object."""

    type: str
    action: str
    time: float
    parent: str | None
    epcs: tuple[str, ...]
    biz_step: str | None
    disposition: str | None
    read_point: str | None
    biz_location: str | None
    sensors: tuple[SensorWindow, ...]
    document: dict[str, Any]


def encode(document: dict[str, Any]) -> bytes:
    """The body of an event section; raises MalformedError for a document that `decode` would refuse."""
    read(document)
    body = cbor.encode(document)
    decode(body)
    return body


def decode(body: bytes) -> Event:
    """Read an event's body; any bytes give an Event or MalformedError."""
    if len(body) > BODY_BYTES_MAX:
        raise MalformedError("an EPCIS event over its size")
    return read(cbor.decode(body))


def is_uri(value: Any) -> TypeGuard[str]:
    """Whether `value` can name something in an event: ASCII without spaces, with a colon, at most 1,000 characters."""
    return isinstance(value, str) and _URI_CHARS.fullmatch(value) is not None and ":" in value


def read(document: Any) -> Event:
    """Check an event's JSON object: type, action, times and the identifiers its type needs; or MalformedError."""
    if not isinstance(document, dict):
        raise MalformedError("an EPCIS event is an object")
    _require_json(document)
    kind = _one_of(document, "type", tuple(_LISTS))
    if not _ZONE.fullmatch(_text(document, "eventTimeZoneOffset") or ""):
        raise MalformedError("eventTimeZoneOffset is ±hh:mm")
    event = Event(
        type=kind,
        action=_one_of(document, "action", ACTIONS),
        time=_time(document, "eventTime"),
        parent=_uri(_text(document, "parentID"), "parentID"),
        epcs=_epcs(document, _LISTS[kind]),
        biz_step=_word(document, "bizStep", BIZ_STEPS),
        disposition=_word(document, "disposition", DISPOSITIONS),
        read_point=_place(document, "readPoint"),
        biz_location=_place(document, "bizLocation"),
        sensors=_sensors(document),
        document=document,
    )
    _check_identifiers(event)
    return event


def _require_json(value: Any, depth: int = cbor.DEPTH_MAX) -> None:
    """CBOR can hold what JSON, or PostgreSQL's jsonb, cannot: bytes, other keys, NaN, the character NUL."""
    if isinstance(value, dict | list) and not depth:
        raise MalformedError("an EPCIS event is nested too deeply")
    if isinstance(value, dict):
        for key, item in value.items():
            _require_json(key if isinstance(key, str) else b"")
            _require_json(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _require_json(item, depth - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise MalformedError("an EPCIS event holds a number that is not finite")
    elif not isinstance(value, str | int | None) or (isinstance(value, str) and _NOT_IN_JSONB.search(value)):
        raise MalformedError("an EPCIS event holds what JSON cannot")


def _check_identifiers(event: Event) -> None:
    """An event must say what it is about (EPCIS 2.0, 7.4.1 to 7.4.6)."""
    if event.type == "ObjectEvent":
        if event.parent is not None:
            raise MalformedError("an ObjectEvent has no parentID")
        if not (event.epcs or _classes(event.document, "quantityList") or event.document.get("sensorElementList")):
            raise MalformedError("an ObjectEvent names no object")
        if event.document.get("ilmd") is not None and event.action != "ADD":
            raise MalformedError("an ObjectEvent has ilmd with action ADD only")
        return
    if event.parent is None and (event.type == "AssociationEvent" or event.action != "OBSERVE"):
        raise MalformedError(f"an {event.type} with action {event.action} has a parentID")
    if not (event.epcs or _classes(event.document, "childQuantityList") or event.action == "DELETE"):
        raise MalformedError(f"an {event.type} with action {event.action} names its children")


def _text(document: dict[str, Any], key: str) -> str | None:
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 1_000:
        raise MalformedError(f"{key} is a text of at most 1,000 characters")
    return value


def _one_of(document: dict[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    value = _text(document, key)
    if value not in allowed:
        raise MalformedError(f"{key} is one of {', '.join(allowed)}")
    return value


def _time(document: dict[str, Any], key: str) -> float:
    text = _text(document, key) or ""
    if not _DATE_TIME.fullmatch(text):
        raise MalformedError(f"{key} is not a date-time with seconds and a zone: {text[:40]!r}")
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{key} is not in any calendar: {text[:40]!r}") from error


def _uri(value: Any, key: str) -> str | None:
    if value is None:
        return None
    if not is_uri(value):
        raise MalformedError(f"{key} holds what is not a URI")
    return value


def _epcs(document: dict[str, Any], key: str) -> tuple[str, ...]:
    values = document.get(key, [])
    if not isinstance(values, list) or len(values) > EPCS_MAX:
        raise MalformedError(f"{key} is a list of at most {EPCS_MAX} URIs")
    uris = tuple(uri for uri in (_uri(value, key) for value in values) if uri is not None)
    if len(uris) != len(values) or len(set(uris)) != len(uris):
        raise MalformedError(f"{key} holds a null, or one URI twice")
    return uris


def _classes(document: dict[str, Any], key: str) -> bool:
    """Whether objects are named by class: a list of quantity elements that is not empty."""
    values = document.get(key)
    if values is None:
        return False
    if not isinstance(values, list) or len(values) > EPCS_MAX:
        raise MalformedError(f"{key} is a list of at most {EPCS_MAX} quantities")
    if not all(isinstance(value, dict) and _uri(value.get("epcClass"), key) for value in values):
        raise MalformedError(f"{key} is a list of objects with an epcClass")
    return bool(values)


def _word(document: dict[str, Any], key: str, words: frozenset[str]) -> str | None:
    word = _text(document, key)
    return word if word in words else _uri(word, key)


def _place(document: dict[str, Any], key: str) -> str | None:
    place = document.get(key)
    if place is None:
        return None
    if not isinstance(place, dict) or _uri(place.get("id"), key) is None:
        raise MalformedError(f"{key} is an object with an id")
    return str(place["id"])


def _sensors(document: dict[str, Any]) -> tuple[SensorWindow, ...]:
    elements = document.get("sensorElementList", [])
    if not isinstance(elements, list) or len(elements) > EPCS_MAX:
        raise MalformedError("sensorElementList is a list")
    windows = (_sensor(element) for element in elements)
    return tuple(window for window in windows if window is not None)


def _sensor(element: Any) -> SensorWindow | None:
    """A sensorElement names its device and window in its metadata; reports alone name no readings of ours."""
    if not isinstance(element, dict) or not isinstance(element.get("sensorReport", []), list):
        raise MalformedError("a sensorElement is an object")
    metadata = element.get("sensorMetadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise MalformedError("sensorMetadata is an object")
    device = _uri(metadata.get("deviceID"), "deviceID")
    times = [metadata.get("startTime"), metadata.get("endTime")]
    if device is None or None in times:
        return None
    window = SensorWindow(device, _time(metadata, "startTime"), _time(metadata, "endTime"))
    if window.end < window.start:
        raise MalformedError("a sensorElement ends before it starts")
    return window
