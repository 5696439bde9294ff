"""The demo's story, told to a ledger without a broker: a lot is made, packed, shipped and received."""

import csv
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import deploy.story as told
from deploy.postgres import Postgres
from labels import gs1, listed
from labels.batch import Label
from labels.book import IssuedBatch
from labels.issuing.issue import issue
from labels.issuing.keys import make_key
from labels.issuing.order import Order, Random
from ledger import epcis, senml
from ledger.author import Content
from ledger.database import connect
from ledger.section import ContentFormat, Privacy
from tests.world import Device, World

GTIN, LOT = told.GTIN, told.LOT
CARRIER = "https://carrier.example.com"
RECORDED = Path(told.__file__).parent / "data"
PACK = 6


@dataclass(frozen=True)
class Issued:
    """A batch whose registry entry is published, and its labels in order."""

    batch: IssuedBatch
    labels: tuple[Label, ...]


@dataclass
class Story:
    """A world, its two devices, and the labels of a lot."""

    world: World
    line: Device
    cargo: Device
    issued: Issued
    times: told.Times = field(default_factory=lambda: told.Times(round(time.time(), 3)))

    @property
    def labels(self) -> tuple[Label, ...]:
        """The lot's labels."""
        return self.issued.labels

    def link(self, number: int = 0) -> gs1.DigitalLink:
        """The link of a label."""
        return gs1.parse(self.labels[number].link("id.example.com"))

    def tell(self, *, change: Any = lambda event: event) -> None:
        """All events and readings of the story; `change` may alter each event."""
        serials = [gs1.parse(label.link("id.example.com")).serial or "" for label in self.labels]
        self.say(
            self.line, "production", told.factory_events(serials, self.times, line=self.line.urn, cargo=self.cargo.urn),
            change,
        )  # fmt: skip
        self.report(self.line, "production", "sf-temps.csv", "San Francisco", "2010-07-01", self.times.made_from, 24)
        self.report(self.cargo, "logistics", "sf-temps.csv", "San Francisco", "2010-07-02", self.times.associated, 24)
        arrival = self.times.associated + 24 * told.HOUR
        self.report(self.cargo, "logistics", "seattle-temps.csv", "Seattle", "2010-07-03", arrival, 24)
        self.say(self.cargo, "logistics", told.road_events(self.times, cargo=self.cargo.urn), change)
        self.world.tick()

    def say(
        self, device: Device, chain: str, events: Sequence[dict[str, Any]], change: Any = lambda event: event
    ) -> None:
        """Sign and send events, one statement each."""
        for event in events:
            self.world.publish(device, public_event(change(event)), chain=chain)

    def report(
        self, device: Device, chain: str, file: str, place: str, day: str, start: float, rows: int, *,
        spacing: float = told.HOUR,
    ) -> None:  # fmt: skip
        """Replay recorded temperatures, in packs that say so."""
        recorded = _recorded(file, day, rows)
        for first in range(0, rows, PACK):
            chunk = recorded[first : first + PACK]
            readings = [
                senml.Reading(f"{device.urn}:temperature", "Cel", start + (first + n) * spacing, value)
                for n, (_, value) in enumerate(chunk)
            ]
            note = f"recorded {_zoned(chunk[0][0])} to {_zoned(chunk[-1][0])} by NOAA, {place}; replayed"
            readings.append(senml.Reading(f"{device.urn}:replay", "", readings[0].time, note))
            self.world.publish(device, public_pack(device, readings), chain=chain)


def public_pack(device: Device, readings: Sequence[senml.Reading]) -> Content:
    """A public pack of readings."""
    return Content(Privacy.PUBLIC, ContentFormat.SENML_CBOR, senml.encode(readings, base_name=f"{device.urn}:"))


def public_event(document: dict[str, Any]) -> Content:
    """A public event."""
    return Content(Privacy.PUBLIC, ContentFormat.EPCIS, epcis.encode(document))


@contextmanager
def telling(postgres: Postgres, name: str, folder: Path, change: Any = lambda event: event) -> Iterator[Story]:
    """The story told to the end, in a database `name` of its own and the data folder `folder`."""
    made = make_story(postgres.create_database(name), folder / "ledger")
    try:
        made.tell(change=change)
        yield made
    finally:
        made.world.close()
        postgres.drop_database(name)


def make_story(dsn: str, folder: Path, *, count: int = 24) -> Story:
    """A world with devices, a label key and an issued lot; nothing is told of it yet."""
    world = World(dsn, folder)
    world.operator_says({"type": "organisation", "uri": CARRIER, "name": "Carrier Ltd"})
    line = world.register_device("line-1")
    cargo = world.register_device("cargo-7", chains=["logistics"], organisation=CARRIER)
    key = while_ticking(world, lambda: make_key(world.folder, dsn, gtins=[GTIN], days=30, timeout_s=20))
    issued = issue_lot(world, count, key_file=key.file)
    return Story(world, line, cargo, issued)


def issue_lot(world: World, count: int, **more: Any) -> Issued:
    """Issue labels while the world's gateway runs."""
    order = Order(**{"gtin": GTIN, "lot": LOT, "source": Random(count), **more})
    found: IssuedBatch = while_ticking(world, lambda: issue(world.folder, world.dsn, order, timeout_s=20))
    with connect(world.dsn) as connection:
        return Issued(found, tuple(listed.batch_labels(connection, found.batch.root)))


def while_ticking(world: World, work: Any) -> Any:
    """Do `work` in a thread while the world's gateway seals; returns or raises what it does."""
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["value"] = work()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        world.tick()
        thread.join(0.02)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _recorded(file: str, day: str, rows: int) -> list[tuple[datetime, float]]:
    with (RECORDED / file).open() as lines:
        all_rows = [(datetime.fromisoformat(row["date"]), float(row["temp"])) for row in csv.DictReader(lines)]
    first = next(n for n, (moment, _) in enumerate(all_rows) if moment.isoformat().startswith(day))
    return [(moment, round((value - 32) / 1.8, 2)) for moment, value in all_rows[first : first + rows]]


def _zoned(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes") + told.ZONE
