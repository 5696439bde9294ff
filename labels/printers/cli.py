"""`tallystick labels printer`."""

import json

import click

from ledger import command_line
from ledger.command_line import examples


@click.command(epilog=examples("tallystick labels printer zebra.example.com:9100"))
@click.argument("address")
@click.option(
    "--language",
    type=click.Choice(["zpl", "ql"]),
    default="zpl",
    show_default=True,
    help="What it understands: zpl for Zebra's and their like, ql for Brother QL.",
)
@command_line.as_json
@click.pass_context
def printer(ctx: click.Context, address: str, language: str, as_json: bool) -> None:
    """Ask a label printer how it is. Exit code 2 if it cannot print."""
    from labels.printers import asked
    from labels.printers.address import Address

    state = asked.ask(Address.of(address), language)
    click.echo(json.dumps(state.document) if as_json else state.told)
    ctx.exit(0 if state.ready else 2)
