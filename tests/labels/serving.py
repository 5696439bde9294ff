"""The real command, serving pages in a process of its own."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx

from tests.labels.story import Story
from tests.running import serving


def served(data: Path, dsn: str) -> AbstractContextManager[str]:
    """`tallystick labels serve` on a free port; gives its address."""
    return serving("labels", "serve", "--data", str(data), "--dsn", dsn)


@contextmanager
def client_of(story: Story, dsn: str | None = None) -> Iterator[httpx.Client]:
    """A client of a service of its own over a story."""
    with (
        served(story.world.folder.path.parent, dsn or story.world.dsn) as address,
        httpx.Client(base_url=address, timeout=20) as client,
    ):
        yield client
