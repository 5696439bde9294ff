"""Claims about the audit's processes: the verdict is the same, none outlives its parent, and a lost one is told."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.postgres import Postgres
from ledger.audit import plan, workers
from ledger.audit.database import DatabaseAt, DatabaseSource
from ledger.audit.report import Report
from ledger.audit.walk import audit
from ledger.audit.workers import Workers
from ledger.database import connect
from ledger.errors import UserError
from tests.bench.cpu import descendants
from tests.ledger.audit.test_audit import TAMPERED
from tests.ledger.audit.test_audit import _make as make_ledger
from tests.running import eventually
from tests.world import World


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to do for several processes in a small ledger."""
    monkeypatch.setattr(plan, "RANGE", 16)
    monkeypatch.setattr(workers, "FEW", 4)


@pytest.fixture
def world(postgres_server: Postgres, tmp_path: Path) -> Iterator[World]:
    """The audit tests' ledger."""
    dsn = postgres_server.create_database("test_workers")
    with World(dsn, tmp_path / "ledger") as world:
        make_ledger(world)
        yield world
    postgres_server.drop_database("test_workers")


def run(world: World, count: int) -> Report:
    """Audit with so many processes."""
    with connect(world.dsn) as connection:
        source = DatabaseSource(connection, world.folder)
        with Workers(source, source.at(world.dsn), count) as pool:
            report = audit(source, world.trust, examine=pool.examine)
            assert len(pool._workers) == (count if count > 1 else 0)
            return report


def test_however_many_work_the_verdict_is_one(world: World) -> None:
    """Every count and every problem, in one order."""
    expected = run(world, 1).document
    assert expected["ok"]
    assert run(world, 2).document == run(world, 5).document == expected
    with connect(world.dsn, role=None) as connection:
        TAMPERED["an entry's bytes"][1](connection)
        TAMPERED["a section of another entry"][1](connection)
        connection.commit()
    expected = run(world, 1).document
    assert not expected["ok"]
    assert run(world, 3).document == expected


def test_little_is_audited_without_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process costs more to start than a small ledger to audit."""
    monkeypatch.undo()
    with connect(world.dsn) as connection:
        source = DatabaseSource(connection, world.folder)
        with Workers(source, source.at(world.dsn), 4) as pool:
            assert audit(source, world.trust, examine=pool.examine).ok
            assert not pool._workers


def test_no_code_is_taken_from_where_one_stands(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit may be run inside somebody's export, and that may hold anything."""
    for module in ("ledger", "cbor2", "psycopg"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    assert run(world, 2).ok


def test_all_see_one_moment(world: World) -> None:
    """What is sealed while an audit runs is in no process' part of it."""
    with connect(world.dsn) as connection:
        source = DatabaseSource(connection, world.folder)
        at = source.at(world.dsn)
        press = world.register_device("late")
        world.publish(press, press.readings(1.0))
        world.tick()
        with pickle.loads(pickle.dumps(at)).open() as other:
            assert other.end("production") == source.end("production") == 307
        with connect(world.dsn) as now:
            assert DatabaseSource(now, world.folder).end("production") == 309


def test_a_moment_that_has_passed_is_told(world: World) -> None:
    """A worker that cannot open its source says why."""
    with connect(world.dsn) as connection:
        source = DatabaseSource(connection, world.folder)
        pool = Workers(source, DatabaseAt("host=/nowhere dbname=x", "0"), 2)
        with pytest.raises(UserError, match="cannot reach the database"), pool:
            audit(source, world.trust, examine=pool.examine)


def test_a_lost_process_is_told(world: World) -> None:
    """An audit of which a process was ended has no verdict."""
    with connect(world.dsn) as connection:
        source = DatabaseSource(connection, world.folder)
        with Workers(source, source.at(world.dsn), 2) as pool:

            def end_one(chain: str, entries: int, of: int) -> None:
                if chain == "production" and entries < 100:
                    assert pool._starter is not None
                    os.kill(descendants(pool._starter.pid)[0], signal.SIGKILL)

            with pytest.raises(UserError, match="a process of the audit ended before it was done"):
                audit(source, world.trust, tell=end_one, examine=pool.examine)


_SLOW = """
import sys, time
from ledger.audit import plan, workers
from ledger.audit.database import in_database
from ledger.audit.walk import audit
from ledger.audit.workers import Workers
from ledger.folder import LedgerFolder
from pathlib import Path
plan.RANGE, workers.FEW = 16, 4
folder = LedgerFolder(Path(sys.argv[2]))
with in_database(sys.argv[1], folder) as (source, at), Workers(source, at, 2) as pool:
    def tell(chain, entries, of):
        if chain == "production":
            print(*(pid for pid in [pool._starter.pid]), flush=True)
            time.sleep(60)
    audit(source, folder.trust(), tell=tell, examine=pool.examine)
"""


def test_none_outlives_its_parent(world: World) -> None:
    """Not even one that was killed."""
    command = [sys.executable, "-c", _SLOW, world.dsn, str(world.folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        starter = int(process.stdout.readline())
        started = [starter, *descendants(starter)]
        assert len(started) == 3
        process.kill()
    eventually(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in started))
