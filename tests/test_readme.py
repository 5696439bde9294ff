"""The README says nothing that is not: its commands exist, and all commands are in it."""

import re
from pathlib import Path

import pytest

from tests import commands

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
        found |= {" ".join(words), *(f"{words[0]} {other}" for other in others)}
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
