"""A story that is told once, for tests that only read it; and a ledger for those that change one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.postgres import Postgres
from tests.labels.story import Story, telling
from tests.world import World


@pytest.fixture(scope="session")
def story(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The demo's story, told to the end; tests leave it as it is."""
    with telling(postgres_server, "story_for_labels", tmp_path_factory.mktemp("story")) as told:
        yield told


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A ledger in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", postgres_dsn)
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made
