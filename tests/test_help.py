"""Help that teaches: each command shows how it is used, by lines that can be used."""

import click
import pytest

from tests import commands

EVERY = dict(commands.every())
GROUPS = dict(commands.groups())


def _examples(command: click.Command) -> list[str]:
    """The command lines below "Examples:" in the help that a person sees, continuation lines joined."""
    text = command.get_help(click.Context(command)).partition("Examples:\n")[2]
    return [line.strip() for line in text.replace("\\\n", " ").splitlines()]


@pytest.mark.parametrize("name", EVERY)
def test_every_help_has_an_example_of_its_command(name: str) -> None:
    """One or two lines, each of the command itself, each with what it requires and nothing that it refuses."""
    examples = _examples(EVERY[name])
    assert 1 <= len(examples) <= 2
    for example in examples:
        assert commands.parse(example.removeprefix("tallystick ")) == name


@pytest.mark.parametrize("line", ["edge fly", "edge run --fast", "labels key --days 0", "labels print -o out", "up x"])
def test_a_wrong_example_would_fail(line: str) -> None:
    """The check above can fail: a command, an option, a value, a lack and an argument too many."""
    with pytest.raises((click.UsageError, AssertionError)):
        commands.parse(line)


def test_examples_fit_a_terminal() -> None:
    """An example is copied as it stands, so it breaks where its author broke it: at 90 columns or before."""
    helps = [command.get_help(click.Context(command)) for command in EVERY.values()]
    assert max(len(line) for text in helps for line in text.partition("Examples:\n")[2].splitlines()) <= 90


@pytest.mark.parametrize("words", GROUPS)
def test_a_groups_help_names_each_of_its_commands_in_one_whole_line(words: str) -> None:
    """Nothing is cut off or wrapped at 80 columns: one look says which command it is."""
    group = GROUPS[words]
    context = click.Context(group, terminal_width=80)
    told = group.get_help(context).partition("--help ")[2].partition("Examples:")[0].splitlines()[1:]
    rows = [line.split() for line in told if line.startswith("  ") and line.strip()]
    assert [row[0] for row in rows] == group.list_commands(context)
    assert all(row[-1].endswith(".") and not row[-1].endswith("...") for row in rows)
