"""How events, things, places and moments are told to a person. Pure; what it returns is text, not markup."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from labels import gs1
from ledger.epcis import Event

TEXT_MAX = 120
_UNITS = {"Cel": "°C", "%RH": "% RH", "/": "", "1": "", "By": "bytes", "B": "bytes"}
_STEPS = {
    "commissioning": "Made",
    "packing": "Packed",
    "unpacking": "Unpacked",
    "loading": "Loaded",
    "unloading": "Unloaded",
    "shipping": "Shipped",
    "departing": "Departed",
    "arriving": "Arrived",
    "receiving": "Received",
    "storing": "Stored",
    "stocking": "Stocked",
    "transporting": "On its way",
    "inspecting": "Inspected",
    "accepting": "Accepted",
    "retail_selling": "Sold",
    "destroying": "Destroyed",
    "decommissioning": "Taken out of use",
    "installing": "Installed",
    "removing": "Removed",
    "sensor_reporting": "Sensor reported",
    "holding": "Held",
    "staging_outbound": "Ready to ship",
}
_CHANGES = {
    ("AssociationEvent", "ADD"): "Sensor attached",
    ("AssociationEvent", "DELETE"): "Sensor taken off",
    ("AggregationEvent", "ADD"): "Packed",
    ("AggregationEvent", "DELETE"): "Unpacked",
}
_DISPOSITIONS = {"active": "", "in_progress": "", "in_transit": "in transit"}
_RECORDED = re.compile(r"recorded (?P<start>\S+(?P<offset>[+-][0-9]{2}:[0-9]{2})) to (?P<end>\S+(?P=offset))(?= by )")
_KINDS = {"00": "shipping unit", "01": "item", "8003": "returnable asset", "8004": "asset"}


def title(event: Event) -> str:
    """What happened, in a word or two."""
    if event.type == "AssociationEvent" and (event.type, event.action) in _CHANGES:
        return _CHANGES[event.type, event.action]
    step = (event.biz_step or "").rpartition("BizStep-")[2].rpartition(":")[2]
    if step:
        return _STEPS.get(step, clipped(step.replace("_", " ")).capitalize())
    return _CHANGES.get((event.type, event.action), "Seen" if event.action == "OBSERVE" else "Recorded")


def disposition(event: Event) -> str:
    """In what state it was, if that is worth a word."""
    text = (event.disposition or "").rpartition("Disp-")[2].rpartition(":")[2]
    return _DISPOSITIONS.get(text, clipped(text.replace("_", " ")))


def thing(uri: str) -> str:
    """A thing by its identifier as GS1 has it read, `(00) 095…`; any other identifier as it stands."""
    try:
        link = gs1.parse(uri)
    except gs1.Gs1Error:
        return clipped(uri)
    return clipped(" ".join(f"({ai}) {value}" for ai, value in link.keys))


def kind(uri: str) -> str:
    """What sort of thing an identifier names."""
    try:
        return _KINDS.get(gs1.parse(uri).keys[0][0], "container")
    except gs1.Gs1Error:
        return "container"


def place(document: dict[str, Any]) -> tuple[str, str]:
    """Where it happened: a name, or "", and an identifier, or ""."""
    for key in ("readPoint", "bizLocation"):
        found = document.get(key)
        if isinstance(found, dict) and isinstance(found.get("id"), str):
            names = (found.get("name"), found.get("tallystick:place"), document.get("tallystick:place"))
            return next((clipped(name) for name in names if isinstance(name, str)), ""), clipped(found["id"])
    return "", ""


def product(document: dict[str, Any]) -> str:
    """The product's name, where the event that made the item says it (CBV 2.0, 9.2), or ""."""
    ilmd = document.get("ilmd")
    found = {**document, **ilmd} if isinstance(ilmd, dict) else document
    for key in ("cbvmda:descriptionShort", "descriptionShort", "tallystick:product"):
        if isinstance(name := found.get(key), str) and name.strip():
            return clipped(name.strip())
    return ""


def moment(time: float, offset: str = "+00:00") -> str:
    """`2 Jul 2026, 14:30 (UTC-08:00)`: a time where it happened."""
    local = _moment(time, offset)
    return f"{local.day} {local:%b %Y, %H:%M} ({zone(offset)})"


def span(start: float, end: float, offset: str) -> str:
    """From one time to another, on one clock, which is named once."""
    return f"{moment(start, offset).removesuffix(f' ({zone(offset)})')} to {moment(end, offset)}"


def replayed(note: str) -> str:
    """A note `recorded START to END by …`, its times as people write them; any other note as it stands."""
    if (found := _RECORDED.match(note)) is None:
        return note
    try:
        start, end = (datetime.fromisoformat(found[name]).timestamp() for name in ("start", "end"))
    except ValueError:
        return note
    return f"recorded {span(start, end, found['offset'])}{note[found.end() :]}"


def day(text: str) -> str:
    """`26 Nov 2026`: a day of ISO 8601."""
    found = date.fromisoformat(text)
    return f"{found.day} {found:%b %Y}"


def iso(time: float) -> str:
    """The same for machines: RFC 3339, in UTC."""
    return _moment(time, "+00:00").isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unit(text: str) -> str:
    """A SenML unit as people write it."""
    return _UNITS.get(text, text)


def metric(name: str) -> str:
    """A metric's name as people write it."""
    return clipped(name.replace("_", " ").replace(":", " · "))


def mistake(error: gs1.Gs1Error) -> str:
    """What is wrong with a link, without the place in a text that the person may not have written so."""
    return str(error).rpartition(" (at character ")[0]


def clipped(text: str) -> str:
    """Outside text, at most so long, and on one line."""
    line = "".join(char if char.isprintable() else " " for char in text[: TEXT_MAX + 1])
    return line if len(line) <= TEXT_MAX else line[: TEXT_MAX - 1] + "…"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 reading`, `2 readings`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _moment(time: float, offset: str) -> datetime:
    try:
        return datetime.fromtimestamp(time, UTC).astimezone(timezone(timedelta(seconds=shift_s(offset))))
    except (ValueError, OverflowError, OSError):  # at the calendar's ends
        return datetime.fromtimestamp(min(max(time, 86400.0), 253_402_128_000.0), UTC)


def shift_s(offset: str) -> int:
    """By how many seconds a clock with an EPCIS offset is ahead of UTC."""
    return (int(offset[1:3]) * 3600 + int(offset[4:6]) * 60) * (-1 if offset[0] == "-" else 1)


def zone(offset: str) -> str:
    """An EPCIS offset as people write it: `UTC\N{MINUS SIGN}08:00`."""
    return "UTC" if offset[1:] == "00:00" else f"UTC{offset}".replace("-", "\N{MINUS SIGN}")
