"""The READMEs say nothing that is not: their commands, options and links are there, and all commands are in a table."""

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

import click
import pytest

from tests import commands
from tests.running import eventually

ROOT = Path(__file__).parent.parent
PARTS = ("edge", "gateway", "labels", "ledger", "deploy")
READMES = ("README.md", *(str(path.relative_to(ROOT)) for part in PARTS for path in (ROOT / part).rglob("README.md")))
DOCUMENTS = (*READMES, "CONTRIBUTING.md", "THREATS.md")
LINE = re.compile(r"^(?:    |\$ )?(?:\.venv/bin/)?tallystick (.+)$", re.MULTILINE)
everywhere = pytest.mark.parametrize("document", DOCUMENTS)


def _text(document: str) -> str:
    return (ROOT / document).read_text()


def _prompts(document: str) -> list[str]:
    """The command lines of all console blocks, continuation lines joined."""
    blocks = re.findall(r"```console\n(.*?)```", _text(document), re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def _printed() -> list[str]:
    """What stands after `tallystick` on each line of code that begins so, in whatever block, without its comment."""
    lines = [line for document in DOCUMENTS for line in LINE.findall(_text(document).replace("\\\n", " "))]
    return [re.sub(r"\s+# .*", "", line) for line in lines]


def _documented() -> set[str]:
    """The commands of the README's table: a cell may name several of a group."""
    found = set()
    for cell in re.findall(r"^\| (`tallystick .*?) \|", _text("README.md"), re.MULTILINE):
        first, *others = re.findall(r"`(.*?)`", cell)
        words = first.removeprefix("tallystick ").split()
        found |= {" ".join(words), *(" ".join([*words[:-1], other]) for other in others)}
    return found


def _options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def _anchors(document: str) -> set[str]:
    """What a link may name behind the `#`: each heading in small letters, its words joined by hyphens."""
    headings = re.findall(r"^#+ (.+)$", _text(document), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_command_is_in_the_table_and_no_other() -> None:
    """A command that is not documented is not found; one that is not there is a lie."""
    assert _documented() == {name for name, _ in commands.every()}


@pytest.mark.parametrize("line", _printed())
def test_every_printed_command_line_parses(line: str) -> None:
    """The options that a document prints exist and take what it gives them."""
    commands.parse(line)


@everywhere
def test_every_command_and_option_that_is_named_exists(document: str) -> None:
    """Also within a sentence: `labels reconcile`, `--publish`."""
    words = set(re.findall(r"`(?:tallystick )?((?:edge|gateway|labels|ledger) [a-z][a-z0-9-]*)", _text(document)))
    assert words <= {" ".join(name.split()[:2]) for name, _ in commands.every()}
    options = set(re.findall(r"`(--[a-z][a-z0-9-]*)", _text(document)))
    assert options <= {"--help"}.union(*(_options(command) for _, command in commands.every()))


@everywhere
def test_every_link_leads_somewhere(document: str) -> None:
    """A link to another document, or to a section of it, finds it."""
    for link in re.findall(r"\]\(([^)]+)\)", _text(document)):
        path, _, section = link.partition("#")
        if path.startswith("https://"):
            continue
        target = str((ROOT / document).parent.joinpath(path).resolve().relative_to(ROOT)) if path else document
        assert (ROOT / target).exists(), link
        assert not section or section in _anchors(target), link


def test_every_make_target_exists() -> None:
    """`make` targets that the documents name are in the Makefile."""
    named = set(re.findall(r"\bmake ([a-z-]+)\b", "".join(map(_text, (*READMES, "CONTRIBUTING.md")))))
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


def _told(session: list[str], home: Path) -> list[str]:
    """What each line of a session prints, run as it stands; `up` and `edge run` go on to the end, and print nothing."""
    terminals, told = Terminals(home), []
    with ExitStack() as running:
        for line in session:
            if "tallystick up" in line:
                running.enter_context(terminals.running(line, "Ctrl-C stops everything"))
            elif "tallystick edge run" in line:
                running.enter_context(terminals.running(line, "connected to the broker"))
            else:
                told.append(terminals.run(line))
    return told


def test_the_second_session_runs_as_printed(open_folder: Path) -> None:
    """`up`, a device let in, made, registered and run, one of its statements proven and verified: line by line."""
    lines = _prompts("README.md")
    session = lines[next(number for number, line in enumerate(lines) if "tallystick up" in line) :]
    told = _told(session, open_folder)[-1]
    assert " ledger verify " in session[-1]
    assert "\N{CHECK MARK} 9 " in told and "device     press-1" in told


def test_the_session_of_labels_runs_as_printed(open_folder: Path) -> None:
    """`up`, a lot issued, printed and read back off its sheets offline, two spoiled, all counted: line by line."""
    *_, read, marked, counted = _told(_prompts("labels/README.md"), open_folder)
    assert read.count("SIGNED, BUT NOT COUNTED HERE") == 24
    assert "2 labels marked as spoiled" in marked
    assert re.search(r"L2606A +24 +24 +0 +2 +0 +22 +0", counted)
