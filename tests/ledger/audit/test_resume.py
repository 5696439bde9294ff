"""Claims about an audit that goes on where an earlier one ended: the verdict is the same, and nothing is hidden."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import tallystick
from deploy.postgres import Postgres
from ledger.audit import plan
from ledger.audit.database import DatabaseSource
from ledger.audit.report import Report
from ledger.audit.state import ResumeError, State
from ledger.audit.state_file import Saved
from ledger.audit.walk import audit
from ledger.database import connect
from ledger.errors import MalformedError
from tests.ledger.audit.rogue import Rogue
from tests.ledger.audit.test_audit import FIRST, TAMPERED
from tests.ledger.audit.test_audit import _make as make_ledger
from tests.world import World

RANGE = 32


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many ranges in a small ledger."""
    monkeypatch.setattr(plan, "RANGE", RANGE)


@pytest.fixture(scope="module")
def world(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The audit tests' ledger, for tests that leave no trace in it."""
    dsn = postgres_server.create_database("test_resume")
    with World(dsn, tmp_path_factory.mktemp("resume") / "ledger") as world:
        make_ledger(world)
        yield world
    postgres_server.drop_database("test_resume")


class _Killed(Exception):
    """The audit's end, somewhere."""


class Kept:
    """Keeps states as a file would, and ends the audit at the one that is said."""

    def __init__(self, ends_at: int = -1) -> None:
        self.data, self._ends_at, self.offered = b"", ends_at, 0
        self._chains: dict[str, State] = {}

    def __call__(self, chain: str, make: Callable[[], State], at_end: bool) -> None:
        self._chains[chain] = make()
        self.data = Saved(bytes(32), self._chains).encode()
        self.offered += 1
        if self.offered == self._ends_at:
            raise _Killed


def run(world: World, tamper: Callable[..., object] | None, kept: Kept, before: bytes = b"") -> Report:
    """Audit after `tamper`, which leaves no trace."""
    states = Saved.decode(before).chains if before else {}
    with connect(world.dsn, role=None) as connection:
        if tamper is not None:
            tamper(connection)
        source = DatabaseSource(connection, world.folder, snapshot=False)
        try:
            return audit(source, world.trust, before=states, keep=kept)
        finally:
            connection.rollback()


def verdict(report: Report) -> dict[str, object]:
    """A report but for what was audited when."""
    return {name: value for name, value in report.document.items() if name != "audited_before"}


def test_wherever_an_audit_ends_another_goes_on(world: World) -> None:
    """Both together come to what one would have: every count, of every chain."""
    whole = Kept()
    expected = verdict(run(world, None, whole))
    assert expected["ok"] and whole.offered > 15
    for at in range(1, whole.offered + 1):
        kept = Kept(at)
        with pytest.raises(_Killed):
            run(world, None, kept)
        assert verdict(run(world, None, Kept(), kept.data)) == expected


@pytest.mark.parametrize("what", FIRST)
def test_what_is_wrong_is_told_wherever_the_first_audit_ended(what: str, world: World) -> None:
    """What was found before is found still, and what is wrong behind it is found now."""
    _, tamper = TAMPERED[what]
    whole = Kept()
    expected = verdict(run(world, tamper, whole))
    assert not expected["ok"]
    for at in range(1, whole.offered + 1, 3):
        kept = Kept(at)
        with pytest.raises(_Killed):
            run(world, tamper, kept)
        assert verdict(run(world, tamper, Kept(), kept.data)) == expected


def test_a_state_reads_back(world: World) -> None:
    """It has one encoding; a byte less, or another, is refused or is another state."""
    kept = Kept()
    run(world, None, kept)
    assert Saved.decode(kept.data).encode() == kept.data
    for spoilt in (kept.data[:-1], kept.data + b"\0", b"", b"\xa0", kept.data.replace(b"size", b"sice")):
        with pytest.raises(MalformedError):
            Saved.decode(spoilt)


def test_another_history_is_refused(world: World) -> None:
    """The last block that was audited has to be there, with the header that it had."""
    kept = Kept()
    run(world, None, kept)
    another = TAMPERED["a header's root"][1], "block 6 of 'production' has another header than the one audited"
    rewritten = "update block set header = set_byte(header, 50, 7) where chain_id = 1 and height = 6"
    with pytest.raises(ResumeError, match=another[1]):
        run(world, lambda connection: connection.execute(rewritten.encode()), Kept(), kept.data)
    older = "delete from block where chain_id = 1 and height = 6"
    with pytest.raises(ResumeError, match="'production' had 307 entries and a block 6, which is gone"):
        run(world, lambda connection: connection.execute(older.encode()), Kept(), kept.data)


def test_registry_entries_are_never_taken_as_audited(world: World) -> None:
    """They are read each time, for the keys; so they are held against the root that they had."""
    kept = Kept()
    run(world, None, kept)
    report = run(world, TAMPERED["a registry entry's bytes"][1], Kept(), kept.data)
    assert "registry, block 0: its first 5 entries are not those that were audited before" in map(str, report.problems)


# The command


@pytest.fixture
def data(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the ledger in it, and the environment that names it."""
    shutil.copytree(world.folder.path, tmp_path / "ledger")
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", world.dsn)
    return tmp_path


_KILLED = """
import os, signal, sys
from ledger.audit import plan, resume
import tallystick
plan.RANGE, resume.SAVE_S, kept = 32, 0.0, resume.Keeper.__call__
count = [0]
def killed(self, *state):
    kept(self, *state)
    count[0] += 1
    if count[0] == 8:
        os.kill(os.getpid(), signal.SIGKILL)
resume.Keeper.__call__ = killed
tallystick.run(["ledger", "audit", "--resume", sys.argv[1]])
"""


def test_a_killed_audit_goes_on(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After SIGKILL the next begins where the last state was kept, and says so."""
    file = data / "audited"
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(file)], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    part = Saved.decode(file.read_bytes()).chains["production"].size
    assert 0 < part < 307
    assert tallystick.run(["ledger", "audit", "--resume", str(file)]) == 0
    told = capsys.readouterr().out
    assert f"production   its first {part} entries were audited before (20" in told and "and not now" in told
    assert "production   307 entries, 7 blocks" in told and "all is as it should be" in told


def test_a_ledger_that_has_grown(postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is new is audited. What was audited before is not, and the report says so; --anew audits all."""
    command = ["ledger", "audit", "--data", str(tmp_path), "--dsn", postgres_dsn, "--json", "--resume"]
    command.append(str(tmp_path / "audited"))
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        for _ in range(40):
            world.publish(press, press.readings(1.0))
        world.tick()
        assert tallystick.run(command) == 0
        assert json.loads(capsys.readouterr().out)["audited_before"] == {}
        for _ in range(5):
            world.publish(press, press.readings(1.0))
        world.tick()
        with connect(postgres_dsn, role=None, autocommit=True) as connection:
            connection.execute(b"update entry set data = set_byte(data, 200, 0) where entry_id = (1::bigint << 40) + 7")
        assert tallystick.run(command) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["ok"] and report["chains"]["production"]["entries"] == 46
        [part] = report["audited_before"]["production"]
        assert part["entries"] == 41 and part["at"].endswith("Z")
        assert tallystick.run([*command, "--anew"]) == 1
        assert "entry 7" not in (out := capsys.readouterr().out) and '"index": 7' in out


def test_a_changed_tail_is_no_growth(postgres_dsn: str, tmp_path: Path) -> None:
    """New entries have to go on from the very tree that was audited."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        world.publish(press, press.readings(1.0))
        world.tick()
        kept = Kept()
        run(world, None, kept)
        rogue = Rogue(world, press)
        rogue.seal(rogue.next())
        with connect(postgres_dsn, role=None, autocommit=True) as connection:
            connection.execute(b"update block set root = sha256(''), header = header where chain_id = 1 and height = 1")
        report = run(world, None, Kept(), kept.data)
        assert [str(problem) for problem in report.problems] == [
            "production, block 1: its columns are stored otherwise than its header says"
        ]


MISFITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "another ledger's": (lambda file: file.write_bytes(Saved(bytes(32)).encode()), "is of another ledger"),
    "no audit's": (lambda file: file.write_bytes(b"anything"), "keeps no audit: bytes after the end"),
    "a folder": (lambda file: file.mkdir(), "cannot read"),
}


@pytest.mark.parametrize("what", MISFITS)
def test_a_file_that_does_not_fit_is_refused_by_name(what: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With an error that names it, and a hint."""
    make, complaint = MISFITS[what]
    make(data / "audited")
    code = tallystick.run(["ledger", "audit", "--resume", str(data / "audited")])
    told = capsys.readouterr().err
    assert code != 0 and str(data / "audited") in told
    assert complaint in told or what == "a folder"


def test_another_header_is_refused_by_the_file_s_name(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As whatever does not fit."""
    command = ["ledger", "audit", "--resume", str(data / "audited")]
    assert tallystick.run(command) == 0
    saved = Saved.decode((data / "audited").read_bytes())
    state = saved.chains["production"]
    assert state.header is not None
    other = replace(state, header=replace(state.header, time_ms=1))
    (data / "audited").write_bytes(Saved(saved.genesis, {**saved.chains, "production": other}).encode())
    assert tallystick.run(command) == 1
    told = capsys.readouterr().err
    assert f"{data / 'audited'} does not fit this ledger: block 6 of 'production' has another header" in told
    assert "tallystick: hint: " in told
