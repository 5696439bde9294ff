"""The sealing matrix: {each step of sealing} x {failed before it took hold, failed after}, on a real PostgreSQL.

After each the chain is opened anew, the devices send again what was not proven to them, and the whole world is
checked from outside. The first block of a chain fails in one way, the second in the other.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.postgres import Postgres
from gateway import quarantine
from gateway.findings import Voice
from ledger import checkpoint_file, seal
from ledger.author import Content
from ledger.database import connect
from ledger.projection.tables import Projection
from ledger.registry import ANCHOR, REGISTRY
from ledger.seal import ChainWriter
from ledger.section import ContentFormat, Privacy
from ledger.statement import EVENTS
from tests.faults.commits import CommitCutter, Cut
from tests.faults.half import Half
from tests.faults.invariants import CHAIN, Seen, check_world
from tests.faults.relay import Background
from tests.world import Device, World

BEFORE, AFTER = "before", "after"
Failing = Callable[[pytest.MonkeyPatch, str], AbstractContextManager[None]]


class Failed(OSError):
    """What we make a step fail with; the gateway takes it for the world's fault."""


def _failing(
    owner: object, name: str, applies: Callable[..., bool] = lambda *args, **named: True
) -> Callable[[pytest.MonkeyPatch, str], None]:
    """Makes the function `name` of `owner` fail before it does anything, or when it has done all."""
    original = getattr(owner, name)

    def make(patch: pytest.MonkeyPatch, when: str) -> None:
        def fails(*args: Any, **named: Any) -> Any:
            fits = applies(*args, **named)
            result = original(*args, **named) if when == AFTER or not fits else None
            if fits:
                raise Failed(errno.ENOSPC, f"{name} failed {when} it took hold")
            return result

        patch.setattr(owner, name, fails)

    return make


def _is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


WRITER_STEPS = {
    "entries": _failing(ChainWriter, "_copy_entries"),
    "tiles": _failing(ChainWriter, "_insert_tiles"),
    "block": _failing(ChainWriter, "_insert_block"),
    "checkpoint": _failing(checkpoint_file, "write"),
    "checkpoint-write": _failing(os, "fsync", lambda descriptor: not _is_folder(descriptor)),
    "checkpoint-rename": _failing(Path, "replace"),
    "checkpoint-folder": _failing(os, "fsync", _is_folder),
}
CHAIN_STEPS = WRITER_STEPS | {
    "streams": _failing(ChainWriter, "_insert_streams"),
    "sections": _failing(seal, "copy_sections"),
    "projection": _failing(Projection, "write"),
    "findings": _failing(Voice, "report"),
    "quarantine": _failing(quarantine, "write", lambda connection, specimens: bool(specimens)),
}


