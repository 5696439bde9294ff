"""Real servers for tests: on free ports, in short folders, ended with the test."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy import acl
from deploy.broker import Broker, Kind
from deploy.children import Supervisor
from ledger.settings import BrokerAddress

_ports = iter(range(random.randrange(20_000, 30_000), 32_768))  # below those that Linux gives by itself


def make_open_folder() -> Path:
    """A short temporary folder that every user may pass into (pytest's own are closed to all but us)."""
    folder = Path(tempfile.mkdtemp(prefix="tally-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


def free_port() -> int:
    """A loopback port that nobody listens on, nor gets meanwhile: each is given once, and the system gives higher ones.

    Tests that run beside these begin elsewhere.
    """
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is left")


def eventually(claim: Callable[[], bool], *, within_s: float = 10) -> None:
    """Wait until `claim` holds; fail if it does not within the time."""
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@contextmanager
def serving(*args: str) -> Iterator[str]:
    """`tallystick ARGS`, a server over HTTP, on a free port; yields its address."""
    argv = [sys.executable, "-m", "tallystick", *args, "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving http://127.0.0.1:"), line
            yield line.split()[1]
        finally:
            process.terminate()
            process.wait(10)


def until_one_waits(dsn: str) -> None:
    """Wait until a session of this database waits for another's lock."""
    query = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with psycopg.connect(dsn, autocommit=True) as connection:
        eventually(lambda: connection.execute(query).fetchone() is not None, within_s=20)


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """A broker of the test's own, which the test may kill or feed with users."""

    broker: Broker
    supervisor: Supervisor

    @property
    def kind(self) -> Kind:
        """Which program it is."""
        return self.broker.kind

    def gateway(self) -> BrokerAddress:
        """Where it listens, with a fresh password for the gateway."""
        return self.device(acl.GATEWAY)

    def device(self, name: str) -> BrokerAddress:
        """Where it listens, with a fresh password for the device `name`, already let in."""
        password = self.broker.add_user(name)
        eventually(lambda: self.broker.lets_in(name, password))
        return BrokerAddress("127.0.0.1", self.broker.port, name, password)

    def kill(self) -> None:
        """kill -9; the supervisor starts it again."""
        pid = self.supervisor.pid("broker")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
