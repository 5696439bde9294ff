"""A site to break: PostgreSQL, broker, gateway and devices, each a process or a relay that a fault can reach.

    devices ── mangler ── broker ── mangler ── gateway ── commit cutter ── PostgreSQL

The gateway is the command `tallystick gateway run`. The small disks, where we may mount them, hold the database and
the published checkpoints. All ends with the block.
"""

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from deploy import acl
from deploy.broker import Broker
from deploy.children import Child, Supervisor
from deploy.postgres import Postgres, _servers_in
from deploy.stack import remove_data
from ledger.folder import LedgerFolder
from tests.faults.commits import CommitCutter
from tests.faults.disk import small_disk
from tests.faults.half import Half
from tests.faults.invariants import CHAIN, Watch, check_world
from tests.faults.load import Load, Sender
from tests.faults.mangler import Mangler
from tests.faults.relay import Background
from tests.running import eventually, free_port, make_open_folder
from tests.world import Device, World

GATEWAY = "gateway"
RECOVERY_S_MAX = 90.0
_POSTGRES_KIB, _CHECKPOINTS_KIB = 448 * 1024, 64
_CLOCK_FOLDER = Path(__file__).with_name("clock")


class Violation(AssertionError):
    """Something that must hold does not."""


class Site:
    """Runs as long as its block. `rate` is in statements a second, of all devices together."""

    def __init__(
        self, rng: random.Random, *, devices: int = 6, rate: float = 150, gateway_args: Sequence[str] = ()
    ) -> None:
        self.rng, self._rate, self._gateway_args = rng, rate, tuple(gateway_args)
        self._devices = [Device(f"press-{number}") for number in range(devices)]
        self._exit = ExitStack()
        self.late: list[str] = []

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            self.data = make_open_folder()
            entered.callback(remove_data, self.data)
            self.folder = LedgerFolder(self.data / "ledger")
            self.clock = self.data / "clock"
            disks = ((self.folder.checkpoints, _CHECKPOINTS_KIB), (self.data / "disk", _POSTGRES_KIB))
            mounted = [entered.enter_context(small_disk(*disk)) for disk in disks]
            self.has_small_disks = all(mounted)
            self.supervisor = entered.enter_context(Supervisor(self.data / "log"))
            self._start_stores()
            self.background = Background()
            entered.callback(self.background.close)
            self._start_relays(entered)
            halves = self._found()
            self.watch = entered.enter_context(Watch(self.folder.checkpoints))
            self._start_load(halves, entered)
            self._exit = entered.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    # Making it

    def _start_stores(self) -> None:
        (self.data / "disk").chmod(0o755)
        self.postgres = Postgres.open(self.data / "disk" / "postgres")
        self.supervisor.start(self._postgres_child())
        self.dsn = self.postgres.create_database()
        self.broker = Broker.open(self.data / "broker", free_port())
        self.passwords = {name: self.broker.add_user(name) for name in (acl.GATEWAY, *self._names)}
        self.supervisor.start(self.broker.child())

    @property
    def _names(self) -> list[str]:
        return [device.name for device in self._devices]

    def _postgres_child(self) -> Child:
        return self.postgres.child(fsync="off", max_wal_size="64MB", min_wal_size="32MB")

    def _start_relays(self, entered: ExitStack) -> None:
        self.mangler = Mangler(self.broker.port, random.Random(self.rng.random()))
        self.cutter = CommitCutter(self.postgres.socket / ".s.PGSQL.5432")
        for relay in (self.mangler, self.cutter):
            self.background.run(relay.start())
            entered.callback(lambda relay=relay: self.background.run(relay.stop()))  # type: ignore[misc]

    def _found(self) -> list[Half]:
        """The ledger, and its devices in it."""
        with World(self.dsn, self.folder.path) as world:
            world.operator_says(*(device.registration for device in self._devices))
            log = world.trust.log(CHAIN)
        return [Half(device, log) for device in self._devices]

    def _start_load(self, halves: Sequence[Half], entered: ExitStack) -> None:
        self.start_gateway()
        rate = self._rate / len(halves)
        senders = [
            Sender(half, self.passwords[half.device.name], rate, on_proven=self._is_published) for half in halves
        ]
        self.load = Load(senders, seed=self.rng.randrange(2**32))
        self.background.run(self.load.start(self.mangler.port))
        entered.callback(lambda: self.background.run(self.load.stop()))

    def _is_published(self, half: Half) -> None:
        """Whoever gets a receipt finds its checkpoint published."""
        published = self.watch.size(CHAIN)
        if half.size > published:
            self.late.append(f"a receipt of size {half.size} came when the published checkpoint was of {published}")

    # Its parts

    def start_gateway(self, name: str = GATEWAY) -> None:
        """Start a gateway; whether it gets its chains will be seen by its receipts."""
        self.supervisor.start(self.gateway_child(name))

    def gateway_child(self, name: str = GATEWAY) -> Child:
        """A gateway behind the relays, with a clock that can be set."""
        address = psycopg.conninfo.make_conninfo(
            self.dsn, host="127.0.0.1", port=self.cutter.port, sslmode="disable", gssencmode="disable"
        )
        broker = f"mqtt://{acl.GATEWAY}:{self.passwords[acl.GATEWAY]}@127.0.0.1:{self.mangler.port}"
        options = ("--data", str(self.data), "--dsn", address, "--broker", broker, *self._gateway_args)
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(_CLOCK_FOLDER), "TEST_CLOCK": str(self.clock)}
        return Child(name=name, argv=(sys.executable, "-m", "tallystick", GATEWAY, "run", *options), env=env)

    def remove(self, name: str) -> None:
        """End a part, as a person does who stops it."""
        self.supervisor.remove(name)

    def revive(self, name: str) -> None:
        """Start a part that was killed, without the pauses that grow with each death."""
        children = {"postgres": self._postgres_child, "broker": self.broker.child, GATEWAY: self.gateway_child}
        self.supervisor.remove(name)
        self.supervisor.start(children[name]())

    def gateway_processes(self, name: str = GATEWAY) -> list[int]:
        """The gateway's process and its workers': all that are in its process group."""
        leader = self.supervisor.pid(name)
        return [] if leader is None else [pid for pid in _all_processes() if _group(pid) == leader]

    def postgres_processes(self) -> list[int]:
        """The server's process, first, and its sessions'."""
        leader = self.supervisor.pid("postgres")
        sessions = [pid for pid in _servers_in(self.postgres.cluster) if pid != leader]
        return [*([leader] if leader else []), *sessions]

    def log(self, name: str, since: int = 0) -> str:
        """What a part has written of late, or since its log was so long (in characters)."""
        path = self.data / "log" / f"{name}.log"
        text = path.read_text("utf-8", "replace") if path.exists() else ""
        return text[since:] if since else text[-4_000:]

    def copy_database(self, copy: str) -> None:
        """A copy of the database as it is now, under another name. The gateway must be down."""
        self._in_postgres("create database {} template {}", copy, _name(self.dsn))

    def put_database(self, copy: str, *, aside: str) -> None:
        """Put the database called `copy` in the place of ours, which is then called `aside`."""
        self._in_postgres("alter database {} rename to {}", _name(self.dsn), aside)
        self._in_postgres("alter database {} rename to {}", copy, _name(self.dsn))

    def drop_database(self, name: str) -> None:
        """Drop a copy."""
        self.postgres.drop_database(name)

    def _in_postgres(self, statement: str, *names: str) -> None:
        for database in (_name(self.dsn), *names):
            self.end_sessions(database)
        with psycopg.connect(self.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def end_sessions(self, database: str | None = None) -> None:
        """Let the server end all sessions of ours, or of another database."""
        with psycopg.connect(self.postgres.dsn("postgres"), autocommit=True) as connection:
            query = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s"
            connection.execute(query, [database or _name(self.dsn)])

    # Its course

    def recover(self) -> float:
        """Wait until each device has a receipt for something that it signs from now on; returns the seconds it took."""
        began, marks = time.monotonic(), [len(half.said) for half in self.load.halves]
        self.load.sign(True)
        self.wait(
            lambda: all(mark in half.proven for mark, half in zip(marks, self.load.halves, strict=True)),
            "no receipts came again",
        )
        return time.monotonic() - began

    def rest(self) -> None:
        """Let the devices sign nothing more, and wait until all that they signed is proven."""
        self.load.sign(False)
        self.wait(lambda: self.load.is_drained, "what was signed was not all proven")

    def wait(self, claim: Callable[[], bool], otherwise: str, *, within_s: float = RECOVERY_S_MAX) -> None:
        """Wait for `claim`; raises Violation, with the gateway's last words, if it does not come about."""
        try:
            eventually(claim, within_s=within_s)
        except AssertionError as error:
            raise Violation(f"{otherwise} within {within_s:g} s: {self.complaints}\n{self.log(GATEWAY)}") from error

    @property
    def complaints(self) -> list[str]:
        """What devices and readers found wrong by themselves."""
        told = [complaint for half in self.load.halves for complaint in half.complaints]
        return [*told, *self.watch.complaints, *self.late, *self.load.faults]

    def check(self, *, at_rest: bool) -> list[str]:
        """Everything that is wrong."""
        found = check_world(self.dsn, self.folder, self.load.halves, list(self.watch.seen), at_rest=at_rest)
        return [*self.complaints, *found]


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process of the site's, if it is still there."""
    assert pid > 1, "a group's number, or nobody's"
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _name(dsn: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
