"""What the tests share: one PostgreSQL server for the session, a fresh database for each test that asks."""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.broker import Broker
from deploy.children import Supervisor
from deploy.postgres import Postgres
from tests import tested
from tests.running import RunningBroker, free_port, make_open_folder

for _name in [name for name in os.environ if name.startswith("TALLYSTICK_")]:
    del os.environ[_name]  # the user's own server is not for tests

settings.register_profile(
    "steady", deadline=None, derandomize="CI" in os.environ
)  # machines are shared: a slow example is no failure
settings.load_profile("steady")

_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """This folder's own files come first: with several workers, what takes long must not be left for the end."""
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A short temporary folder that every user may pass into, removed afterwards."""
    folder = make_open_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The session's PostgreSQL, running: the embedded one, or of the installation that `TESTED_POSTGRES` names."""
    folder = make_open_folder()
    with tested.programs():
        postgres = Postgres.open(folder / "postgres")
    with Supervisor(folder / "log") as supervisor:
        supervisor.start(postgres.child(fsync="off", **tested.settings(postgres)))
        yield postgres
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh_database(postgres_server: Postgres) -> Iterator[Callable[[], str]]:
    """Makes an empty database at each call and returns its DSN; all are dropped after the test."""
    made: list[str] = []

    def make() -> str:
        made.append(f"test_{next(_numbers)}")
        return postgres_server.create_database(made[-1])

    yield make
    for name in made:
        postgres_server.drop_database(name)


@pytest.fixture
def postgres_dsn(fresh_database: Callable[[], str]) -> str:
    """The DSN of an empty database of this test's own."""
    return fresh_database()


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest, open_folder: Path) -> Iterator[RunningBroker]:
    """A running broker: the test runs once with each kind.

    `@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)` runs it with one.
    """
    made = Broker.open(open_folder / "broker", free_port(), request.param)
    with Supervisor(open_folder / "log") as supervisor:
        supervisor.start(made.child())
        yield RunningBroker(made, supervisor)
