"""A writer that stood still, lost its chain to another, and wakes up in the middle of publishing."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.chain import GatewayChain
from ledger import checkpoint_file
from ledger.errors import UserError
from ledger.registry import REGISTRY
from tests.faults.half import Half
from tests.faults.invariants import CHAIN, check_world
from tests.world import World


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


def test_the_published_checkpoint_does_not_go_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a writer committed before it lost its session, it does not publish over what its successor published."""
    half = Half(world.register_device("press-1"), world.trust.log(CHAIN))
    write = checkpoint_file.write

    def be_overtaken(folder: Path, chain: str, text: str) -> None:
        monkeypatch.setattr(checkpoint_file, "write", write)
        world.chain(CHAIN).close()  # as the server ends the session of a gateway that stands still
        successor = GatewayChain(world.dsn, chain=CHAIN, folder=world.folder, now_ms=lambda: world.now_ms)
        _say(world, half)
        successor.take(world._incoming.pop(CHAIN))
        successor.close()
        write(folder, chain, text)

    _say(world, half)
    monkeypatch.setattr(checkpoint_file, "write", be_overtaken)
    with pytest.raises(UserError, match="a checkpoint of 1 entries comes after the published one of 2"):
        world.tick()
    world.close()
    for payload in half.held.values():
        world.send("press-1", payload)
    [reply] = world.tick()
    half.take(reply.topic, reply.payload)
    assert half.proven == {0, 1}
    assert check_world(world.dsn, world.folder, [half], [], at_rest=True) == []


def _say(world: World, half: Half) -> None:
    world.send(half.device.name, half.sign(now=world.now_ms // 1000))


def test_two_roots_of_one_size_are_not_published(world: World) -> None:
    """Whoever has another root for the published size is not let over it; the same checkpoint may come again."""
    published = checkpoint_file.read(world.folder.checkpoints, REGISTRY) or ""
    checkpoint_file.write(world.folder.checkpoints, REGISTRY, published)
    with pytest.raises(UserError, match="comes after the published one"):
        checkpoint_file.write(world.folder.checkpoints, REGISTRY, _with_another_root(published))
    assert checkpoint_file.read(world.folder.checkpoints, REGISTRY) == published


def _with_another_root(published: str) -> str:
    origin, size, _, rest = published.split("\n", 3)
    return "\n".join((origin, size, "A" * 43 + "=", rest))


def test_two_do_not_publish_at_once(world: World) -> None:
    """While one is publishing a chain's checkpoint, another is told so, and does not wait for one that stands still."""
    published = checkpoint_file.read(world.folder.checkpoints, REGISTRY) or ""
    with (world.folder.checkpoints / f".{REGISTRY}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process is publishing its checkpoint"):
            checkpoint_file.write(world.folder.checkpoints, REGISTRY, published)


def test_the_disk_holds_nobody_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one waits for the disk, with the file or with the folder, another publishes."""
    folder, fsync = world.folder.checkpoints, os.fsync
    published = checkpoint_file.read(folder, REGISTRY) or ""
    between = list[str]()

    def slow(handle: int) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            checkpoint_file.write(folder, REGISTRY, published)
        between.append("published")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    checkpoint_file.write(folder, REGISTRY, published)
    assert between == ["published"] * 2


def test_what_is_being_written_is_not_cleared(world: World) -> None:
    """One who publishes leaves the file of another, who has begun and not yet published, where it is."""
    folder = world.folder.checkpoints
    with (folder / f".{REGISTRY}.0badcafe.new").open("w") as new:
        fcntl.flock(new, fcntl.LOCK_EX)
        checkpoint_file.write(folder, REGISTRY, checkpoint_file.read(folder, REGISTRY) or "")
        assert Path(new.name).exists()
    checkpoint_file.write(folder, REGISTRY, checkpoint_file.read(folder, REGISTRY) or "")
    assert not Path(new.name).exists()


def test_what_a_killed_writer_left_is_cleared(world: World) -> None:
    """A file that was begun and never published goes with the next checkpoint, and with a failed one its own."""
    folder = world.folder.checkpoints
    before = sorted(path.name for path in folder.iterdir())
    (folder / f".{REGISTRY}.0badcafe.new").write_text("half")
    published = checkpoint_file.read(folder, REGISTRY) or ""
    checkpoint_file.write(folder, REGISTRY, published)
    with pytest.raises(UserError):
        checkpoint_file.write(folder, REGISTRY, _with_another_root(published))
    assert sorted(path.name for path in folder.iterdir()) == before
