"""Claims about a mirror and a monitor of a ledger whose logs change their keys."""

from collections.abc import Callable
from pathlib import Path

from ledger.database import connect
from ledger.mirror.store import Store
from ledger.monitor.state import State
from ledger.monitor.watch import Limits, Watch
from ledger.published.database import DatabaseReader
from ledger.registry import ANCHOR, REGISTRY
from tests.ledger.log_keys.test_rotation import change, fill
from tests.ledger.mirror.test_mirror import audited, mirror
from tests.world import World


def test_keys_that_root_keys_have_named(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """Who has pinned the first trust file follows every log over its new key, for the root key's word is published."""
    with World(fresh_database(), tmp_path / "data") as world, connect(world.dsn, autocommit=True) as connection:
        press, state, reader = world.register_device("press-1"), State(), DatabaseReader(connection, world.folder)
        for chain in ("production", REGISTRY, ANCHOR):
            outcomes = mirror(reader, tmp_path / "mirror", world.trust)
            assert all(outcome.problem is None for outcome in outcomes.values())
            assert Watch(world.trust, state, Limits()).round({"here": reader}, world.now_ms) == []
            made = change(world, chain)
            fill(world, press, chain, made.until + 1)
        outcomes = mirror(reader, tmp_path / "mirror", world.trust)
        assert all(outcome.problem is None for outcome in outcomes.values())
        assert Watch(world.trust, state, Limits()).round({"here": reader}, world.now_ms) == []
        assert audited(tmp_path / "mirror", world.trust).ok


def test_an_old_trust_file_takes_nothing_back(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """Who gives the first trust file again, as in the examples, still knows that the first key is retired."""
    folder = tmp_path / "mirror"
    with World(fresh_database(), tmp_path / "data") as world, connect(world.dsn, autocommit=True) as connection:
        first = world.trust
        mirror(DatabaseReader(connection, world.folder), folder, first)
        change(world, "production")
        mirror(DatabaseReader(connection, world.folder), folder, first)
    for given in (first, None, first):
        with Store(folder) as store:
            assert len(store.trust(given).log("production").keys) == 2
