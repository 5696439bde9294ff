"""A device, the real gateway and a real database that is replaced by an older one: what was lost, and what goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.agent import Agent, Mouth
from edge.clock import Moment
from edge.config import Config
from edge.confirm import Device
from edge.publisher import Arrived, Connected
from edge.signer import Signer
from edge.spool import Spool
from ledger import checkpoint_file, stream
from ledger.audit import walk
from ledger.audit.database import DatabaseSource
from ledger.backup import backup, restore
from ledger.database import connect
from ledger.rollback import accept
from ledger.section import Privacy, Section
from ledger.statement import TELEMETRY
from ledger.topic import Topic
from tests.edge.simulator import Script
from tests.world import ORGANISATION, START_MS, World
from tests.world import Device as Registered

NAME = "press-1"


class Wired:
    """An agent whose broker is a call: what it sends, the world's gateway takes at its next tick."""

    def __init__(self, world: World, folder: Path, *, packs: int) -> None:
        self.world, self.made = world, Registered(NAME)
        world.operator_says(self.made.registration)
        text = f'[device]\nname = "{NAME}"\nurn = "{self.made.urn}"\norganisation = "{ORGANISATION}"\n'
        self.config = Config.parse(text + 'chain = "production"\n[spool]\nwindow = 8\n', folder / "config.toml")
        self.now, log = Moment(START_MS / 1000, 1_000), world.trust.log("production")
        self.spool = Spool(folder / "spool.sqlite")
        signer = Signer(
            key=self.made.key,
            issuer=ORGANISATION,
            subject=self.made.urn,
            audience=log.origin,
            spool=self.spool,
            bytes_max=1 << 20,
            clock_quality=lambda _: 2,
        )
        self.agent = Agent(
            self.config,
            spool=self.spool,
            signer=signer,
            device=Device(self.made.key.kid, self.made.urn, log, world.trust.genesis),
            post=self,
            mouths=[Mouth("script", Privacy.PUBLIC, Script(packs, self.now.ticks_ms))],
            now=self.now,
        )
        self.agent.take(Connected(), self.now)

    def publish(self, topic: str, payload: bytes) -> bool:
        _, what = Topic.parse(topic)
        self.world.send(NAME, payload, what=what)
        return True

    def run(self, ms: int) -> None:
        """Let time pass, a tenth of a second at a time."""
        end = self.now.ticks_ms + ms
        while self.now.ticks_ms < end:
            self.agent.turn(self.now)
            for reply in self.world.tick(100):
                self.agent.take(Arrived(reply.topic, reply.payload), self.now)
            self.now = Moment(self.now.wall_s + 0.1, self.now.ticks_ms + 100)

    def drain(self) -> None:
        """Run until all is proven."""
        end = self.now.ticks_ms + 200_000
        while not self.agent.is_drained:
            assert self.now.ticks_ms < end, self.agent.counts
            self.run(100)


def values(world: World) -> list[float]:
    """The readings in the tables, in order."""
    with connect(world.dsn) as connection:
        return [row[0] for row in connection.execute("select value from reading order by value")]


@pytest.mark.parametrize("reconnects", [False, True])
def test_a_device_goes_on_after_an_accepted_rollback(
    fresh_database: Callable[[], str], tmp_path: Path, reconnects: bool
) -> None:
    """What it had a receipt for and was lost stays lost, and its new stream says so; all that it says later arrives."""
    with World(fresh_database(), tmp_path / "data" / "ledger") as world:
        wired = Wired(world, tmp_path, packs=40)
        wired.run(1_000)
        backup.make(tmp_path / "backup", world.folder, world.dsn)
        kept = values(world)
        wired.run(1_000)
        receipted, before = values(world), wired.spool.open_stream(TELEMETRY)
        assert before is not None and len(receipted) > len(kept) >= 5
        _roll_back(world, fresh_database(), tmp_path / "backup")
        if reconnects:
            wired.agent.take(Connected(), wired.now)
        wired.drain()
        lost = set(receipted) - set(kept)
        assert values(world) == [value for value in map(float, range(1, 41)) if value not in lost]
        said = _newest_opening(world)
        assert (said.reason, said.previous and said.previous[0]) == ("lost", before.name)
        with connect(world.dsn) as connection:
            report = walk.audit(DatabaseSource(connection, world.folder), world.trust)
        assert report.ok and report.count("lacking") == 0
        wired.spool.close()


def _roll_back(world: World, dsn: str, source: Path) -> None:
    world.close()
    world.dsn = dsn
    restore.restore(source, world.folder, dsn)
    named = {item.chain: (item.state[0], item.state[1].hex()) for item in accept.look(world.folder, dsn)}
    accept.accept(world.folder, dsn, named, reason="the disk is gone", timeout_s=1)
    assert checkpoint_file.load(world.folder.checkpoints, "production") is not None


def _newest_opening(world: World) -> stream.Opening:
    with connect(world.dsn) as connection:
        rows = connection.execute(
            """select data from section join chain c on c.chain_id = entry_id >> 40
                where c.name = 'production' and content_format = 65000 order by entry_id desc limit 1"""
        ).fetchall()
    found = stream.decode(Section.decode(bytes(rows[0][0])).body)
    assert isinstance(found, stream.Opening)
    return found
