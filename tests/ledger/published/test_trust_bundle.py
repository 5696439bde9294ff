"""A registry that gives no trust bundle: what is too many in it is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.published import trust_bundle
from tests.world import ORGANISATION, World

GTIN = "09506000134352"


@pytest.fixture
def small(postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A ledger, where two are many, and whose bundle has no room."""
    monkeypatch.setattr("ledger.published.trust_bundle.MANY", 1)
    monkeypatch.setattr("ledger.trust.bundle.BUNDLE_BYTES_MAX", 1_000)
    with World(postgres_dsn, tmp_path / "ledger") as world:
        yield world


def recall(world: World, lot: str) -> None:
    """A lot is recalled."""
    said = {"organisation": ORGANISATION, "gtin": GTIN, "lot": lot, "reason": "glass", "since": "2025-06-15"}
    world.operator_says({"type": "recall", **said})


def register_key(world: World) -> None:
    """A label key is registered."""
    said = {"organisation": ORGANISATION, "gtins": [GTIN], "first_day": 2_000, "last_day": 3_000}
    world.operator_says({"type": "label-key", "key": SigningKey.generate().public, **said})


def hint(world: World) -> str:
    """What is said to do about it."""
    with pytest.raises(UserError, match="gives no trust bundle") as caught:
        trust_bundle.issue(world.folder, world.dsn, days=1, now=1_750_000_000)
    return caught.value.hint


def test_the_hint_names_what_there_is_most_of(small: World) -> None:
    """Neither, as long as there are few; recalls, where they are many and more than the keys; else keys."""
    recall(small, "L1")
    register_key(small)
    assert "ledger audit" in hint(small)
    recall(small, "L2")
    assert "stands for those of all its items" in hint(small)
    register_key(small)
    assert "a key for many lots" in hint(small)
    recall(small, "L3")
    assert "stands for those of all its items" in hint(small)
