"""`tallystick gateway`: run the gateway, and look at what it refused."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import click
import psycopg

from gateway import logs
from gateway.address import Address, parse_address
from gateway.quarantine_cli import quarantine
from gateway.workers import Worker, keep
from ledger import command_line
from ledger.command_line import examples
from ledger.database import connect, migrate
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import ANCHOR, CHAIN_KINDS
from ledger.settings import Settings

CHAINS = [name for name in CHAIN_KINDS if name != ANCHOR]
PORT_MAX = 65_535


def _parsed_worker(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Worker | None:
    return None if value is None else Worker.parse(value)


@click.group()
def cli() -> None:
    """Verify statements from the broker and seal them into blocks."""


cli.add_command(quarantine)


@cli.command(
    short_help="Run the gateway until stopped.",
    epilog=examples(
        "tallystick gateway run --data ~/tally", "tallystick gateway run --workers 2 --http 127.0.0.1:9464"
    ),
)
@command_line.data
@command_line.dsn
@click.option("--broker", help="MQTT broker, mqtt://user:password@host:port (TALLYSTICK_BROKER).")
@click.option("--chains", help=f"Chains to write, by comma. Default: {','.join(CHAINS)}.")
@click.option(
    "--http", metavar="HOST:PORT", help="Serve /live, /ready and /metrics there, to whoever asks. Default: nowhere."
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or a JSON object a line.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that share the chains: at most one for each, and one for the anchor.",
)
@click.option("--worker", callback=_parsed_worker, hidden=True)
def run(
    data: Path | None,
    dsn: str | None,
    broker: str | None,
    chains: str | None,
    http: str | None,
    log_format: str,
    workers: int,
    worker: Worker | None,
) -> None:
    """Run until stopped: one writer for each chain, and for the anchor.

    It says 'ready' on standard output once it holds its chains and is subscribed. What 'tallystick gateway check'
    looks at it looks at first: it waits for a database that is not up yet, and ends with exit code 1 at what only its
    operator can mend.

    With --workers each process holds a part of the chains and stands by for the rest: one that dies is started anew,
    and meanwhile another takes its chains over. Their addresses for --http follow one another, a port each; port 0 is
    any free one.
    """
    settings = Settings.load(data, dsn=dsn, broker=broker)
    folder, names = settings.ledger, _chains(chains)
    folder.trust()
    logs.set_up(log_format)
    address = parse_address(http) if http else None
    if workers > 1:
        _require_work(workers, names, address)
        named = {"TALLYSTICK_DATA": data, "TALLYSTICK_DSN": dsn, "TALLYSTICK_BROKER": broker}
        arguments = ["--chains", ",".join(names), "--log-format", log_format, *(["--http", http] if http else [])]
        asyncio.run(_keep_workers(arguments, named, workers))
    else:
        asyncio.run(_serve(settings, folder, names, address, worker))


async def _keep_workers(arguments: Sequence[str], named: Mapping[str, Path | str | None], count: int) -> None:
    # What may hold a password goes by the environment, which fewer can read than a command line.
    environment = os.environ | {name: str(value) for name, value in named.items() if value is not None}
    await _until_stopped(keep(arguments, environment, count, _say_ready))


def _require_work(workers: int, chains: Sequence[str], http: Address | None) -> None:
    """Each worker has a chain to prefer, or the anchor, and a port; raises UserError."""
    if workers > len(chains) + 1:
        most = f"at most {len(chains) + 1} share {', '.join(chains)} and the anchor"
        raise UserError(f"{workers} workers are more than there are chains: {most}", "give --workers a smaller number")
    if http and http[1] + workers - 1 > PORT_MAX:
        raise UserError(f"there are no {workers} ports from {http[1]} on", "name an address with a lower port")


def _say_ready() -> None:
    click.echo("ready")


def _chains(named: str | None) -> list[str]:
    names = list(dict.fromkeys(named.split(","))) if named else CHAINS
    if unknown := set(names) - set(CHAINS):
        raise UserError(f"no chain is called {sorted(unknown)[0]!r}", f"the chains are {', '.join(CHAINS)}")
    return names


def _bring_up_to_date(dsn: str) -> None:
    """Apply what migrations are new, if this session may: also what turns a plain database over to TimescaleDB."""
    try:
        migrate(dsn)
    except psycopg.errors.InsufficientPrivilege as error:
        reason = str(error).partition("\n")[0]
        logs.say(logging.WARNING, "schema", f"the database's tables are used as they are: {reason}", reason=reason)


async def _serve(
    settings: Settings, folder: LedgerFolder, chains: list[str], http: Address | None, worker: Worker | None
) -> None:
    from gateway import web  # loads Prometheus' client
    from gateway.probe import Start
    from gateway.service import Service, calm_collector, now_ms

    calm_collector()
    dsn, broker = settings.need_dsn(), settings.need_broker()
    prefers = worker.own([*chains, ANCHOR]) if worker else None
    service = Service(dsn=dsn, broker=broker, folder=folder, chains=chains, prefers=prefers, ready=_say_ready)

    async def start_and_run() -> None:
        await Start(settings, folder, chains, service.record, now_ms).look(lambda: _bring_up_to_date(dsn))
        await service.run()

    if worker and http:
        http = (http[0], worker.port(http[1]))
    with web.serving(service.record, http) if http else nullcontext():
        await _until_stopped(start_and_run(), parent=sys.stdin if worker else None)


async def _until_stopped(work: Coroutine[Any, Any, None], parent: IO[Any] | None = None) -> None:
    """Run until a signal comes, or until whoever holds the other end of `parent`, a pipe, ends."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    if parent is not None:
        fd = parent.fileno()

        def parent_ended() -> None:
            loop.remove_reader(fd)  # an ended pipe is readable for ever
            task.cancel()

        loop.add_reader(fd, parent_ended)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        logs.say(logging.INFO, "stopped", "stopped")


