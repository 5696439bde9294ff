"""What the operator's commands refuse, on a real database."""

from collections.abc import Callable
from pathlib import Path

import pytest

import tallystick
from ledger.database import connect
from tests.world import World


def told(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """What a command that must fail says on standard error."""
    assert tallystick.run(["ledger", *args]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and "tallystick: hint: " in captured.err
    return captured.err


def posted(dsn: str) -> object:
    """How many statements the inbox has taken in that are not sealed, and how many are."""
    with connect(dsn) as connection:
        return connection.execute("select (select count(*) from inbox), (select count(*) from entry)").fetchone()


def test_a_reason_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It stands in the ledger for ever: neither a book nor two lines."""
    for reason in ("x" * 257, "a\nb", "\x1b[2J"):
        assert "one line of 1 to 256 characters" in told(capsys, "revoke", "press-1", "--reason", reason, "--dsn", "x")


def test_only_a_suspended_key_is_reinstated(
    postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A good key needs nothing, and a revoked one gets nothing: neither leaves an entry."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        before = posted(postgres_dsn)
        where = ("press-1", "--data", str(tmp_path), "--dsn", postgres_dsn, "--reason", "x")
        assert "is not suspended: it is good" in told(capsys, "reinstate", *where)
        assert posted(postgres_dsn) == before
        world.operator_says({"type": "revocation", "kid": press.key.kid, "reason": "lost"})
        before = posted(postgres_dsn)
        assert "is not suspended: it is revoked" in told(capsys, "reinstate", *where)
        assert "is revoked already" in told(capsys, "revoke", *where)
        assert posted(postgres_dsn) == before


def test_an_index_beyond_the_end_names_the_end(
    postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hint says what there is; a folder that is not there is said to be so."""
    with World(postgres_dsn, tmp_path / "ledger"):
        where = ("--data", str(tmp_path), "--dsn", postgres_dsn, "--chain", "registry")
        assert "name one from 0 to 0" in told(capsys, "prove", *where, "--index", "1")
        output = str(tmp_path / "no" / "x.bundle")
        assert f"cannot write {output}: No such file" in told(capsys, "prove", *where, "--index", "0", "-o", output)


def test_another_database_of_the_server_holds_no_ledger(
    fresh_database: Callable[[], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The roles are the whole server's, so that they are there is not enough."""
    with World(fresh_database(), tmp_path / "ledger"):
        err = told(capsys, "keys", "--data", str(tmp_path), "--dsn", fresh_database())
        assert "the database holds no ledger" in err
