"""One data folder: one `up` at a time, the same ports and the same database from run to run."""

import functools
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

import ledger
from deploy import ports
from deploy import stack as stack_module
from deploy.stack import Options, Stack, remove_data, temporary_data
from ledger.errors import UserError
from ledger.settings import Settings
from tests.deploy.test_children import is_alive
from tests.running import eventually, free_port

KINDS = pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])


def options(kind: str = "auto") -> Options:
    """With ports that no other test takes between two runs."""
    return Options(
        broker_kind=kind,  # type: ignore[arg-type]
        broker_port=free_port(),
        labels_port=free_port(),
        metrics_port=free_port(),
    )


@KINDS
def test_writes_where_everything_is(open_folder: Path, kind: str) -> None:
    """The settings that every command reads lead to the running database and broker."""
    data = open_folder / "data"
    with Stack(data, options(kind)) as stack:
        stack.start_stores()
        settings = Settings.load(data, environ={})
        with psycopg.connect(settings.need_dsn()) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("tallystick",)
        address = settings.need_broker()
        assert stack.broker.lets_in(address.username or "", address.password or "")
        assert settings.labels_url == stack.labels_url == f"http://127.0.0.1:{stack.labels_port}"
        device = stack.add_device("oven-1")
        eventually(lambda: stack.broker.lets_in("oven-1", device.password or ""))
    for name in ("tallystick.toml", "broker-password"):
        assert (data / name).stat().st_mode & 0o777 == 0o600


