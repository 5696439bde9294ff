"""The demo's check finds what is wrong, and does not call nothing at all a success."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from deploy import demo_check
from deploy.demo import CARGO, LINE, Demo
from deploy.demo_check import Published, check
from deploy.stack import Options, Stack, temporary_data

A, B, C = (bytes([number]) * 32 for number in range(3))


@contextmanager
def moved(path: Path) -> Iterator[None]:
    """While the block lasts, the file is elsewhere."""
    away = path.with_suffix(".away")
    path.rename(away)
    yield
    away.replace(path)


@contextmanager
def another_hash(spool: Path) -> Iterator[None]:
    """While the block lasts, a statement of the spool has a hash that the ledger does not know."""
    with closing(sqlite3.connect(spool, isolation_level=None)) as db:
        number, right = db.execute("select id, hash from statement where proven = 1 limit 1").fetchone()
        db.execute("update statement set hash = ? where id = ?", [bytes(32), number])
        yield
        db.execute("update statement set hash = ? where id = ?", [right, number])


def test_a_story_that_lacks_anything_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """One lost statement among equal counts, a label less, another's label, no devices, no pages: each is found."""
    monkeypatch.setattr(demo_check, "SETTLE_S_MAX", 2.0)
    with temporary_data() as data, Stack(data, Options(ledger="example.com")) as stack:
        stack.start()
        Demo(stack, print, endless=False).run()
        outcome = check(stack, [LINE, CARGO], print)
        assert outcome["ok"] and outcome["labels"] == 24 and outcome["lost"] == 0
        assert outcome["receipts_verified"] == outcome["statements"]

        with another_hash(data / "devices" / LINE / "spool.sqlite"):
            wrong, said = _checked(stack, LINE, CARGO)
            assert wrong["statements"] == outcome["statements"] and wrong["lost"] == 1
            assert wrong["receipts_verified"] == outcome["statements"] - 1
            assert "1 statements are in the ledger that no device published" in said

        first, second = sorted((data / "labels").glob("*.png"))[:2]
        with moved(first):
            wrong, said = _checked(stack, LINE, CARGO)
            assert wrong["labels"] == 23 and "23 labels are right of 24 issued" in said
            shutil.copy(second, first)
            assert _checked(stack, LINE, CARGO)[0]["labels"] == 23

        assert "0 readings, not 72" in _checked(stack)[1]
        stack.supervisor.remove("labels")
        wrong, said = _checked(stack, LINE, CARGO)
        assert wrong["labels"] == 0 and "shows nothing" in said


def _checked(stack: Stack, *devices: str) -> tuple[dict[str, int], str]:
    """The outcome, which is not ok, and all that was said."""
    said: list[str] = []
    outcome = check(stack, devices, said.append)
    assert not outcome["ok"]
    return outcome, "\n".join(said)


def test_statements_are_compared_as_sets() -> None:
    """As many as were published, but another one: one is lost, and one is strange."""
    published = Published(frozenset({A, B}), frozenset({A, B}))
    assert (published.lost(frozenset({A, C})), published.strange(frozenset({A, C}))) == (1, 1)
    assert (published.lost(frozenset({A, B})), published.strange(frozenset({A, B}))) == (0, 0)


def test_what_a_device_has_forgotten_still_counts() -> None:
    """Of long proven statements a spool keeps no hashes; so many others must be in the ledger, and no more."""
    published = Published(frozenset({B}), frozenset({B}), forgotten=1)
    assert published.lost(frozenset({A, B})) == published.strange(frozenset({A, B})) == 0
    assert published.lost(frozenset({B})) == 1
    assert published.strange(frozenset({A, B, C})) == 1
