"""A few rounds of the fault matrix: one site, and each fault once. `make soak` does it for long."""

import random
from collections.abc import Iterator

import pytest

from tests.faults.faults import play
from tests.faults.site import Site

ROUNDS = (
    "kill-gateway-at-commit",
    "stop-broker",
    "stop-postgres",
    "commit-late",
    "disk-full-database",
    "disk-full-checkpoints",
    "mangling-broker",
    "old-gateway-wakes",
    "older-database",
    "clock-back",
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(random.Random(1), devices=4, rate=40) as made:
        made.recover()
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_nothing_is_lost_twice_or_forked(site: Site, name: str) -> None:
    """After the fault receipts go on, and at rest devices, readers and ledger tell one history, whole."""
    assert play(site, name, span=0.2) == []
