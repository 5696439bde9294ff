"""`tallystick ledger backup | restore`."""

import sys
from pathlib import Path

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.settings import Settings
from ledger.terminal import Progress

_folder = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
_jobs = click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes side by side.")


@click.command(epilog=examples("tallystick ledger backup ~/backups/today --data ~/tally"))
@_folder
@command_line.data
@command_line.dsn
@click.option("--keys", is_flag=True, help="With the secret keys: who has such a backup is the ledger.")
@_jobs
def backup(folder: Path, data: Path | None, dsn: str | None, keys: bool, jobs: int) -> None:
    """Write a backup of the ledger to the new folder DIR, while the gateway goes on.

    It is made with PostgreSQL's own tools, is of one moment, and holds private content: keep it as safe as the ledger.
    """
    from ledger.backup import backup as work

    settings = Settings.load(data, dsn=dsn)
    ledger = settings.ledger
    with Progress(sys.stderr) as progress:
        made = work.make(folder, ledger, settings.need_dsn(), keys=keys, jobs=jobs, tell=progress.say)
    for chain, (size, root) in made.chains.items():
        click.echo(f"{chain:<12} {size:>10,} entries  root {root[:16]}…")
    size = sum(file.bytes for file in made.files.values())
    click.echo(f"wrote {folder}: {len(made.files)} files, {size:,} bytes")
    if not keys:
        click.echo(f"The keys are not in it: keep {ledger.key_file('*')} elsewhere, or give --keys.")


@click.command(epilog=examples("tallystick ledger restore ~/backups/today --data ~/tally"))
@_folder
@command_line.data
@command_line.dsn
@_jobs
def restore(folder: Path, data: Path | None, dsn: str | None, jobs: int) -> None:
    """Restore the backup in DIR into an empty database and a data folder without another ledger.

    The data folder may hold this ledger's keys and checkpoints. Nothing is written on what was restored until
    'tallystick ledger accept-rollback' says from where it goes on.
    """
    from ledger.backup import restore as work

    settings = Settings.load(data, dsn=dsn)
    ledger = settings.ledger
    with Progress(sys.stderr) as progress:
        made = work.restore(folder, ledger, settings.need_dsn(), jobs=jobs, tell=progress.say)
    click.echo(f"restored the ledger {made.ledger} as of {made.made_at}")
    for chain, (size, root) in made.chains.items():
        click.echo(f"{chain:<12} {size:>10,} entries  root {root[:16]}…")
    click.echo("Now 'tallystick ledger audit' checks all of it, and 'tallystick ledger accept-rollback' lets it go on.")
