"""What the audit's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.audit.rogue import Rogue
from tests.world import World


@pytest.fixture
def rogue(postgres_dsn: str, tmp_path: Path) -> Iterator[Rogue]:
    """A ledger with one device that has signed two statements."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        world.publish(press, press.readings(1.0))
        world.tick()
        yield Rogue(world, press)
