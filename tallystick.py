"""The front door: one command, `tallystick`, that loads a folder's own command only when it is called.

A mistake of the user's, or the world's, is told as `tallystick: error: …` and `tallystick: hint: …`, exit code 1;
a fault of ours shows its traceback.
"""

import errno
import importlib
import re
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

try:
    import click

    from ledger.command_line import examples
    from ledger.errors import OutsideError, UserError
    from ledger.terminal import printable
except KeyboardInterrupt:  # Ctrl-C before there is a command to tell
    sys.exit(130)


class Folder(NamedTuple):
    """Where a command lives, what it is for, and the extra that brings what it imports."""

    module: str
    attribute: str
    extra: str
    help: str


# The help stands here so that `tallystick --help` imports no folder.
COMMANDS = {
    "edge": Folder("edge.cli", "cli", "edge", "Run a device: read sensors, sign, keep until proven."),
    "gateway": Folder("gateway.cli", "cli", "gateway", "Take in what devices publish, and seal it in blocks."),
    "labels": Folder("labels.cli", "cli", "labels", "Issue, print and serve signed QR labels."),
    "ledger": Folder("ledger.cli", "cli", "ledger", "Start a ledger; register, prove, verify and audit."),
    "up": Folder("deploy.cli", "up", "all", "Run everything on this machine, until Ctrl-C."),
    "broker-user": Folder("deploy.cli", "broker_user", "all", "Let a device in at this machine's broker."),
    "demo": Folder("deploy.demo", "demo", "all", "The same, fed with real readings: a product's story."),
}
_OUTSIDE_HINT = "what was given is damaged or of another kind: is it the file you mean, and whole?"
_OURS = ("edge", "gateway", "labels", "ledger", "deploy", "tallystick")


_EXAMPLES = examples("tallystick demo", "tallystick up --data ~/tally", "tallystick ledger verify --help")


class LazyGroup(click.Group):
    """A group that knows its commands by name and help, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        folder = COMMANDS.get(cmd_name)
        if folder is None:
            return None
        command = getattr(importlib.import_module(folder.module), folder.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, folder.help) for name, folder in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXAMPLES)
@click.version_option(package_name="tallystick", message="%(prog)s %(version)s")
def cli() -> None:
    """Signed readings and supply-chain events, in blocks that anyone can check."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line `args` (default: the process's own) and exit."""
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: Sequence[str]) -> int:
    """Run the command line `args` and return the exit code: 0, 1 for any mistake, 130 for Ctrl-C."""
    try:
        _refuse_empty(args)
        return _exit_code(cli.main(list(args), prog_name="tallystick", standalone_mode=False))
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        return 1
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 1
    except Exception as error:
        mistake = _as_user_error(error, args)
        if mistake is None:
            raise
        _tell(mistake)
        return 1


def _refuse_empty(args: Sequence[str]) -> None:
    """No command takes an empty text: mostly it is a shell's variable that is not set, and a default would be taken."""
    for before, arg in zip(["tallystick", *args], args, strict=False):
        if not arg or re.fullmatch("--[a-z-]+=", arg):
            raise UserError(f"there is an empty text after '{arg or before}'", "say it, or leave it out")


def _exit_code(result: Any) -> int:
    # Without standalone mode, click returns what `ctx.exit(code)` said, or what the command returned.
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _tell(mistake: UserError) -> None:
    """What is said may be another's words: a terminal obeys none of them."""
    for name, text in (("error", str(mistake)), ("hint", mistake.hint)):
        click.echo(f"tallystick: {name}: " + "\n".join(map(printable, text.split("\n"))), err=True)


def _as_user_error(error: Exception, args: Sequence[str]) -> UserError | None:
    """The mistake that `error` tells of, or None if it is a fault of ours."""
    match error:
        case UserError():
            return error
        case OutsideError():
            return UserError(str(error), _OUTSIDE_HINT)
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "tallystick"
            return UserError(error.format_message(), f"see '{path} --help'")
        case click.ClickException():  # a file that could be opened no more
            return UserError(error.format_message(), _OUTSIDE_HINT)
        case ModuleNotFoundError(name=str(name)) if name.partition(".")[0] not in _OURS:
            return _missing_extra(name.partition(".")[0], args)
        case UnicodeDecodeError():
            return UserError("the input is not UTF-8 text", _OUTSIDE_HINT)
        case OSError(filename=str(filename)):
            return UserError.of_system(filename, error)
        case OSError(errno=errno.ENOSPC):
            return UserError.of_system("cannot write", error)
    return _as_database_error(error)


def _missing_extra(module: str, args: Sequence[str]) -> UserError:
    command = next((arg for arg in args if arg in COMMANDS), "up")
    return UserError(
        f"'tallystick {command}' needs the module '{module}', which is not installed",
        f"pip install 'tallystick[{COMMANDS[command].extra}]'",
    )


def _as_database_error(error: Exception) -> UserError | None:
    psycopg: Any = sys.modules.get("psycopg")  # not imported: then it is not psycopg's error
    if psycopg is None or not isinstance(error, psycopg.OperationalError):
        return None
    return UserError(
        f"the database does not answer: {str(error).strip()}",
        "start it with 'tallystick up', or name a server in TALLYSTICK_DSN",
    )


if __name__ == "__main__":
    main()
