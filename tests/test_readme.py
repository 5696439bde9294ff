"""The README says nothing that is not: its commands exist, and all commands are in it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import tallystick

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)


def _prompts() -> list[str]:
    """The command lines of all console blocks, continuation lines joined."""
    text = "\n".join(BLOCKS).replace("\\\n", " ")
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def _commands() -> Iterator[str]:
    """Every command there is, as a person types it."""
    context = click.Context(tallystick.cli)
    for name in tallystick.cli.list_commands(context):
        command = tallystick.cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {inner}" for inner in command.commands)
        else:
            yield name


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
    assert _documented() == set(_commands())


@pytest.mark.parametrize("line", [line for line in _prompts() if "tallystick " in line and "git clone" not in line])
def test_every_printed_command_line_parses(line: str) -> None:
    """The options that the README prints exist and take what it gives them."""
    words = shlex.split(line.partition(" > ")[0])
    args = words[next(i for i, word in enumerate(words) if word.endswith("tallystick")) + 1 :]
    context = click.Context(tallystick.cli, info_name="tallystick")
    command: click.Command | None = tallystick.cli
    while isinstance(command, click.Group):
        command, name = command.get_command(context, args[0]), args[0]
        assert command is not None, name
        context, args = click.Context(command, parent=context, info_name=name), args[1:]
    assert command is not None
    parser = command.make_parser(context)
    _, _, order = parser.parse_args(list(args))
    assert order is not None


def test_every_make_target_exists() -> None:
    """`make` targets in README and CONTRIBUTING are in the Makefile."""
    named = set(re.findall(r"\bmake ([a-z-]+)\b", README + (ROOT / "CONTRIBUTING.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "help"} <= named <= targets | {"git"}
