"""`tallystick edge`: make a device, run its agent, look at it, and spool events."""

import contextlib
import json
from pathlib import Path
from typing import Any

import click

from edge.options import PRIVACIES
from ledger.command_line import Seconds, examples
from ledger.command_line import as_json as as_json_option
from ledger.errors import UserError

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_CLEARANCE_WAIT_S = 3.0

folder_option = click.option("--folder", type=_FOLDER, default=Path(), help="The device's folder; default: this one.")


@click.group()
def cli() -> None:
    """Run a device: read sensors, sign, keep until proven."""


@cli.command(
    short_help="Make a device's folder: its key and its settings.",
    epilog=examples(
        "tallystick edge init --name press-1 --organisation https://example.com \\",
        "    --trust trust.json --broker broker.example.com:1883",
    ),
)
@click.option("--name", required=True, help="The device's name: 1 to 32 of a-z, 0-9 and -.")
@click.option("--organisation", required=True, metavar="URI", help="Whose device it is, like https://example.com.")
@click.option(
    "--chain",
    "chains",
    multiple=True,
    default=("production",),
    show_default=True,
    help="Chains it speaks on; the agent uses the first.",
)
@click.option("--trust", type=_FILE, help="The ledger's trust file, from its operator.")
@click.option("--broker", default="localhost:1883", show_default=True, metavar="HOST:PORT", help="The MQTT broker.")
@click.option("--username", help="As whom to connect to the broker; default: anonymously.")
@click.option("--password-file", type=_FILE, help="A file with the broker's password for that user.")
@click.option("--asset", metavar="URI", help="What the device is fixed to.")
@click.option("--folder", type=_FOLDER, help="Where to make it; default: a folder of its name.")
def init(
    name: str,
    organisation: str,
    chains: tuple[str, ...],
    trust: Path | None,
    broker: str,
    username: str | None,
    password_file: Path | None,
    asset: str | None,
    folder: Path | None,
) -> None:
    """Make a device's folder: its key, its configuration, its registration."""
    from dataclasses import replace

    from edge.folder import REGISTRATION_FILE, NewDevice, make
    from ledger.settings import parse_broker

    address = parse_broker(broker)
    address = address if username is None else replace(address, username=username)
    target = folder or Path(name)
    registration = make(target, NewDevice(name, organisation, chains, address, password_file, asset, trust))
    click.echo(json.dumps(registration, indent=2))
    steps = [f"have the ledger's operator run: tallystick ledger register {target / REGISTRATION_FILE}"]
    steps += (
        [f"write the broker's password into {password_file}"] if password_file and not password_file.exists() else []
    )
    steps += [] if trust else [f"put the ledger's trust file at {target / 'trust.json'}"]
    for step in [*steps, f"then: tallystick edge run --folder {target}"]:
        click.echo(step, err=True)


@cli.command(
    epilog=examples(
        "tallystick edge run --folder press-1", "tallystick edge run --folder press-1 --until-drained --timeout 60"
    )
)
@folder_option
@click.option("--until-drained", is_flag=True, help="End once all sensors are done and everything is confirmed.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(),
    metavar="SECONDS",
    help="With --until-drained: give up after so long.",
)
def run(folder: Path, until_drained: bool, timeout_s: float | None) -> None:
    """Run the agent, until Ctrl-C."""
    from edge import service
    from edge.config import Config

    if timeout_s is not None and not until_drained:
        raise UserError("--timeout goes with --until-drained", "leave it out: an agent runs until it is told to stop")
    config = Config.load(folder)
    service.log_to_stderr()
    service.run(config, until_drained=until_drained, timeout_s=timeout_s)


@cli.command(epilog=examples("tallystick edge status --folder press-1"))
@folder_option
@as_json_option
def status(folder: Path, as_json: bool) -> None:
    """Show what is spooled, what is confirmed, and what is wrong."""
    from edge import locks
    from edge import status as statuses
    from edge.config import Config
    from edge.spool import Spool

    config = Config.load(folder)
    if config.spool_file.exists():
        with contextlib.closing(Spool(config.spool_file)) as spool:
            found = statuses.read(spool)
    else:
        found = statuses.nothing_yet()
    found = {"name": config.name, "urn": config.urn, "running": locks.is_running(config.folder), **found}
    click.echo(json.dumps(found) if as_json else statuses.as_text(found))


@cli.command(
    short_help="Sign and spool an EPCIS event.",
    epilog=examples("tallystick edge event made.json --folder press-1 --privacy public"),
)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@folder_option
@click.option(
    "--privacy", type=click.Choice(list(PRIVACIES)), help="Who may see it; default: as the configuration says."
)
def event(file: Path, folder: Path, privacy: str | None) -> None:
    """Sign and spool the EPCIS event in FILE, or each of a list; - reads standard input."""
    from edge import clock, event_file, locks, service
    from edge.config import Config
    from edge.signer import Content
    from edge.spool import Spool
    from ledger.keys import SigningKey
    from ledger.section import ContentFormat

    config, documents = Config.load(folder), event_file.read(file)
    bodies = [event_file.body(document, number) for number, document in enumerate(documents, 1)]
    seen = config.privacy if privacy is None else PRIVACIES[privacy]
    key, chain_log = SigningKey.load(config.key_file), service.log_of(config)
    with contextlib.closing(Spool(config.spool_file)) as spool:
        signer = service.make_signer(config, spool, key, chain_log, may_continue=lambda: locks.is_ready(config.folder))
        _await_clearance(spool, config.folder)
        contents = [Content(seen, ContentFormat.EPCIS, body) for body in bodies]
        for document, statement in zip(documents, signer.events(contents, clock.now()), strict=True):
            click.echo(f"{statement.hash.hex()} {document['type']} seq {statement.tally.seq}")


def _await_clearance(spool: Any, folder: Path) -> None:
    """An agent that has just started is told within moments what the ledger knows; else a new stream is opened."""
    import time

    from edge import locks
    from ledger.statement import EVENTS

    end = time.monotonic() + _CLEARANCE_WAIT_S
    while locks.is_running(folder) and time.monotonic() < end:
        stream = spool.open_stream(EVENTS)
        if stream is None or (stream.is_cleared and locks.is_ready(folder)):
            return
        time.sleep(0.05)
