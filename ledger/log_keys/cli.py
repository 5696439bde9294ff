"""`tallystick ledger rotate-key`."""

from pathlib import Path

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.log import OVERLAP, OVERLAP_MIN
from ledger.settings import Settings


@click.command(
    "rotate-key",
    epilog=examples(
        "tallystick ledger rotate-key production --root-key /media/usb/root.key",
        "tallystick ledger rotate-key registry --overlap 4000",
    ),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@click.argument("chain")
@click.option(
    "--root-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The root key's file; default: <data>/ledger/keys/root.key.",
)
@click.option(
    "--overlap",
    type=click.IntRange(min=OVERLAP_MIN),
    default=OVERLAP,
    show_default=True,
    metavar="ENTRIES",
    help="For so many entries the present key signs as well.",
)
@click.option("--again", is_flag=True, help="Although the key before the present one still signs.")
def rotate_key(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    chain: str,
    root_key: Path | None,
    overlap: int,
    again: bool,
) -> None:
    """Give CHAIN's log a new key, by the root key's signature. The gateway takes it up by itself.

    What the present key has signed stays good. Devices learn the new key from the gateway's answers; verifiers by a
    new trust bundle. If the present key is stolen, take the smallest overlap.
    """
    from ledger.log_keys.rotate import rotate

    settings = Settings.load(data, dsn=dsn)
    made = rotate(
        settings.ledger,
        settings.need_dsn(),
        chain,
        root_key=root_key,
        overlap=overlap,
        again=again,
        timeout_s=timeout,
    )
    click.echo(f"the log {made.chain} has a new key: {made.vkey}")
    click.echo(f"  {made.new} signs from size {made.first:,} on")
    click.echo(f"  {made.old} signs as well up to size {made.until:,}; then destroy it")
    click.echo("next: copy the new key to wherever else a gateway writes this chain, and give verifiers a new bundle:")
    click.echo("  tallystick ledger trust export -o FILE")
