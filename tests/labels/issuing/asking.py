"""Programs that ask for labels over HTTP, and what the ledger and its database have of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from labels.book import Book
from labels.keeper import BookKeeper
from ledger.database import connect
from ledger.registry import Role
from tests.labels.serving import served
from tests.labels.story import GTIN, LOT
from tests.running import eventually
from tests.world import World

ORDER = {"gtin": GTIN, "lot": LOT, "count": 3}


@contextmanager
def asking(world: World) -> Iterator[httpx.Client]:
    """Requests to a label service of this world, with an issuer's token."""
    with (
        served(world.folder.path.parent, world.dsn) as address,
        httpx.Client(base_url=address, headers=bearer(world), timeout=60) as made,
    ):
        yield made


def said(world: World, entry: dict[str, Any]) -> None:
    """The operator says something, and the registry has it."""
    size = book(world).size
    world.post(Role.OPERATOR, entry)
    eventually(lambda: book(world).size > size)


def bearer(world: World) -> dict[str, str]:
    """The header that shows an issuer's token."""
    return {"authorization": f"Bearer {json.loads(world.folder.issuers_file.read_text())['default']}"}


def book(world: World) -> Book:
    """The registry as it is published."""
    with connect(world.dsn) as connection:
        return BookKeeper(world.folder).book(connection)


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    """What the database holds."""
    with connect(world.dsn) as connection:
        return connection.execute(query.encode()).fetchall()
