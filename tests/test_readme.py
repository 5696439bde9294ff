"""The README says nothing that is not: its commands exist, and all commands are in it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.running import eventually

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)


def _prompts() -> list[str]:
    """The command lines of all console blocks, continuation lines joined."""
    text = "\n".join(BLOCKS).replace("\\\n", " ")
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def _documented() -> set[str]:
    """The commands of the README's table: a cell may name several of a group."""
    found = set()
    for cell in re.findall(r"^\| (`tallystick .*?) \|", README, re.MULTILINE):
        first, *others = re.findall(r"`(.*?)`", cell)
        words = first.removeprefix("tallystick ").split()
        found |= {" ".join(words), *(" ".join([*words[:-1], other]) for other in others)}
    return found


def test_every_command_is_in_the_table_and_no_other() -> None:
    """A command that is not documented is not found; one that is not there is a lie."""
    assert _documented() == {name for name, _ in commands.every()}


@pytest.mark.parametrize("line", [line for line in _prompts() if "tallystick " in line and "git clone" not in line])
def test_every_printed_command_line_parses(line: str) -> None:
    """The options that the README prints exist and take what it gives them."""
    commands.parse(line.partition("tallystick ")[2])


def test_every_make_target_exists() -> None:
    """`make` targets in README and CONTRIBUTING are in the Makefile."""
    named = set(re.findall(r"\bmake ([a-z-]+)\b", README + (ROOT / "CONTRIBUTING.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "help"} <= named <= targets | {"git"}


class Terminals:
    """Shells in a clone with an empty home, for the lines of a session; `up` and `edge run` get one of their own."""

    def __init__(self, home: Path) -> None:
        self._home, self._port = home, ""
        (home / ".venv").symlink_to(sys.prefix)

    def run(self, line: str) -> str:
        """What the line prints; it must succeed, at the latest when a device's first readings can be there."""
        deadline = time.monotonic() + (30 if " ledger prove " in line else 0)
        while True:
            done = subprocess.run(**self._shell(line), capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return str(done.stdout)
            assert time.monotonic() < deadline, f"$ {line}\n{done.stdout}{done.stderr}"
            time.sleep(0.5)

    @contextmanager
    def running(self, line: str, ready: str) -> Iterator[str]:
        """The line runs in the block, which begins when it has printed `ready`; then it ends well, by Ctrl-C."""
        with tempfile.NamedTemporaryFile("w", dir=self._home) as printed:
            process = subprocess.Popen(**self._shell(f"exec {line}"), stdout=printed, stderr=subprocess.STDOUT)
            try:
                eventually(lambda: ready in Path(printed.name).read_text() or process.poll() is not None, within_s=30)
                told = Path(printed.name).read_text()
                assert process.poll() is None, f"$ {line}\n{told}"
                self._port = self._port or re.findall(r"mqtt://127.0.0.1:(\d+)", told)[0]
                yield told
                process.send_signal(signal.SIGINT)
                assert process.wait(30) == 0, Path(printed.name).read_text()
            finally:
                process.kill()
                process.wait()

    def _shell(self, line: str) -> dict[str, Any]:
        """The line as it is printed, but for the broker's port, where 1883 was taken."""
        line = line.replace("127.0.0.1:1883", f"127.0.0.1:{self._port}")
        environment = {"HOME": str(self._home), "PATH": os.environ["PATH"]}
        return {"args": ["/bin/sh", "-c", line], "cwd": self._home, "env": environment}


def test_the_second_session_runs_as_printed(open_folder: Path) -> None:
    """`up`, a device let in, made, registered and run, one of its statements proven and verified: line by line."""
    lines = _prompts()
    session = lines[next(number for number, line in enumerate(lines) if "tallystick up" in line) :]
    terminals = Terminals(open_folder)
    with ExitStack() as running:
        for line in session:
            if "tallystick up" in line:
                running.enter_context(terminals.running(line, "Ctrl-C stops everything"))
            elif "tallystick edge run" in line:
                running.enter_context(terminals.running(line, "connected to the broker"))
            else:
                told = terminals.run(line)
    assert " ledger verify " in session[-1]
    assert "\N{CHECK MARK} 9 " in told and "device     press-1" in told
