"""One ledger for all tests that leave no trace in it, and one of its own for each that does."""

from collections.abc import Iterator

import pytest

from deploy.postgres import Postgres
from tests.ledger.published.made import Made, make


@pytest.fixture(scope="session")
def made(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Shared: leave it as it is."""
    dsn = postgres_server.create_database("test_published")
    made = make(dsn, tmp_path_factory.mktemp("published") / "data" / "ledger")
    yield made
    made.connection.close()
    made.world.close()
    postgres_server.drop_database("test_published")
