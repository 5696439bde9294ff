"""What a device reads."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge import confirm, event_file
from edge.clock import Moment
from edge.config import Config
from edge.options import Table
from edge.sensors import Setup
from edge.sensors.csv import CsvSensor
from ledger.errors import TrustError, UserError
from tests import cast, rooted, seeds
from tests.decoders.target import Target, folder, of_bytes, of_file, of_text
from tests.edge.given import NothingSpooled

_DEVICE = confirm.Device(cast.DEVICE.kid, cast.URN, seeds.PRODUCTION, rooted.pin(seeds.ROOTED))
_NOW = Moment(1_750_000_000.0, 0)


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_bytes(
        "edge.confirm.judge",
        lambda data: confirm.judge(data, lane=1, device=_DEVICE, view=NothingSpooled()),
        (),
        *seeds.ANSWERS,
    )
    first = replace(_DEVICE, log=seeds.TRUST.log("production"))
    yield of_bytes("edge.confirm.learn", lambda data: confirm.learn(data, first), TrustError, *seeds.ANSWERS)
    yield of_bytes(
        "edge.confirm.judge_refusal",
        lambda data: confirm.judge_refusal(data, lane=1, device=_DEVICE),
        (),
        *seeds.REFUSALS,
    )
    yield of_text(
        "edge.config.Config.parse",
        lambda text: Config.parse(text, Path("/nowhere/config.toml")),
        UserError,
        seeds.CONFIG,
    )
    yield of_file("edge.config.Config.load", lambda path: Config.load(path.parent), seeds.CONFIG, file="config.toml")
    yield of_file("edge.sensors.csv.CsvSensor", _csv, seeds.CSV)
    yield of_text("edge.sensors.csv.CsvSensor cursor", _cursor, UserError, '{"row": 1, "at": 1750000000.0}')
    yield of_file("edge.event_file.read", event_file.read, seeds.EVENT_JSON, f"[{seeds.EVENT_JSON}]")
    yield of_file(
        "edge.event_file.body",
        lambda path: [event_file.body(item, 1) for item in event_file.read(path)],
        seeds.EVENT_JSON,
    )


def _csv(path: Path) -> list[Any]:
    options = Table("sensor t", {"file": str(path), "metric": "t", "pack": 100}, path)
    sensor, packs = CsvSensor(Setup("t", options, None, _NOW)), list[Any]()
    while sensor.due_ms is not None and len(packs) < 10:
        packs.append(sensor.read(_NOW))
    return packs


def _cursor(text: str) -> CsvSensor:
    path = folder() / "cursor.csv"
    path.write_text(seeds.CSV)
    return CsvSensor(Setup("t", Table("sensor t", {"file": str(path)}, path), text, _NOW))
