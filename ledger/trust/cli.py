"""`tallystick ledger trust`: whose signatures count, told to others."""

import json
import time
from pathlib import Path

import click

from ledger import command_line, whole_file
from ledger.command_line import examples
from ledger.settings import Settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def trust() -> None:
    """Trust bundles: whose signatures count, signed by the operator, with an age and an end.

    Verifiers and label scanners take one instead of the trust file that the ledger began with. A newer one replaces
    it: 'update' sees that it may.
    """


@trust.command(
    short_help="Write a trust bundle, as the registry has it now.",
    epilog=examples("tallystick ledger trust export -o example.trust", "tallystick ledger trust export"),
)
@command_line.data
@command_line.dsn
@click.option("-o", "--output", type=_FILE, help="Where to write it; default: to standard output.")
@click.option("--days", type=click.IntRange(1, 3_660), default=90, show_default=True, help="For how long it is good.")
def export(data: Path | None, dsn: str | None, output: Path | None, days: int) -> None:
    """Write a trust bundle: logs and their keys, label keys, what was revoked, and what is recalled, as of now."""
    from ledger.published import trust_bundle
    from ledger.trust import text
    from ledger.trust.trust_file import Trust

    settings = Settings.load(data, dsn=dsn)
    bundle = trust_bundle.issue(settings.ledger, settings.need_dsn(), days=days, now=int(time.time()))
    if output is None:
        click.echo(bundle.note, nl=False)
        return
    whole_file.put(output, bundle.note.encode())
    click.echo(f"wrote {output}: {text.age(Trust.parse(bundle.note), time.time())}", err=True)


@trust.command(
    short_help="Show what a trust file says, and when it ends.",
    epilog=examples("tallystick ledger trust show example.trust"),
)
@click.argument("file", type=_FILE)
@command_line.as_json
def show(file: Path, as_json: bool) -> None:
    """Show what a trust file or bundle says, how old it is, and when it expires. Its signature is checked."""
    from ledger.terminal import printable
    from ledger.trust import text
    from ledger.trust.trust_file import Trust

    found, now = Trust.load(file), time.time()
    if as_json:
        click.echo(json.dumps(text.document(found, now)))
    else:
        click.echo("\n".join(printable(line) for line in text.lines(found, now)))


@trust.command(
    short_help="Replace a trust file by a newer bundle, if it may be.",
    epilog=examples("tallystick ledger trust update trust.json --with example.trust"),
)
@click.argument("file", type=_FILE)
@click.option("--with", "new", required=True, type=_FILE, help="The newer bundle.")
def update(file: Path, new: Path) -> None:
    """Replace the trust file FILE by a newer bundle, if it is of the same ledger, not older, and takes nothing back.

    A recall may have been lifted since: what is recalled no longer is told, or only with its whole product now.
    """
    from ledger.terminal import printable
    from ledger.trust import keeping, text

    now = time.time()
    found, lifted = keeping.update(file, new, now=now)
    click.echo(f"updated {file}: {text.age(found, now)}")
    for recalled in lifted:
        click.echo(printable(text.lifted(recalled, found)))
