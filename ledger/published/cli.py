"""`tallystick ledger export | serve`: what the ledger publishes, as a folder and over HTTP."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.trust import Trust

AUDIENCES = ("public", "partners", "private")


@click.command(
    epilog=examples("tallystick ledger export /srv/ledger", "tallystick ledger export ~/copy --audience private")
)
@command_line.data
@command_line.dsn
@click.option(
    "--audience",
    type=click.Choice(AUDIENCES),
    default="public",
    show_default=True,
    help="For whom: partners see all statements, private is everything.",
)
@command_line.as_json
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def export(data: Path | None, dsn: str | None, audience: str, as_json: bool, folder: Path) -> None:
    """Write what the ledger publishes into DIR, or bring DIR up to date, for any static server or object store.

    Run it again at any time: it writes only what is new. It can be killed at any time.
    """
    from ledger.database import connect
    from ledger.published.database import DatabaseReader
    from ledger.published.export import export as run
    from ledger.published.policy import AUDIENCES as PRIVACIES
    from ledger.published.policy import Policy

    settings = Settings.load(data, dsn=dsn)
    ledger = LedgerFolder(settings.data / "ledger")
    trust = ledger.trust()
    policy = Policy.of(PRIVACIES[audience], public_chains(settings, trust))
    with connect(settings.need_dsn(), autocommit=True) as connection, _bar("exporting") as tell:
        reader = DatabaseReader(connection, ledger, policy.audience, policy.public)
        done = run(reader, trust, folder, policy, tell=tell)
    if as_json:
        told = {"audience": audience, "logs": done.sizes, "written": done.written, "removed": done.removed}
        click.echo(json.dumps({**told, "bytes": done.bytes}))
        return
    for chain, size in done.sizes.items():
        click.echo(f"{chain:<12} {size:,} entries")
    click.echo(f"{done.written:,} files written, {done.bytes:,} bytes; {done.removed:,} removed")


def public_chains(settings: Settings, trust: "Trust") -> tuple[str, ...]:
    """The chains that the settings open to all; UserError if there is none of a name."""
    for chain in settings.public:
        if chain not in trust.logs:
            hint = f"the chains are {', '.join(trust.logs)}: mend 'public' of [ledger]"
            raise UserError(f"the settings open a chain {chain!r}, which the ledger has not", hint)
    return settings.public


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=0, label=label, file=sys.stderr) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield tell
