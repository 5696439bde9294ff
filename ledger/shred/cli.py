"""`tallystick ledger shred`."""

import sys
from pathlib import Path
from typing import Any

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import Settings
from ledger.terminal import Progress

_BEYOND = """Not reached from here: backups and archived WAL that were made before; export folders, until
'tallystick ledger export' runs again; copies that others fetched (a mirror that follows the ledger deletes its own);
the device's spool, until it has its receipt. The names of metrics and units stay, and what the gateway found wrong with
it, if it did."""
_PAGES = "In the database's files the bytes may stay in freed places until they are overwritten: --rewrite ends that."


@click.command(
    epilog=examples(
        'tallystick ledger shred --chain production --index 7 --reason "the customer asked"',
        "tallystick ledger shred --pending",
    )
)
@command_line.data
@command_line.dsn
@command_line.timeout
@command_line.statement
@click.option("--line", "lines", type=click.IntRange(min=0), multiple=True, help="Only this section; more than once.")
@command_line.reason(required=False)
@click.option("--pending", is_flag=True, help="Only finish what an entry in the registry already says.")
@click.option("--rewrite", is_flag=True, help="Rewrite the tables, so that freed places hold nothing; it locks them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def shred(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    lines: tuple[int, ...],
    reason: str | None,
    pending: bool,
    rewrite: bool,
    yes: bool,
    **which: Any,
) -> None:
    """Delete the content and salt of a statement's sections, for ever, wherever this ledger keeps them.

    A signed entry in the registry says so first. The statement, its digests and all proofs stay as they are.
    """
    from ledger.shred import shred as work

    settings = Settings.load(data, dsn=dsn)
    folder, where = settings.ledger, settings.need_dsn()
    named = {name: value for name, value in which.items() if value is not None}
    if pending and (named or lines):
        raise UserError("--pending names no statement", "it finishes whatever the registry says is shredded")
    if not pending:
        why = command_line.need_reason(reason)
        wanted = work.find(folder, where, named, lines)
        _confirm(wanted.lines, yes=yes)
        entry = _post(folder, where, wanted, reason=why, timeout_s=timeout)
        click.echo(f"registry entry {entry} says that it is shredded")
    with Progress(sys.stderr) as progress:
        done = work.finish(folder, where, timeout_s=timeout, rewrite=rewrite, tell=progress.say)
    if pending and not (done.count or rewrite):
        click.echo("nothing is pending")
        return
    click.echo(f"deleted {done.count} section{'' if done.count == 1 else 's'}")
    if done.is_seen:
        raise UserError(
            "a session that began before still sees what was deleted, so it is still in the tables' files",
            "when that has ended (a backup? an audit?): 'tallystick ledger shred --pending --rewrite'",
        )
    click.echo("\n".join([_BEYOND, *([] if rewrite else [_PAGES])]))


def _confirm(lines: list[str], *, yes: bool) -> None:
    click.echo("This deletes, for ever:")
    click.echo("\n".join(f"  {line}" for line in lines))
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError("nobody is there to be asked", "give --yes if this is what you want")
    if not click.confirm("Shred it?"):
        raise UserError("nothing was shredded", "the ledger is as it was")


def _post(folder: LedgerFolder, dsn: str, wanted: Any, **how: Any) -> int:
    from ledger.shred import shred as work

    try:
        return work.post(folder, dsn, wanted, **how)
    except UserError as error:
        raise UserError(str(error), f"{error.hint}; once it is sealed: 'tallystick ledger shred --pending'") from error
