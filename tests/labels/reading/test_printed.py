"""Printed, turned, blurred, scaled and read back by two readers: the genuine are told from the others."""

from collections.abc import Iterator

import pytest

from deploy.postgres import Postgres
from labels.printing import qr
from tests.labels.reading.printed import DPIS, STATES
from tests.labels.reading.reading_back import READERS, Issued, Verdicts, issued, read_back

COUNT = 40
# Of them by one reader in one state, as the labels are others each time; `make bench-read` counts a thousand.
UNREAD_MAX = 1


@pytest.fixture(scope="module")
def made(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issued]:
    """Forty labels of a ledger that is served, and forty that are tampered with."""
    dsn = postgres_server.create_database("printed")
    with issued(dsn, tmp_path_factory.mktemp("printed"), COUNT) as made:
        yield made
    postgres_server.drop_database("printed")


@pytest.fixture(scope="module")
def verdicts(made: Issued) -> Iterator[Verdicts]:
    """What the service and the bundle say."""
    asked = Verdicts(made)
    yield asked
    asked.close()


@pytest.mark.parametrize("dpi", DPIS)
def test_every_genuine_label_is_read_as_one(made: Issued, verdicts: Verdicts, dpi: int) -> None:
    """By both readers, whatever happened to the sheet: genuine online, signed offline, and nothing is misread."""
    found = read_back(made.links, dpi, list(STATES), seed=1)
    assert found.keys() == {(state, reader) for state in STATES for reader in READERS}
    for key, texts in found.items():
        told = verdicts.right(texts, made.links)
        assert told["read"] >= COUNT - UNREAD_MAX, key
        assert told == {"read": told["read"], "misread": 0, "online": told["read"], "offline": told["read"]}, key


@pytest.mark.parametrize("dpi", DPIS)
def test_no_tampered_label_is_read_as_genuine(made: Issued, verdicts: Verdicts, dpi: int) -> None:
    """None is genuine, and offline only those look signed that the right key signed without issuing."""
    links = [link for _, link in made.tampered]
    never_issued = sum(how == "never issued" for how, _ in made.tampered)
    for read in read_back(links, dpi, ["as printed", "all of it"], seed=2).values():
        told = verdicts.wrong(read, made.tampered)
        assert read <= set(map(qr.printed, links))
        assert told["read"] >= COUNT - UNREAD_MAX
        assert never_issued >= told["offline signed, never issued"] >= never_issued - UNREAD_MAX > 0
        assert told["online genuine"] == told["offline genuine"] == told["offline signed"] == 0
