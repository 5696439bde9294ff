"""What the commands of all folders share: options that mean one thing everywhere, and examples in every help."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import click

from ledger.errors import UserError

_Command = TypeVar("_Command", bound=Callable[..., None])


def examples(*lines: str) -> str:
    """The end of a command's help: command lines as a person types them; one may go on in the next, after a \\."""
    return "\n  ".join(["\b\nExamples:", *lines])  # click leaves as it is what \b begins


class Headed(click.Group):
    """A group whose help lists its commands below headings, in the order in which they are added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._headings: dict[str, dict[str, str]] = {}

    def add(self, heading: str, told: Mapping[click.Command, str]) -> None:
        """Add commands below a heading, each with its line in the group's help."""
        for command in told:
            self.add_command(command)
        self._headings[heading] = {str(command.name): line for command, line in told.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for told in self._headings.values() for name in told]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands))
        for heading, told in self._headings.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), line) for name, line in told.items()])


def checked(check: Callable[[str], str]) -> Callable[..., str | None]:
    """An option's callback that lets `check` raise its UserError for a value that is given."""

    def callback(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
        return None if value is None else check(value)

    return callback


class Seconds(click.FloatRange):
    """A time to wait: from 0 seconds to a day."""

    name = "time in seconds"

    def __init__(self) -> None:
        super().__init__(min=0, max=86_400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):  # it is neither below a number nor above one
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


class Duration(click.ParamType[float]):
    """A time, as a number with its unit: 90s, 30m, 2h or 7d; in seconds."""

    name = "duration"
    _SECONDS: ClassVar[dict[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not isinstance(value, str):
            return float(value)
        number, unit = value[:-1], value[-1:]
        if not (number.isascii() and number.isdigit() and len(number) <= 9 and unit in self._SECONDS):
            self.fail(f"{value!r} is no duration; write it like 90s, 30m, 2h or 7d.", param, ctx)
        return float(int(number) * self._SECONDS[unit])


data = click.option("--data", type=click.Path(path_type=Path), help="Data folder (TALLYSTICK_DATA).")
dsn = click.option("--dsn", help="PostgreSQL to use (TALLYSTICK_DSN).")
timeout = click.option(
    "--timeout",
    type=Seconds(),
    metavar="SECONDS",
    default=15.0,
    show_default=True,
    help="How long to wait until it is done.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
as_json_lines = click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")
_trust = partial(click.option, "--trust", type=click.Path(path_type=Path), help="The operator's trust file.")
trust, needed_trust = _trust(), _trust(required=True)
token = click.option(
    "--token-file", type=click.Path(path_type=Path), help="A file with the token that opens more of an address to you."
)
every = click.option(
    "--every",
    type=Seconds(),
    metavar="SECONDS",
    default=30.0,
    show_default=True,
    help="How long to wait before looking again.",
)


def statement(command: _Command) -> _Command:
    """The options that name one statement, as `ledger.proof.proving.find` takes them."""
    for option in reversed(_STATEMENT):
        command = option(command)
    return command


_STATEMENT = (
    click.option("--statement", "statement_hash", metavar="HASH", help="By its SHA-256, 64 hexadecimal digits."),
    click.option("--chain", help="By its chain, with --index."),
    click.option("--index", type=int, help="Its place on the chain, from 0."),
    click.option("--device", metavar="NAME", help="By its stream, with --lane, --stream and --seq."),
    click.option("--lane", type=click.Choice(["events", "telemetry", "0", "1"]), help="The stream's lane."),
    click.option("--stream", metavar="HEX", help="The stream's id, 16 hexadecimal digits."),
    click.option("--seq", type=int, help="Its number in the stream, from 0."),
)


def reason(*, required: bool) -> Callable[[_Command], _Command]:
    """Why an operator decides something: it stands in the ledger for ever."""
    return click.option("--reason", required=required, callback=checked(_reason), help="Why, for the record.")


def _reason(text: str) -> str:
    from ledger.registry import is_text

    if not is_text(text):
        raise UserError(
            "a reason is one line of 1 to 256 characters", "say in a line why: it stands in the ledger for ever"
        )
    return text


def need_reason(reason: str | None) -> str:
    """The reason, where only some ways of calling a command need one; raises UserError."""
    if reason is None:
        raise UserError("why is not said", "give --reason: it stands in the ledger for ever")
    return reason


def warn(text: object) -> None:
    """Say on standard error what is amiss, and go on."""
    click.echo(f"tallystick: warning: {text}", err=True)