def test_ports_users_and_tables_are_kept(open_folder: Path) -> None:
    """A second run has the first one's ports, users and rows, without being told."""
    data = open_folder / "data"
    with Stack(data, options()) as stack:
        stack.start_stores()
        first, port = Settings.load(data, environ={}), stack.broker.port
        with psycopg.connect(stack.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept ()")
    with Stack(data) as stack:
        stack.start_stores()
        assert Settings.load(data, environ={}) == first
        assert stack.broker.port == port
        with psycopg.connect(stack.dsn) as connection:
            connection.execute("SELECT FROM kept")


def test_second_up_is_refused(open_folder: Path) -> None:
    """While one process runs on a data folder, another is told so, and by whom."""
    data = open_folder / "data"
    with Stack(data), pytest.raises(UserError, match=f"process {os.getpid()} runs on .* already"), Stack(data):
        pass
    with Stack(data):
        pass


def test_own_database_is_used_and_remembered(open_folder: Path, postgres_dsn: str) -> None:
    """A server of the user's own is used, now and the next time, and no other is started."""
    data = open_folder / "data"
    for dsn in (postgres_dsn, None):
        with Stack(data, replace(options(), dsn=dsn)) as stack:
            stack.start_stores()
            assert stack.dsn == postgres_dsn
            assert not (data / "postgres").exists()


def test_taken_port_is_an_error(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another program holds is not used in its stead."""
    monkeypatch.setattr(ports, "_FREED_S_MAX", 0.1)
    with Stack(open_folder / "one", options()) as one:
        one.start_stores()
        taken = Options(broker_port=one.broker.port)
        with Stack(open_folder / "two", taken) as two, pytest.raises(UserError, match=r"port \d+ is taken") as caught:
            two.start_stores()
    assert "--broker-port" in caught.value.hint


def test_a_port_of_another_program_is_told_of(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the usual port is taken, it says so, and which one the broker, or the label service, has instead."""
    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as broker, socket.create_server(("127.0.0.1", 0)) as labels:
        taken = [server.getsockname()[1] for server in (broker, labels)]
        monkeypatch.setattr(stack_module, "BROKER_PORT", taken[0])
        monkeypatch.setattr(stack_module, "LABELS_PORT", taken[1])
        with Stack(open_folder / "data", progress=told.append) as stack:
            stack.start_stores()
            assert f"port {taken[0]} is taken: the broker will listen at {stack.broker.port}" in told
            assert f"port {taken[1]} is taken: the label service will listen at {stack.labels_port}" in told
            assert {stack.broker.port, stack.labels_port}.isdisjoint(taken)


def test_a_chosen_port_that_another_was_quicker_to_take_is_chosen_again(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part starts elsewhere, says so, and the settings lead there; also if it is a broker that was quicker."""
    told: list[str] = []
    next_free = ports.next_free
    with Stack(open_folder / "one", options()) as one, ExitStack() as quicker:
        one.start_stores()
        seen_too_soon = iter([one.broker.port])
        monkeypatch.setattr(ports, "next_free", lambda first: next(seen_too_soon, None) or next_free(first))
        with Stack(open_folder / "two", progress=told.append) as two:
            two.start_stores()
            assert two.broker.port != one.broker.port
            taken = {one.broker.port, two.labels_port, two.metrics_port}
            for port in (two.labels_port, two.metrics_port):
                quicker.enter_context(socket.create_server(("127.0.0.1", port)))
            two.make_ledger()
            two.start_services()
            assert taken.isdisjoint({two.broker.port, two.labels_port, two.metrics_port})
            settings = Settings.load(two.data, environ={})
            assert settings.need_broker().port == two.broker.port
            assert settings.labels_url == f"http://127.0.0.1:{two.labels_port}"
    for part in ("broker", "label service", "gateway's metrics page"):
        assert any(f"is taken: the {part} will listen at" in line for line in told)


def test_a_kept_port_that_is_taken_is_not_given_up(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices know it. The hint names an option only if the user's command has it."""
    monkeypatch.setattr(ports, "_FREED_S_MAX", 0.1)
    data = open_folder / "data"
    with Stack(data, options()) as stack:
        stack.start_stores()
        port = stack.broker.port
    for names_ports in (True, False):
        with (
            socket.create_server(("127.0.0.1", port)),
            Stack(data, Options(names_ports=names_ports)) as stack,
            pytest.raises(UserError, match=f"port {port} is taken") as caught,
        ):
            stack.start_stores()
        assert ("--broker-port" in caught.value.hint) is names_ports


@pytest.mark.parametrize(
    "moment", ["genesis.migrate", "genesis._insert_chains", "genesis.ChainWriter", "checkpoint_file.write"]
)
def test_a_ledger_is_made_although_the_database_is_killed(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Killed before any step of it, the database comes back, and what was half made is completed."""
    with Stack(open_folder / "data", options()) as stack:
        stack.start_stores()
        step: Any = functools.reduce(getattr, moment.split("."), cast("Any", ledger))
        killed: list[int] = []

        def kill(*args: object, **named: object) -> object:
            if not killed:
                killed.append(stack.supervisor.pid("postgres") or 0)
                stack.supervisor.send("postgres", signal.SIGKILL)
            return step(*args, **named)

        monkeypatch.setattr(f"ledger.{moment}", kill)
        stack.make_ledger()
        assert killed
        stack.start_services()
        assert "all is as it should be" in stack_module.run_command("ledger", "audit", "--data", str(stack.data))


def test_free_usual_ports_are_not_worth_a_word(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that was free, or that is kept from the run before, is nothing to tell of."""
    monkeypatch.setattr(stack_module, "BROKER_PORT", free_port())
    monkeypatch.setattr(stack_module, "LABELS_PORT", free_port())
    monkeypatch.setattr(stack_module, "METRICS_PORT", free_port())
    for _ in range(2):
        told: list[str] = []
        with Stack(open_folder / "data", progress=told.append) as stack:
            stack.start_stores()
        assert not any("taken" in line for line in told)


@KINDS
def test_sigkill_leaves_no_orphan_and_no_obstacle(open_folder: Path, kind: str) -> None:
    """After SIGKILL of the whole, its servers end, and the next run starts with all that was committed."""
    data, chosen = open_folder / "data", options(kind)
    script = (
        "import sys, time; from pathlib import Path; from deploy.stack import *\n"
        "with Stack(Path(sys.argv[1]), Options(None, sys.argv[2], *map(int, sys.argv[3:]))) as stack:\n"
        "    stack.start_stores()\n"
        "    print(stack.supervisor.pid('postgres'), stack.supervisor.pid('broker'), flush=True); time.sleep(600)\n"
    )
    chosen_ports = map(str, (chosen.broker_port, chosen.labels_port, chosen.metrics_port))
    argv = [sys.executable, "-c", script, str(data), kind, *chosen_ports]
    for again in (True, False):
        parent = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        pids = [int(text) for text in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
        if not again:  # the first time the next run comes while they still end
            eventually(lambda ended=pids: not any(map(is_alive, ended)))  # type: ignore[misc]


def test_removed_data_leaves_nothing(monkeypatch: pytest.MonkeyPatch, open_folder: Path) -> None:
    """A temporary data folder goes with what is kept elsewhere for it."""
    monkeypatch.setattr("tempfile.tempdir", str(open_folder))
    with temporary_data() as data, Stack(data, options()) as stack:
        stack.start_stores()
    assert list(open_folder.iterdir()) == []
    remove_data(data)
