"""`tallystick gateway quarantine`: look at refused messages, and have them judged again."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from gateway.kept import Kept, Outcome
from ledger import b64, command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., None])
_RESULTS = {
    "admitted": "is in the ledger now",
    "repeat": "was in the ledger already",
    "waiting": "was not judged in time",
    "cut": "was too large and is kept in part only: its device has it whole",
    "gone": "was forgotten before it was judged: more came than is kept",
}


def _options(command: _Command) -> _Command:
    return command_line.data(command_line.dsn(command_line.as_json_lines(command)))


@click.group()
def quarantine() -> None:
    """Look at refused messages, and have them judged again.

    The newest thousand are kept, with their bytes. What the gateway refuses, a device keeps as well: most of this
    mends itself. Replay is for what was refused by a mistake of the operator's, such as a device that was registered
    late, and whose device does not send it again.
    """


@quarantine.command("list", epilog=examples("tallystick gateway quarantine list --reason unknown-key"))
@_options
@click.option("--reason", help="Only what was refused for this reason.")
@click.option("--device", help="Only what came on this device's topics.")
def list_(data: Path | None, dsn: str | None, as_json: bool, reason: str | None, device: str | None) -> None:
    """List the messages that are kept, oldest first."""
    from gateway import kept
    from ledger.database import connect

    with connect(Settings.load(data, dsn=dsn).need_dsn()) as connection:
        messages = kept.listed(connection, reason=reason, device=device)
    if as_json:
        for item in messages:
            click.echo(json.dumps(_object(item)))
    elif not messages:
        click.echo("nothing is kept")
    else:
        click.echo(f"{'id':>8}  {'refused at':<19}  {'reason':<13}  {'bytes':>7}  from")
        for item in messages:
            click.echo(f"{item.id:>8}  {_when(item)}  {item.reason:<13}  {item.size:>7}  {item.source}")


@quarantine.command(
    epilog=examples("tallystick gateway quarantine show 17", "tallystick gateway quarantine show 17 -o 17.cbor")
)
@click.argument("number", metavar="ID", type=int)
@_options
@click.option("-o", "--output", type=click.File("wb"), help="Write the message's bytes there.")
def show(number: int, data: Path | None, dsn: str | None, as_json: bool, output: BinaryIO | None) -> None:
    """Show one message: why it was refused, and what it says of itself."""
    from gateway import kept
    from ledger.database import connect

    with connect(Settings.load(data, dsn=dsn).need_dsn()) as connection:
        item, message = kept.one(connection, number)
    statement = kept.read(message)
    says = kept.described(statement) if statement else {}
    if output is not None:
        output.write(message)
    elif as_json:
        click.echo(json.dumps(_object(item) | {"statement": says or None, "message": b64.encode(message)}))
    else:
        for name, value in {**_object(item), **(says or {"statement": "none that can be read"})}.items():
            click.echo(f"{name.replace('_', ' '):>10}  {_printable(str(value))}")


@quarantine.command(
    short_help="Have refused messages judged again.",
    epilog=examples(
        "tallystick gateway quarantine replay 17 18",
        "tallystick gateway quarantine replay --all --reason unknown-key",
    ),
)
@click.argument("numbers", metavar="[ID]...", type=int, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that is kept.")
@click.option("--reason", help="With --all: only what was refused for this reason.")
@command_line.timeout
@_options
@click.pass_context
def replay(
    ctx: click.Context,
    numbers: tuple[int, ...],
    every: bool,
    reason: str | None,
    timeout: float,
    data: Path | None,
    dsn: str | None,
    as_json: bool,
) -> None:
    """Have messages judged again by the running gateway, as if they had just arrived.

    What is then in the ledger leaves the quarantine; what is refused again stays. Oldest first, so that a stream's
    links come in their order. As always, the opening of a stream closes the stream that its device had open.
    What was too large is kept in part only, and is not judged again.

    Exit code 1 if any of them is not in the ledger then.
    """
    from gateway import kept
    from ledger.database import connect

    if bool(numbers) == every or (reason and not every):
        raise UserError("name messages by their ids, or say --all", "'tallystick gateway quarantine list' shows them")
    with connect(Settings.load(data, dsn=dsn).need_dsn(), autocommit=True) as connection:
        chosen = [item.id for item in kept.listed(connection, reason=reason)] if every else numbers
        outcomes = list(kept.replay(connection, chosen, timeout_s=timeout))
    for outcome in outcomes:
        click.echo(json.dumps(_outcome(outcome)) if as_json else f"{outcome.id:>8}  {_told(outcome)}")
    if not outcomes and not as_json:
        click.echo("nothing is kept")
    results = Counter(outcome.result for outcome in outcomes)
    if results["waiting"]:
        raise UserError(
            f"{results['waiting']} of {len(outcomes)} were not judged in {timeout:g} s, and stay as they were",
            "is the gateway running? 'tallystick up' or 'tallystick gateway run'",
        )
    ctx.exit(1 if any(results[result] for result in ("refused", "gone", "cut")) else 0)


def _when(item: Kept) -> str:
    return item.seen_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _printable(text: str) -> str:
    """A stranger's text never moves the terminal's cursor."""
    return text if text.isprintable() else repr(text)


def _told(outcome: Outcome) -> str:
    return _RESULTS.get(outcome.result, f"refused again: {outcome.reason}")


def _outcome(outcome: Outcome) -> dict[str, Any]:
    reason = {"reason": outcome.reason} if outcome.reason else {}
    return {"id": outcome.id, "result": outcome.result, **reason}


def _object(item: Kept) -> dict[str, Any]:
    _, _, chain, device = item.topic.split("/")
    when = item.seen_at.isoformat(timespec="milliseconds")
    return {"id": item.id, "seen_at": when, "chain": chain, "device": device, "reason": item.reason, "size": item.size}
