"""Everything on one machine: PostgreSQL, broker, gateway, label service and agents over one data folder.

with Stack(data) as stack:      # takes the data folder's lock
    stack.start()               # in order; each part is ready before the next is started
    …                           # dead parts are restarted behind our back
                                # stopped in reverse order, the lock given back
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from deploy import acl, ports, settings_file
from deploy.broker import HOST, Broker
from deploy.children import Child, State, Supervisor
from deploy.credentials import write_private
from deploy.persist import persist
from deploy.postgres import Postgres
from ledger import genesis, names
from ledger.database import is_servers_fault
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import BrokerAddress

BROKER_PORT = 1883
LABELS_PORT = 8420
METRICS_PORT = 9464  # where a Prometheus exporter of this kind is looked for
_RELOAD_S_MAX = 5.0
_PASSWORD_FILE = "broker-password"  # noqa: S105  (where it is, not what)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose; None leaves a thing as it was, or to us."""

    dsn: str | None = None
    broker_kind: Literal["auto", "mosquitto", "amqtt"] = "auto"
    broker_port: int | None = None
    labels_port: int | None = None
    metrics_port: int | None = None
    labels_host: str | None = None
    ledger: str | None = None
    organisation: str | None = None
    names_ports: bool = True  # the user's command has options that do


