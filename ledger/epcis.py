"""EPCIS 2.0 events as CBOR: the JSON binding's object, one to one (GS1 EPCIS 2.0, 10; CBV 2.0, 7)."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
_ZONE = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)")
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
    """The body of an event section, once `read` has accepted `document`; raises MalformedError."""
    read(document)
    return cbor.encode(document)


def decode(body: bytes) -> Event:
    """Read an event's body; any bytes give an Event or MalformedError."""
    if len(body) > BODY_BYTES_MAX:
        raise MalformedError("an EPCIS event over its size")
    return read(cbor.decode(body))


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
        biz_step=_biz_step(document),
        disposition=_text(document, "disposition"),
        read_point=_place(document, "readPoint"),
        biz_location=_place(document, "bizLocation"),
        sensors=_sensors(document),
        document=document,
    )
    _check_identifiers(event)
    return event


def _require_json(value: Any) -> None:
    """CBOR can hold what JSON, or PostgreSQL's jsonb, cannot: bytes, other keys, NaN, the character NUL."""
    if isinstance(value, dict):
        for key, item in value.items():
            _require_json(key if isinstance(key, str) else b"")
            _require_json(item)
    elif isinstance(value, list):
        for item in value:
            _require_json(item)
    elif isinstance(value, bytes) or (isinstance(value, str) and "\x00" in value):
        raise MalformedError("an EPCIS event holds what JSON cannot")
    elif isinstance(value, float) and not math.isfinite(value):
        raise MalformedError("an EPCIS event holds a number that is not finite")


def _check_identifiers(event: Event) -> None:
    """An event must say what it is about (EPCIS 2.0, 7.4.1 to 7.4.6)."""
    if event.type == "ObjectEvent":
        if event.parent is not None:
            raise MalformedError("an ObjectEvent has no parentID")
        if not (event.epcs or event.document.get("quantityList") or event.sensors):
            raise MalformedError("an ObjectEvent names no object")
        return
    if event.parent is None and event.action != "OBSERVE":
        raise MalformedError(f"an {event.type} with action {event.action} has a parentID")
    if not event.epcs and not event.document.get("childQuantityList") and event.action != "DELETE":
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
    try:
        moment = datetime.fromisoformat(_text(document, key) or "")
        if moment.tzinfo is None:
            raise ValueError("it has no zone")
        return moment.astimezone(UTC).timestamp()
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{key} is not a date-time with a zone: {error}") from error


def _uri(value: Any, key: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 1_000 or ":" not in value:
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


def _biz_step(document: dict[str, Any]) -> str | None:
    step = _text(document, "bizStep")
    if step is not None and step not in BIZ_STEPS and ":" not in step:
        raise MalformedError(f"bizStep {step[:40]!r} is neither the CBV's nor a URI")
    return step


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
    if not {"deviceID", "startTime", "endTime"} <= metadata.keys():
        return None
    device = _uri(metadata["deviceID"], "deviceID")
    return SensorWindow(device or "", _time(metadata, "startTime"), _time(metadata, "endTime"))