class Telling:
    """Two devices whose content is sound, and one that says what cannot be read and sends garbage."""

    def __init__(self, world: World) -> None:
        self.world, devices = world, [Device(f"press-{number}") for number in range(3)]
        world.operator_says(*(device.registration for device in devices))
        self.halves = [Half(device, world.trust.log(CHAIN)) for device in devices[:2]]
        self._odd, self._odd_messages = devices[2], list[bytes]()
        self.checkpoints: list[Seen] = []

    def sign(self, count: int) -> None:
        """Everybody says something more."""
        for half in self.halves:
            for _ in range(count):
                half.sign(now=self.world.now_ms // 1000)
        unreadable = Content(Privacy.PUBLIC, ContentFormat.SENML_CBOR, b"\xff")
        tally = self._odd.next_tally(CHAIN, EVENTS)
        statement, payload = self.world.sign(self._odd, [unreadable], tally=tally)
        self._odd.heads[CHAIN, EVENTS] = statement
        self._odd_messages.append(payload)

    def send(self) -> None:
        """Everybody sends what they hold; the odd one all that it ever said, and garbage."""
        for half in self.halves:
            for payload in half.held.values():
                self.world.send(half.device.name, payload)
        for payload in (*self._odd_messages, b"\xff"):
            self.world.send(self._odd.name, payload)

    def seal(self) -> None:
        """A block; what is published reaches the devices, and readers look at the checkpoint."""
        replies = self.world.tick(anchored=False)
        for half in self.halves:
            for reply in replies:
                if reply.topic.split("/")[3] == half.device.name:
                    half.take(reply.topic, reply.payload)
        self.look()

    def look(self) -> None:
        """See what is published, whatever has failed."""
        for chain in (CHAIN, REGISTRY, ANCHOR):
            if (published := checkpoint_file.load(self.world.folder.checkpoints, chain)) is not None:
                found = published.checkpoint
                self.checkpoints.append(Seen(chain, found.size, found.root, "the file"))

    def must_be_whole(self) -> None:
        """All is proven to the devices, and the world is as it should be."""
        assert [half.complaints for half in self.halves] == [[], []]
        assert not any(half.held for half in self.halves), "all is proven"
        assert check_world(self.world.dsn, self.world.folder, self.halves, self.checkpoints, at_rest=True) == []
        assert self._findings() == len(self._odd_messages), "each unreadable statement is one finding"

    def _findings(self) -> int:
        with connect(self.world.dsn) as connection:
            [[count]] = connection.execute("select count(*) from finding").fetchall()
        return int(str(count))


@pytest.fixture
def told(postgres_dsn: str, tmp_path: Path) -> Iterator[Telling]:
    with World(postgres_dsn, tmp_path / "ledger") as world:
        yield Telling(world)


def _recover(told: Telling) -> None:
    """As after any error: the chains are opened anew, and all is sent again; then the findings are sealed too."""
    told.look()
    told.world.close()
    told.send()
    told.seal()
    told.world.tick()
    told.must_be_whole()


CASES = [
    *((step, (BEFORE, AFTER)) for step in CHAIN_STEPS),
    *((step, (AFTER, BEFORE)) for step in ("checkpoint-write", "checkpoint-rename")),  # a first one is another
]


@pytest.mark.parametrize(("step", "order"), CASES)
def test_a_step_of_a_chains_sealing_fails(
    told: Telling, step: str, order: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step fails, and whether or not it had taken hold, nothing is lost, twice, or forked."""
    for when in order:
        told.sign(130 if step == "tiles" else 3)
        told.send()
        with monkeypatch.context() as patch, pytest.raises(Failed, match=f"failed {when} it took hold"):
            CHAIN_STEPS[step](patch, when)
            told.seal()
        _recover(told)


@pytest.mark.parametrize("step", ["block", "checkpoint-write", "checkpoint-rename", "checkpoint-folder"])
def test_a_step_of_the_anchors_sealing_fails(told: Telling, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The anchor's sealing may fail at any step as well: every block is anchored once, in order."""
    for when in (BEFORE, AFTER):
        told.sign(2)
        told.send()
        told.seal()
        with monkeypatch.context() as patch, pytest.raises(Failed, match=f"failed {when} it took hold"):
            WRITER_STEPS[step](patch, when)
            told.world.anchor.take()
        _recover(told)


def test_the_receipts_of_a_block_fail(told: Telling) -> None:
    """The gateway dies before it publishes a block's receipts, or just after."""
    for seal_and_publish in (lambda: told.world.tick(anchored=False), told.seal):
        told.sign(3)
        told.send()
        seal_and_publish()
        _recover(told)


@pytest.fixture
def cutter(postgres_server: Postgres) -> Iterator[CommitCutter]:
    """A relay before the session's PostgreSQL that cuts at COMMIT."""
    background, relay = Background(), CommitCutter(postgres_server.socket / ".s.PGSQL.5432")
    background.run(relay.start())
    yield relay
    background.run(relay.stop())
    background.close()


@contextmanager
def _through(world: World, cutter: CommitCutter) -> Iterator[None]:
    """The world's sessions go through the relay."""
    direct = world.dsn
    world.dsn = psycopg.conninfo.make_conninfo(
        direct, host="127.0.0.1", port=cutter.port, sslmode="disable", gssencmode="disable"
    )
    yield
    world.dsn = direct


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER, Cut.BETWEEN])
def test_the_outcome_of_a_commit_is_unknown(told: Telling, cutter: CommitCutter, cut: Cut) -> None:
    """The session ends at COMMIT, which has taken hold, or not, or nobody knows: the chain's, then the anchor's."""
    for chain in (CHAIN, ANCHOR):
        told.sign(3)
        told.send()
        told.world.close()
        with _through(told.world, cutter):
            if chain == ANCHOR:
                told.seal()
            cutter.order(cut)
            with pytest.raises(psycopg.OperationalError):
                told.world.anchor.take() if chain == ANCHOR else told.seal()
            told.world.close()
        _when_free(told)
    assert cutter.cuts == [cut, cut]


def _when_free(told: Telling) -> None:
    """The old session may still hold its lock for a moment: a gateway that meets it tries again, as the world does."""
    for chain in (CHAIN, REGISTRY):
        told.world.chain(chain)
    told.world.anchor.take()
    _recover(told)