@cli.command(
    short_help="Look at all that the gateway needs.", epilog=examples("tallystick gateway check --data ~/tally")
)
@command_line.data
@command_line.dsn
@click.option("--broker", help="MQTT broker, mqtt://user:password@host:port (TALLYSTICK_BROKER).")
@click.option("--chains", help=f"Chains to look at, by comma. Default: {','.join(CHAINS)}.")
@command_line.as_json_lines
@click.pass_context
def check(
    ctx: click.Context, data: Path | None, dsn: str | None, broker: str | None, chains: str | None, as_json: bool
) -> None:
    """Look at ledger folder, database, clock and broker as 'gateway run' does before it starts, and change nothing.

    Exit code 1 if anything would keep it from starting, or from its work.
    """
    from gateway import probe
    from gateway.check import Level
    from gateway.service import now_ms

    settings = Settings.load(data, dsn=dsn, broker=broker)
    checks = probe.look(settings, settings.ledger, _chains(chains), now_ms())
    for found in checks:
        if as_json:
            click.echo(json.dumps(asdict(found)))
            continue
        click.echo(f"{found.level:<8} {found.part:<14} {found.text}")
        if found.hint:
            click.echo(f"{'':<8} {'':<14} -> {found.hint}")
    ctx.exit(1 if any(found.level in (Level.WAITING, Level.FAULT) for found in checks) else 0)


@cli.command(epilog=examples("tallystick gateway refused --data ~/tally"))
@command_line.data
@command_line.dsn
@command_line.as_json
def refused(data: Path | None, dsn: str | None, as_json: bool) -> None:
    """Show how many messages were refused, by reason."""
    with connect(Settings.load(data, dsn=dsn).need_dsn()) as connection:
        rows = connection.execute("select reason, n from quarantine_count order by reason")
        counts: dict[str, int] = dict(rows.fetchall())
    if as_json:
        click.echo(json.dumps(counts))
    elif not counts:
        click.echo("nothing was refused")
    else:
        for reason, count in counts.items():
            click.echo(f"{count:>10}  {reason}")
