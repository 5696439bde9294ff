"""The commands as a person types them: run, and whether a command line is one."""

import io
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import click

import tallystick


class Ran(NamedTuple):
    """What a command line came to: its exit code, and what it printed."""

    code: int
    out: str
    err: str


def run(*args: str | Path) -> Ran:
    """Run the command line after `tallystick`, in this process: it starts at once, and sees what a test has patched."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = tallystick.run([str(arg) for arg in args])
    return Ran(code, out.getvalue(), err.getvalue())


def every() -> Iterator[tuple[str, click.Command]]:
    """Each command that does something, by what a person types: `edge run`."""
    context = click.Context(tallystick.cli)
    for name in tallystick.cli.list_commands(context):
        command = tallystick.cli.get_command(context, name)
        if command is not None:
            yield from _inner(name, command)


def groups() -> Iterator[tuple[str, click.Group]]:
    """Each group of commands, by what a person types; the front door is ""."""
    waiting: list[tuple[str, click.Command]] = [("", tallystick.cli)]
    while waiting:
        words, command = waiting.pop()
        if isinstance(command, click.Group):
            yield words, command
            context = click.Context(command)
            inner = ((name, command.get_command(context, name)) for name in command.list_commands(context))
            waiting += [(f"{words} {name}".strip(), one) for name, one in inner if one is not None]


def _inner(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _inner(f"{words} {name}", inner)
    else:
        yield words, command


def parse(line: str) -> str:
    """Parse the command line after `tallystick`: options, their values, and what is required; returns the command.

    Raises what the command line itself would. Files need not be there.
    """
    args, context = shlex.split(line.partition(" > ")[0]), click.Context(tallystick.cli, info_name="tallystick")
    command: click.Command | None = tallystick.cli
    while isinstance(command, click.Group):
        command, name = command.get_command(context, args[0]), args[0]
        assert command is not None, name
        context, args = click.Context(command, parent=context, info_name=name), args[1:]
    assert command is not None
    values, beyond, _ = command.make_parser(context).parse_args(list(args))
    assert not beyond
    for parameter in command.get_params(context):
        if not isinstance(parameter.type, click.File):
            parameter.handle_parse_result(context, values, [])
        elif parameter.required:
            assert values[parameter.name], parameter.name
    return context.command_path.removeprefix("tallystick ")
