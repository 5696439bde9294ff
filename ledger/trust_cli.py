"""`tallystick ledger trust` and `rotate-key`: whose signatures count, told to others, and changed."""

import json
import time
from pathlib import Path

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.folder import LedgerFolder
from ledger.log_key import OVERLAP, OVERLAP_MIN
from ledger.settings import Settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def trust() -> None:
    """Trust bundles: whose signatures count, signed by the operator, with an age and an end.

    Verifiers and label scanners take one instead of the trust file that the ledger began with. A newer one replaces
    it: 'update' sees that it may.
    """


@trust.command(epilog=examples("tallystick ledger trust export -o example.trust", "tallystick ledger trust export"))
@command_line.data
@command_line.dsn
@click.option("-o", "--output", type=_FILE, help="Where to write it; default: to standard output.")
@click.option("--days", type=click.IntRange(1, 3_660), default=90, show_default=True, help="For how long it is good.")
def export(data: Path | None, dsn: str | None, output: Path | None, days: int) -> None:
    """Write a trust bundle: logs and their keys, label keys, and what was revoked, as the registry has it now."""
    from ledger import trust_text, trusting
    from ledger.trust import Trust

    settings = Settings.load(data, dsn=dsn)
    bundle = trusting.issue(
        LedgerFolder(settings.data / "ledger"), settings.need_dsn(), days=days, now=int(time.time())
    )
    if output is None:
        click.echo(bundle.note, nl=False)
        return
    trusting.write(output, bundle.note)
    click.echo(f"wrote {output}: {trust_text.age(Trust.parse(bundle.note), time.time())}", err=True)


@trust.command(epilog=examples("tallystick ledger trust show example.trust"))
@click.argument("file", type=_FILE)
@command_line.as_json
def show(file: Path, as_json: bool) -> None:
    """Show what a trust file or bundle says, how old it is, and when it expires. Its signature is checked."""
    from ledger import trust_text
    from ledger.proof.text import printable
    from ledger.trust import Trust

    found, now = Trust.load(file), time.time()
    if as_json:
        click.echo(json.dumps(trust_text.document(found, now)))
    else:
        click.echo("\n".join(printable(line) for line in trust_text.lines(found, now)))


@trust.command(epilog=examples("tallystick ledger trust update trust.json --with example.trust"))
@click.argument("file", type=_FILE)
@click.option("--with", "new", required=True, type=_FILE, help="The newer bundle.")
def update(file: Path, new: Path) -> None:
    """Replace the trust file FILE by a newer bundle, if it is of the same ledger, not older, and takes nothing back."""
    from ledger import trust_text, trusting

    found = trusting.update(file, new)
    click.echo(f"updated {file}: {trust_text.age(found, time.time())}")


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
@click.option("--root-key", type=_FILE, help="The root key's file; default: <data>/ledger/keys/root.key.")
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
    from ledger.rotate import rotate

    settings = Settings.load(data, dsn=dsn)
    made = rotate(
        LedgerFolder(settings.data / "ledger"),
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
