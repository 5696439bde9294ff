"""`tallystick gateway`: run the gateway, and look at what it refused."""

import asyncio
import json
import logging
import signal
from collections.abc import Coroutine
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import psycopg

from gateway import logs
from gateway.quarantine_cli import quarantine
from ledger import command_line
from ledger.command_line import examples
from ledger.database import connect, migrate
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import ANCHOR, CHAIN_KINDS
from ledger.settings import Settings

CHAINS = [name for name in CHAIN_KINDS if name != ANCHOR]


@click.group()
def cli() -> None:
    """Verify statements from the broker and seal them into blocks."""


cli.add_command(quarantine)


@cli.command(
    epilog=examples("tallystick gateway run --data ~/tally", "tallystick gateway run --chains production,logistics")
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
def run(
    data: Path | None, dsn: str | None, broker: str | None, chains: str | None, http: str | None, log_format: str
) -> None:
    """Run until stopped: one writer for each chain, and for the anchor.

    It says 'ready' on standard output once it holds its chains and is subscribed. What 'tallystick gateway check'
    looks at it looks at first: it waits for a database that is not up yet, and ends with exit code 1 at what only its
    operator can mend.
    """
    settings = Settings.load(data, dsn=dsn, broker=broker)
    folder = LedgerFolder(settings.data / "ledger")
    folder.trust()
    logs.set_up(log_format)
    asyncio.run(_serve(settings, folder, _chains(chains), http))


def _chains(named: str | None) -> list[str]:
    names = named.split(",") if named else CHAINS
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


async def _serve(settings: Settings, folder: LedgerFolder, chains: list[str], http: str | None) -> None:
    from gateway import web  # loads Prometheus' client
    from gateway.probe import Start
    from gateway.service import Service, calm_collector, now_ms

    def ready() -> None:
        click.echo("ready")

    calm_collector()
    dsn = settings.need_dsn()
    service = Service(dsn=dsn, broker=settings.need_broker(), folder=folder, chains=chains, ready=ready)

    async def start_and_run() -> None:
        await Start(settings, folder, chains, service.record, now_ms).look(lambda: _bring_up_to_date(dsn))
        await service.run()

    with web.serving(service.record, web.parse_address(http)) if http else nullcontext():
        await _until_stopped(start_and_run())


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        logs.say(logging.INFO, "stopped", "stopped")


@cli.command(epilog=examples("tallystick gateway check --data ~/tally"))
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
    checks = probe.look(settings, LedgerFolder(settings.data / "ledger"), _chains(chains), now_ms())
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
