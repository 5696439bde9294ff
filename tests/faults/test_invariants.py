"""The check of the world can fail: each thing that must hold is broken once, and told."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ledger import checkpoint_file
from ledger.database import connect
from ledger.receipt import Answer
from ledger.registry import REGISTRY
from ledger.statement import TELEMETRY
from tests.faults.half import Half
from tests.faults.invariants import CHAIN, Seen, Watch, check_world
from tests.running import eventually
from tests.world import World


@dataclass
class Told:
    """A small world at rest."""

    world: World
    half: Half
    seen: list[Seen] = field(default_factory=list)

    def say(self) -> None:
        """One more statement, with its receipt."""
        self.world.send(self.half.device.name, self.half.sign(now=self.world.now_ms // 1000))
        for reply in self.world.tick():
            self.half.take(reply.topic, reply.payload)

    def sql(self, statement: str) -> None:
        """What nobody may do."""
        with connect(self.world.dsn, role=None) as connection:
            connection.execute(statement.encode())

    def check(self) -> list[str]:
        return check_world(self.world.dsn, self.world.folder, [self.half], self.seen, at_rest=True)


@pytest.fixture
def told(postgres_dsn: str, tmp_path: Path) -> Iterator[Told]:
    with World(postgres_dsn, tmp_path / "ledger") as world:
        made = Told(world, Half(world.register_device("press-1"), world.trust.log(CHAIN)))
        for _ in range(3):
            made.say()
        assert made.check() == []
        yield made


def _receipt_elsewhere(told: Told) -> None:
    told.half.receipts[-1] = replace(told.half.receipts[-1], index=0)


def _receipt_of_another_history(told: Told) -> None:
    told.half.receipts[-1] = replace(told.half.receipts[-1], size=2)


def _no_such_size(told: Told) -> None:
    told.seen.append(Seen(CHAIN, 4, os.urandom(32), "the file"))


def _fork_of_the_registry(told: Told) -> None:
    published = checkpoint_file.load(told.world.folder.checkpoints, REGISTRY)
    assert published is not None
    told.seen.append(Seen(REGISTRY, published.checkpoint.size, os.urandom(32), "the file"))


SPOILS: dict[str, Callable[[Told], object]] = {
    "seq 3 is missing": lambda told: told.half.sign(now=0),
    "seq 2 was receipted as entry 0, and is not there": _receipt_elsewhere,
    "the checkpoint of size 2 in a receipt is not of this history": _receipt_of_another_history,
    "a checkpoint in the file is of size 4: so much there is not": _no_such_size,
    "registry: two roots at size": _fork_of_the_registry,
    "audit: production": lambda told: told.sql("update block set root = sha256('') where chain_id = 1 and height = 1"),
    "entry 1 is missing": lambda told: told.sql("delete from entry where entry_id = (1::bigint << 40) + 1"),
    "is 2 times in the chain": lambda told: told.sql(
        "insert into entry select entry_id + 10, stream_id, seq + 10, lines, statement_hash, leaf_hash, data"
        " from entry where entry_id = (1::bigint << 40) + 1"
    ),
    "seq 7 follows 1": lambda told: told.sql("update entry set seq = 7 where entry_id = (1::bigint << 40) + 2"),
    "entry 2 has 6 readings in the tables, not 3": lambda told: told.sql(
        "insert into reading select * from reading where entry_id = (1::bigint << 40) + 2"
    ),
    "entry 1 has 0 readings in the tables, not 3": lambda told: told.sql(
        "delete from reading where entry_id = (1::bigint << 40) + 1"
    ),
}


@pytest.mark.parametrize("complaint", SPOILS)
def test_what_is_broken_is_told(told: Told, complaint: str) -> None:
    """Of a ledger that lost, doubled, moved or forked something, the check says so."""
    SPOILS[complaint](told)
    assert any(complaint in what for what in told.check()), told.check()


def test_a_reader_sees_a_checkpoint_go_back(told: Told) -> None:
    """Whoever reads the published checkpoint notices that it is older than the one before."""
    folder = told.world.folder.checkpoints
    before = checkpoint_file.read(folder, CHAIN) or ""
    with Watch(folder) as watch:
        told.say()
        eventually(lambda: watch.size(CHAIN) == 4)
        time.sleep(0.1)
        assert watch.complaints == []
        (folder / "older").write_text(before)
        (folder / "older").replace(folder / CHAIN)
        eventually(lambda: watch.complaints == ["the published checkpoint of production went from 4 back to 3"])


def test_a_device_knows_what_the_ledger_forgot(told: Told) -> None:
    """A device to whose birth a ledger answers that it has less than it had proven, or nothing, complains."""
    half = told.half
    [less] = _answers(told)
    told.say()
    half.announce()
    half.take(half.topic.receipt(TELEMETRY), replace(Answer.decode(less), nonce=half.nonce).encode())
    half.take(half.topic.receipt(TELEMETRY), Answer(None, None, None, (), (), half.nonce).encode())
    assert [complaint.partition(": ")[2] for complaint in half.complaints] == [
        "the ledger has forgotten from seq 3 on",
        "the ledger says that it has no stream of ours",
    ]


def _answers(told: Told) -> list[bytes]:
    told.world.send(told.half.device.name, told.half.announce(), what="birth")
    return [reply.payload for reply in told.world.tick() if Answer.decode(reply.payload).receipt]
