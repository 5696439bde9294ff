"""`tallystick up`, as a user runs it."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.test_children import is_alive
from tests.running import eventually, free_port

PARTS = ("postgres", "broker", "gateway", "labels")


@contextmanager
def up(data: Path) -> Iterator["tuple[subprocess.Popen[str], list[str]]"]:
    """The running command, and what it printed until all was ready."""
    ports = [word for of in ("broker", "labels", "metrics") for word in (f"--{of}-port", str(free_port()))]
    with started(data, *ports) as process:
        yield process, printed_by(process)


def printed_by(process: "subprocess.Popen[str]") -> list[str]:
    """What the command prints until all is ready."""
    assert process.stdout is not None
    printed: list[str] = []
    while not printed or "Ctrl-C" not in printed[-1]:
        line = process.stdout.readline()
        assert line, printed
        printed.append(line)
    return printed


@contextmanager
def started(data: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The command, just started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tallystick", "up", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def children_of(process: "subprocess.Popen[str]") -> list[int]:
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_until_it_is_stopped(open_folder: Path, number: signal.Signals) -> None:
    """It shows each part as it becomes ready, and a signal stops them all, cleanly, with exit code 0."""
    with up(open_folder / "data") as (process, printed):
        assert [line.split()[0] for line in printed if "ready after" in line] == list(PARTS)
        children = children_of(process)
        assert len(children) == len(PARTS)
        process.send_signal(number)
        assert process.wait(30) == 0
        assert not any(map(is_alive, children))


def test_sigkill_leaves_no_orphan(open_folder: Path) -> None:
    """Killed with SIGKILL, it takes all its parts along, and runs again on the same data."""
    with up(open_folder / "data") as (process, _):
        children = children_of(process)
        process.kill()
        process.wait()
        eventually(lambda: not any(map(is_alive, children)))
    with up(open_folder / "data"):
        pass


def test_two_at_once_do_not_get_in_each_others_way(open_folder: Path) -> None:
    """Two that are started together choose their ports together, and both come up."""
    with started(open_folder / "one") as one, started(open_folder / "two") as two:
        addresses = [
            line.split()[1]
            for process in (one, two)
            for line in printed_by(process)
            if line.startswith(("broker ", "labels ", "metrics "))
        ]
        assert len(set(addresses)) == 6


def test_second_is_refused(open_folder: Path) -> None:
    """A second one on the same folder is an error that names the first, and harms nothing."""
    with up(open_folder / "data") as (process, _):
        argv = [sys.executable, "-m", "tallystick", "up", "--data", str(open_folder / "data")]
        second = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert second.stderr.startswith(f"tallystick: error: process {process.pid} runs on")
        assert "tallystick: hint: " in second.stderr
        assert process.poll() is None
        assert len(children_of(process)) == len(PARTS)


def test_the_gateway_can_be_asked_how_it_is(open_folder: Path) -> None:
    """`up` prints where its metrics are; beside them /ready says that all is well."""
    with up(open_folder / "data") as (_, printed):
        [address] = [line.split()[1] for line in printed if line.startswith("metrics ")]
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert b'tallystick_chain_held{chain="production"} 1.0' in answer.read()
        with urllib.request.urlopen(address.replace("/metrics", "/ready"), timeout=10) as answer:
            assert json.load(answer)["ready"] is True


def test_a_ledger_moves_to_another_folder(open_folder: Path) -> None:
    """Backed up while it runs, restored beside the database alone, accepted, and run: one ledger, as it was."""
    old, new, backup = (str(open_folder / name) for name in ("old", "new", "backup"))
    with up(Path(old)) as (process, _):
        tallystick("ledger", "backup", backup, "--data", old, "--keys")
        process.send_signal(signal.SIGINT)
        process.wait(30)
    with started(Path(new), "--only-database") as process:
        printed = printed_by(process)
        assert [line.split()[0] for line in printed if "ready after" in line] == ["postgres"]
        tallystick("ledger", "restore", backup, "--data", new)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    refused = run("up", "--data", new)  # and what it says is the way out
    assert refused.returncode == 1 and "gateway did not start" in refused.stderr
    hint = refused.stderr.partition("tallystick: hint: ")[2]
    assert "'tallystick ledger accept-rollback'" in hint and "'tallystick up --only-database'" in hint
    with started(Path(new), "--only-database") as process:
        printed_by(process)
        shown = tallystick("ledger", "accept-rollback", "--data", new)
        named = shown.split("  tallystick ")[1].partition(" --reason")[0]
        tallystick(*named.split(), "--reason", "it moves")
        process.send_signal(signal.SIGINT)
        process.wait(30)
    with up(Path(new)):
        assert json.loads(tallystick("ledger", "audit", "--data", new, "--json"))["ok"]
        assert Path(new, "ledger", "trust.json").read_text() == Path(old, "ledger", "trust.json").read_text()


def run(*args: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    argv = [sys.executable, "-m", "tallystick", *args]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)


def tallystick(*args: str) -> str:
    """What a command prints that must succeed."""
    done = run(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
