"""`tallystick ledger audit`."""

import json
import sys
from pathlib import Path

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import Settings


@click.command(epilog=examples("tallystick ledger audit --data ~/tally", "tallystick ledger audit --json"))
@command_line.data
@command_line.dsn
@command_line.as_json
@click.pass_context
def audit(ctx: click.Context, data: Path | None, dsn: str | None, as_json: bool) -> None:
    """Rebuild everything from the entries, and check every signature, key, stream, tree, block and the anchor."""
    from ledger.audit import text, walk
    from ledger.audit.database import DatabaseSource
    from ledger.database import connect
    from ledger.proof.text import printable

    settings = Settings.load(data, dsn=dsn)
    folder = LedgerFolder(settings.data / "ledger")
    trust = folder.trust()
    with connect(settings.need_dsn()) as connection, text.Progress(sys.stderr) as progress:
        report = walk.audit(DatabaseSource(connection, folder), trust, tell=progress)
    if as_json:
        click.echo(json.dumps(report.document))
        ctx.exit(0 if report.ok else 1)
    click.echo("\n".join(text.lines(report)))
    if not report.ok:
        first = printable(report.problems[0])
        raise UserError(
            f"the audit found {report.count('problems')} problems; the first: {first}",
            "keep this database and its checkpoints as they are: they are evidence",
        )
