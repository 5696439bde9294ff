"""The demo's story, as EPCIS 2.0 events: 24 items are made and packed in San Francisco, and received in Seattle.

Pure: serials and the present moment come in, events' JSON objects come out. The times are those of the replayed
recordings, which end now: `Times` says when what happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labels import gs1

GTIN = "09506000134352"  # GS1's demonstration prefix
LOT = "TALLY24"
PRODUCT = "Sample jar of honey, 250 g"
TEXT = "Blossom honey in a glass jar. It keeps best between 2 and 25 °C, away from light."
LINKS = (
    "gs1:pip=https://example.com/honey;About this honey;en",
    "gs1:consumerHandlingStorageInfo=https://example.com/honey/keeping;How to keep it;en",
)
LIMIT = "temperature=2..25 Cel"
SSCC = "095060001343520017"
ITEMS = 24
ZONE = "-08:00"
RECORDED_FROM = "2010-07-01T00:00"

FACTORY = {"id": "https://id.gs1.org/414/9506000134376", "name": "Factory, San Francisco"}
DOCK = {"id": "https://id.gs1.org/414/9506000134383", "name": "Loading dock, San Francisco"}
WAREHOUSE = {"id": "https://id.gs1.org/414/9506000134390", "name": "Warehouse, Seattle"}

HOUR = 3_600.0
MADE_ROWS, ROAD_ROWS, ARRIVAL_ROWS = 24, 24, 24  # hourly readings: at the line, from the dock on, around Seattle
TEMPERATURES = MADE_ROWS + ROAD_ROWS + ARRIVAL_ROWS
EVENTS = 6


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds since 1970. The line's readings end when the items are packed; the cargo sensor's end at `received`."""

    now: float

    @property
    def received(self) -> float:
        """The case is in Seattle: the last cargo reading's moment."""
        return self.now

    @property
    def associated(self) -> float:
        """The cargo sensor rides along: the first cargo reading's moment."""
        return self.received - (ROAD_ROWS + ARRIVAL_ROWS - 1) * HOUR

    @property
    def made_until(self) -> float:
        """The lot is complete: the line's last reading's moment."""
        return self.associated - 2 * HOUR

    @property
    def made_from(self) -> float:
        """The lot is begun: the line's first reading's moment."""
        return self.made_until - (MADE_ROWS - 1) * HOUR


def factory_events(serials: Sequence[str], times: Times, *, line: str, cargo: str) -> list[dict[str, Any]]:
    """What the production line says; `line` and `cargo` are the devices' URNs."""
    items, case = [item_epc(serial) for serial in serials], case_epc()
    return [
        _event(
            "ObjectEvent",
            "ADD",
            times.made_until,
            "commissioning",
            FACTORY,
            disposition="active",
            epcList=items,
            ilmd={"lotNumber": LOT, "cbvmda:descriptionShort": PRODUCT},
            sensorElementList=[_window(line, times.made_from, times.made_until)],
        ),
        _event("AggregationEvent", "ADD", times.made_until + HOUR, "packing", FACTORY, parentID=case, childEPCs=items),
        _event("AssociationEvent", "ADD", times.associated, "installing", DOCK, parentID=case, childEPCs=[cargo]),
    ]


def road_events(times: Times, *, cargo: str) -> list[dict[str, Any]]:
    """What the cargo sensor's own device says on the way."""
    case = case_epc()
    shipping, receiving = times.associated + HOUR / 2, times.received
    return [
        _event("ObjectEvent", "OBSERVE", shipping, "shipping", DOCK, disposition="in_transit", epcList=[case]),
        _event("ObjectEvent", "OBSERVE", receiving, "receiving", WAREHOUSE, disposition="in_progress", epcList=[case]),
        _event("AssociationEvent", "DELETE", receiving, "removing", WAREHOUSE, parentID=case, childEPCs=[cargo]),
    ]


def item_epc(serial: str) -> str:
    """The identifier of one item."""
    return gs1.item(GTIN, serial=serial).epc


def case_epc() -> str:
    """The identifier of the case."""
    return gs1.sscc(SSCC).epc


def _event(kind: str, action: str, time: float, biz_step: str, place: dict[str, str], **rest: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "action": action,
        "eventTime": iso(time),
        "eventTimeZoneOffset": ZONE,
        "bizStep": biz_step,
        "readPoint": place,
        "bizLocation": place,
        **rest,
    }


def _window(device: str, start: float, end: float) -> dict[str, Any]:
    metadata = {"deviceID": device, "startTime": iso(start), "endTime": iso(end)}
    return {"sensorMetadata": metadata, "sensorReport": [{"type": "Temperature", "deviceID": device}]}


def iso(time: float) -> str:
    """ISO 8601, in UTC."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
