"""`tallystick up`."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ledger import names
from ledger.command_line import checked, examples
from ledger.errors import UserError
from ledger.settings import data_folder

if TYPE_CHECKING:
    from deploy.children import State
    from deploy.stack import Stack


@click.command(
    epilog=examples(
        "tallystick up --data ~/tally --ledger example.com",
        "tallystick up --dsn postgresql://localhost/tally --host id.example.com",
    )
)
@click.option("--data", type=click.Path(path_type=Path), help="The data folder [default: ~/.local/share/tallystick].")
@click.option("--dsn", envvar="TALLYSTICK_DSN", help="A PostgreSQL server of yours, instead of the embedded one.")
@click.option("--broker-kind", type=click.Choice(["auto", "mosquitto", "amqtt"]), default="auto", show_default=True)
@click.option("--broker-port", type=click.IntRange(1, 65535), help="Where the broker listens, on loopback.")
@click.option("--labels-port", type=click.IntRange(1, 65535), help="Where the label service listens, on loopback.")
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Where the gateway's metrics are, on loopback.")
@click.option(
    "--host", "labels_host", metavar="NAME", callback=checked(names.host), help="The host name in the labels' links."
)
@click.option(
    "--ledger", metavar="NAME", callback=checked(names.ledger), help="The name of a new ledger: a domain name of yours."
)
@click.option(
    "--organisation", metavar="URI", callback=checked(names.organisation), help="The organisation of a new ledger."
)
@click.option("--only-database", is_flag=True, help="PostgreSQL alone: for 'ledger restore' and 'accept-rollback'.")
def up(data: Path | None, only_database: bool, **chosen: Any) -> None:
    """Run PostgreSQL, broker, gateway, label service and local agents on this machine, until Ctrl-C."""
    from deploy.stack import Options, Stack  # loads the database's driver
    from ledger.database import connect

    if chosen["dsn"] is not None:  # before it is written down, and anything started
        connect(chosen["dsn"], role=None).close()
    shown = Shown()
    stack = Stack(data_folder(data), Options(**chosen), progress=click.echo, on_change=shown)
    try:
        with interrupted_by_signals(), stack:
            if only_database:
                stack.start_database()
                click.echo(f"data     {stack.data}")
                click.echo("Ctrl-C stops it.")
            else:
                stack.start()
                _summary(stack)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        click.echo("stopped")


@click.command("broker-user", epilog=examples("tallystick broker-user press-1 --data ~/tally > press-1.password"))
@click.argument("name")
@click.option("--data", type=click.Path(path_type=Path), help="The data folder [default: ~/.local/share/tallystick].")
def broker_user(name: str, data: Path | None) -> None:
    """Let the device NAME in at the broker of 'tallystick up', and print its new password.

    It may publish statements and read receipts under its own name, and nothing else.
    """
    from deploy.broker import Broker
    from deploy.settings_file import load
    from ledger.topic import NAME

    folder = data_folder(data)
    port = load(folder).get("broker", {}).get("port")
    if not isinstance(port, int):
        raise UserError(f"{folder} has no broker", "start one with 'tallystick up', or name its folder with --data")
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no device's name", "1 to 32 of a-z, 0-9 and -")
    click.echo(Broker.open(folder / "broker", port, "auto").add_user(name))


class Shown:
    """Tells of each part as it becomes ready, and what happens to it afterwards."""

    def __init__(self, tell: Callable[[str], object] = click.echo) -> None:
        self._tell = tell
        self._since_s: dict[str, float] = {}

    def __call__(self, name: str, state: "State") -> None:
        now_s = time.monotonic()
        match state.name:
            case "STARTING":
                self._since_s[name] = now_s
            case "READY":
                self._tell(f"  {name:<12} ready after {now_s - self._since_s[name]:.1f} s")
            case "WAITING":
                self._tell(f"  {name:<12} died; it is started again")


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """In the block SIGTERM and SIGHUP do what Ctrl-C does: raise KeyboardInterrupt."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, _interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _summary(stack: "Stack") -> None:
    click.echo(f"data     {stack.data}")
    click.echo(f"broker   mqtt://127.0.0.1:{stack.broker.port} ({stack.broker.kind})")
    click.echo(f"labels   {stack.labels_url}")
    click.echo(f"ledger   {stack.labels_url}/log/")
    click.echo(f"metrics  http://127.0.0.1:{stack.metrics_port}/metrics")
    click.echo("Ctrl-C stops everything.")
