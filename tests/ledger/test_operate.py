"""The operator's entries: what `post` says is what the registry has published."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import checkpoint_file, operate
from ledger.database import connect
from ledger.errors import UserError
from ledger.registry import REGISTRY, Registry
from tests.world import Device, World, ticking


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


def post(world: World, *entries: dict[str, Any], timeout_s: float = 10) -> Registry:
    return operate.post(world.folder, world.dsn, entries, timeout_s=timeout_s)


def test_what_is_posted_is_in_the_registry_that_comes_back(world: World) -> None:
    """Entries are awaited until they are published, all of them."""
    devices = [Device(f"press-{number}") for number in range(3)]
    with ticking(world):
        registry = post(world, *(device.registration for device in devices))
    assert all(registry.is_good(device.key.kid) for device in devices)


def test_sealed_is_not_yet_published(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a block's COMMIT and its checkpoint file an entry has left the inbox: nobody is told that it is there."""
    write, press = checkpoint_file.write, Device("press-1")

    def slowly(folder: Path, chain: str, text: str) -> None:
        time.sleep(0.5)
        write(folder, chain, text)

    monkeypatch.setattr(checkpoint_file, "write", slowly)
    with ticking(world):
        assert post(world, press.registration).is_good(press.key.kid)


def test_an_entry_that_comes_too_late_is_refused(world: World) -> None:
    """Two operators give one name to two keys at once: the second is told that the registry has refused it."""
    first, second = Device("press-1"), Device("press-1")
    outcomes: dict[bytes, str] = {}

    def ask(device: Device) -> None:
        try:
            outcomes[device.key.kid] = str(post(world, device.registration).is_good(device.key.kid))
        except UserError as error:
            outcomes[device.key.kid] = str(error)

    threads = [threading.Thread(target=ask, args=[device]) for device in (first, second)]
    for thread in threads:
        thread.start()
    with connect(world.dsn, autocommit=True) as connection:
        while connection.execute("select count(*) from inbox where seq > 0").fetchone() != (2,):
            time.sleep(0.02)
    with ticking(world):
        for thread in threads:
            thread.join()
    good, refused = sorted(outcomes.values(), reverse=True)[-1], sorted(outcomes.values(), reverse=True)[0]
    assert good == "True"
    assert refused == "the registry has refused this: the name 'press-1' has a key already; revoke it first"


def test_a_statement_that_the_gateway_refuses_is_not_taken_for_sealed(world: World) -> None:
    """A statement that left the inbox and is in no chain was refused."""
    press = Device("press-1")

    def refuse() -> None:
        with connect(world.dsn, autocommit=True) as connection:
            while not connection.execute("delete from inbox where seq > 0").rowcount:
                time.sleep(0.02)

    thread = threading.Thread(target=refuse)
    thread.start()
    with pytest.raises(UserError, match="the gateway has refused this statement"):
        post(world, press.registration)
    thread.join()


def test_without_a_gateway_it_waits_in_the_inbox(world: World) -> None:
    """Nobody seals: the operator is told so, and the entry is sealed once somebody does."""
    press = Device("press-1")
    with pytest.raises(UserError, match="nobody has sealed it yet"):
        post(world, press.registration, timeout_s=0.2)
    world.tick()
    assert world.chain(REGISTRY)._registry.is_good(press.key.kid)
