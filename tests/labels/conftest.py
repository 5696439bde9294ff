"""A story that is told once, for tests that only read it."""

from collections.abc import Iterator

import pytest

from deploy.postgres import Postgres
from tests.labels.story import Story, telling


@pytest.fixture(scope="session")
def story(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The demo's story, told to the end; tests leave it as it is."""
    with telling(postgres_server, "story_for_labels", tmp_path_factory.mktemp("story")) as told:
        yield told