class Stack:
    """The parts of one data folder. Only one process at a time may have it."""

    def __init__(
        self,
        data: Path,
        options: Options | None = None,
        *,
        progress: Progress = lambda line: None,
        on_change: Callable[[str, State], None] = lambda name, state: None,
    ) -> None:
        self.data = data
        self.options = options or Options()
        self.supervisor = Supervisor(data / "log", on_change)
        self.dsn = ""
        self._progress = progress
        self._exit = ExitStack()
        self._broker: Broker | None = None
        self._tables: dict[str, dict[str, Any]] = {}
        self._chosen: set[str] = set()  # tables whose port nobody named or kept

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            make_data_folder(self.data)
            entered.enter_context(_lock(self.data))
            self._tables = {name: dict(table) for name, table in settings_file.load(self.data).items()}
            entered.enter_context(self.supervisor)
            self._exit = entered.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._exit.close()

    def start(self) -> None:
        """Start all parts; returns when all are ready. Raises UserError, with what was started still to be stopped."""
        self.start_stores()
        self.make_ledger()
        self.start_services()
        for folder in sorted((self.data / "devices").glob("*/config.toml")):
            self.start_agent(folder.parent)

    def start_database(self) -> None:
        """Start PostgreSQL alone, and write where it is: for whoever restores a ledger before anything writes on it."""
        self._start_database()
        settings_file.save(self.data, self._tables)

    def start_stores(self) -> None:
        """Start PostgreSQL (unless the user names a server) and the broker, and write where they are."""
        self._start_database()
        self._choose_broker()
        self._start_at("broker", self._choose_broker, self._start_broker)
        self._choose_labels()
        self._choose_metrics()
        settings_file.save(self.data, self._tables)

    def make_ledger(self) -> None:
        """Make the ledger, once."""
        folder = LedgerFolder(self.data / "ledger")
        if folder.exists:
            return
        self._progress("making a ledger")
        name, organisation = self.options.ledger or names.LEDGER, self.options.organisation

        def init() -> None:
            genesis.init(folder, self.dsn, name=name, organisation=organisation, now_ms=time.time_ns() // 1_000_000)

        persist(init, is_passing=is_servers_fault, tell=self._progress)  # a run that died half-way is finished

    def start_services(self) -> None:
        """Start the gateway and the label service."""
        self.start_gateway()
        self._start_at("labels", self._choose_labels, self._start_labels)

    def start_gateway(self) -> None:
        """Start the gateway; it is called `gateway`."""
        self._start_at("metrics", self._choose_metrics, self._start_gateway)

    def start_agent(self, folder: Path) -> None:
        """Start the agent whose device's folder is `folder`; its child is called `edge-<folder's name>`."""
        self.supervisor.start(_command(f"edge-{folder.name}", "edge", "run", "--folder", str(folder)))

    def add_device(self, name: str) -> BrokerAddress:
        """Let the device `name` into the running broker, with a new password; returns when it may connect."""
        password = self.broker.add_user(name)
        deadline_s = time.monotonic() + _RELOAD_S_MAX  # a broker that dies now knows it when it is back
        while not self.broker.lets_in(name, password) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        return BrokerAddress(HOST, self.broker.port, name, password)

    @property
    def broker(self) -> Broker:
        """The broker, once it is started."""
        assert self._broker is not None
        return self._broker

    @property
    def labels_port(self) -> int:
        """Where the label service listens on loopback."""
        return int(self._tables["labels"]["port"])

    @property
    def labels_url(self) -> str:
        """The label service's loopback address."""
        return str(self._tables["labels"]["url"])

    @property
    def metrics_port(self) -> int:
        """Where the gateway serves /live, /ready and /metrics on loopback."""
        return int(self._tables["metrics"]["port"])

    def _start_database(self) -> None:
        kept = self._tables.get("database", {})
        named = self.options.dsn or (None if kept.get("embedded", True) else str(kept["dsn"]))
        if named is None:
            postgres = Postgres.open(self.data / "postgres", self._progress)
            self.supervisor.start(postgres.child())
            self.dsn = persist(postgres.create_database, is_passing=is_servers_fault, tell=self._progress)
        else:
            self.dsn = named
        self._tables["database"] = {"dsn": self.dsn, "embedded": named is None}

    def _start_at(self, table: str, choose: Callable[[], None], start: Callable[[], None]) -> None:
        """Start what listens at the table's port; if that was only chosen and is taken by now, choose again."""
        while True:
            try:
                return start()
            except UserError:
                if table not in self._chosen or ports.is_free(int(self._tables[table]["port"])):
                    raise
            del self._tables[table]["port"]
            choose()
            settings_file.save(self.data, self._tables)

    def _start_broker(self) -> None:
        port = int(self._tables["broker"]["port"])
        self._broker = Broker.open(self.data / "broker", port, self.options.broker_kind)
        self._tables["broker"]["kind"] = self._broker.kind
        self.supervisor.start(self._broker.child(acl.GATEWAY, self._password(self._broker)))

    def _password(self, broker: Broker) -> str:
        """The gateway's, which is made and kept if need be."""
        path = self.data / _PASSWORD_FILE
        if not path.exists() or not broker.has_user(acl.GATEWAY, path.read_text("utf-8").strip()):
            write_private(path, broker.add_user(acl.GATEWAY) + "\n")
        return path.read_text("utf-8").strip()

    def _start_gateway(self) -> None:
        run = ("gateway", "run", "--data", str(self.data), "--http", f"{HOST}:{self.metrics_port}")
        self.supervisor.start(_command("gateway", *run, ready_line="ready"))

    def _start_labels(self) -> None:
        serve = ("labels", "serve", "--data", str(self.data), "--port", str(self.labels_port))
        self.supervisor.start(_command("labels", *serve, ready_line="serving"))

    def _choose_broker(self) -> None:
        port = self._port("broker", self.options.broker_port, BROKER_PORT, "broker")
        login = {"username": acl.GATEWAY, "password_file": _PASSWORD_FILE}
        self._tables["broker"] = {"host": HOST, "port": port, **login}

    def _choose_labels(self) -> None:
        port = self._port("labels", self.options.labels_port, LABELS_PORT, "label service")
        host = self.options.labels_host or self._tables.get("labels", {}).get("host")
        self._tables["labels"] = {"url": f"http://{HOST}:{port}", "port": port}
        if host is not None:
            self._tables["labels"]["host"] = host

    def _choose_metrics(self) -> None:
        port = self._port("metrics", self.options.metrics_port, METRICS_PORT, "gateway's metrics page")
        self._tables["metrics"] = {"port": port}

    def _port(self, table: str, named: int | None, first: int, part: str) -> int:
        value = self._tables.get(table, {}).get("port")
        kept = value if isinstance(value, int) else None
        if named is None and kept is None:
            self._chosen.add(table)
        hint = f"name another with --{table}-port" if self.options.names_ports else "another data folder with --data"
        return ports.choose(kept, named=named, first=first, part=part, hint=hint, tell=self._progress)


def make_data_folder(data: Path) -> None:
    """Make the data folder, for its owner alone; root's lets others pass through, for the servers are others."""
    if data.exists() and not data.is_dir():
        raise UserError(f"{data} is not a folder", "name another one with --data")
    try:
        data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {data}: {error.strerror}", "name another one with --data") from error


@contextmanager
def temporary_data() -> Iterator[Path]:
    """A data folder that is removed with all that belongs to it."""
    data = Path(tempfile.mkdtemp(prefix="tallystick-"))
    data.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        yield data
    finally:
        remove_data(data)


def remove_data(data: Path) -> None:
    """Remove a data folder that nobody uses, and what is kept elsewhere for it."""
    for name in ("postgres", "broker"):
        with contextlib.suppress(OSError):
            shutil.rmtree((data / name / "socket-folder").read_text("utf-8"))
        shutil.rmtree((data / name).resolve(), ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)


def run_command(*args: str) -> str:
    """Run `tallystick ARGS` to its end and return what it printed; its error becomes our UserError."""
    done = subprocess.run(
        [sys.executable, "-m", "tallystick", *args],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return done.stdout
    told = dict(line.removeprefix("tallystick: ").partition(": ")[::2] for line in done.stderr.splitlines())
    if not {"error", "hint"} <= told.keys():
        raise RuntimeError(f"'tallystick {' '.join(args)}' failed:\n{done.stderr}")
    raise UserError(told["error"], told["hint"])


def _command(name: str, *args: str, ready_line: str | None = None) -> Child:
    argv = (sys.executable, "-m", "tallystick", *args)
    return Child(name=name, argv=argv, env=_environment(), ready_line=ready_line)


def _environment() -> dict[str, str]:
    """Ours, without what would overrule the data folder's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
    return kept | {"PYTHONUNBUFFERED": "1"}  # what a child prints is in its log at once


@contextmanager
def _lock(data: Path) -> Iterator[None]:
    path = data / "lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise UserError(
                f"process {file.read().strip() or 'unknown'} runs on {data} already",
                "stop it, or name another folder with --data",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
