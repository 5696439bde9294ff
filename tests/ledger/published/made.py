"""A small ledger in which everything occurs that is published in a way of its own."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from ledger import message
from ledger.block import Header
from ledger.database import connect
from ledger.published import paths
from ledger.published.blocks import decode_head
from ledger.published.database import DatabaseReader
from ledger.published.policy import Policy
from ledger.published.reader import NotPublishedError, Reader
from ledger.registry import ANCHOR
from ledger.section import Privacy
from tests.world import Device, World, event


@dataclass
class Made:
    """The ledger, its devices, and a connection to read by."""

    world: World
    press: Device
    connection: psycopg.Connection

    @property
    def origins(self) -> dict[str, str]:
        """Each chain's origin."""
        return {name: log.origin for name, log in self.world.trust.logs.items()}

    def reader(self, audience: Privacy = Privacy.PRIVATE, *public: str) -> DatabaseReader:
        """Reads it."""
        return DatabaseReader(self.connection, self.world.folder, audience, public)

    def superuser(self, query: str) -> None:
        """Do to the database what no service may."""
        with connect(self.world.dsn, role=None, autocommit=True) as connection:
            connection.execute(query.encode())

    def every_path(self, audience: Privacy = Privacy.PRIVATE, *public: str) -> list[str]:
        """All paths of the newest checkpoints that the audience may read."""
        found, policy = ["trust.json"], Policy.of(audience, public)
        for chain, origin in self.origins.items():
            try:
                header = Header.decode(decode_head(self.reader().read(f"{origin}/head")).header)
            except NotPublishedError:
                continue
            shown = policy.shows(chain)
            found += [f"{origin}/checkpoint", f"{origin}/head"]
            found += [
                place.path
                for place in paths.places(
                    origin, header.size, header.height + 1, entries=shown, content=shown and chain != ANCHOR
                )
            ]
        return found


def make(dsn: str, folder: Path, *, statements: int = 260) -> Made:
    """`statements` and 30 on production with private readings, a block each; one lacks its section; one elsewhere."""
    world = World(dsn, folder)
    press = world.register_device("press-1", chains=("production", "logistics"))
    for number in range(statements):
        world.publish(press, press.readings(20.0 + number))
        world.tick()
    for number in range(30):
        world.publish(press, press.readings(float(number)))
    world.tick()
    _publish_without_its_section(world, press)
    world.publish(press, event("https://id.gs1.org/01/09506000134352/21/A1"), chain="logistics")
    world.tick()
    return Made(world, press, connect(dsn, autocommit=True))


def _publish_without_its_section(world: World, press: Device) -> None:
    statement, payload = world.sign(press, [press.readings(1.0)], tally=press.next_tally("production", 1))
    press.heads["production", 1] = statement
    world.send("press-1", message.encode(message.decode(payload).statement, [None]))


def everything(reader: Reader, found: list[str]) -> dict[str, bytes]:
    """What a reader has at each path."""
    return {path: reader.read(path) for path in found}


class Copy:
    """Everything of a reader, to be spoiled."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes:
        """What is there."""
        if path not in self.files:
            raise NotPublishedError("it is not there")
        return self.files[path]

    def flip(self, path: str, at: int) -> None:
        """Turn one bit over, at a byte of the file."""
        data = bytearray(self.files[path])
        data[at] ^= 1
        self.files[path] = bytes(data)
