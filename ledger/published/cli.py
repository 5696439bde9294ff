"""`tallystick ledger export | serve`: what the ledger publishes, as a folder and over HTTP."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.published.serve import Readers
    from ledger.published.tokens import Tokens

AUDIENCES = ("public", "partners", "private")
PORT = 8480


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

    Run it again at any time: it writes only what is new. It can be killed at any time. Whoever copies DIR elsewhere
    copies the files named head and checkpoint last.
    """
    from ledger.database import connect
    from ledger.published.database import DatabaseReader
    from ledger.published.export import export as run
    from ledger.published.policy import AUDIENCES as PRIVACIES
    from ledger.published.policy import Policy
    from ledger.terminal import Progress, entries

    settings = Settings.load(data, dsn=dsn)
    ledger = settings.ledger
    trust = ledger.trust()
    policy = Policy.of(PRIVACIES[audience], settings.need_public(trust))
    with connect(settings.need_dsn(), autocommit=True) as connection, Progress(sys.stderr, of="files") as progress:
        reader = DatabaseReader(connection, ledger, policy.audience, policy.public)
        done = run(reader, trust, folder, policy, tell=partial(progress, "exporting"))
    if as_json:
        told = {"audience": audience, "logs": done.sizes, "written": done.written, "removed": done.removed}
        click.echo(json.dumps({**told, "bytes": done.bytes}))
        return
    for chain, size in done.sizes.items():
        click.echo(f"{chain:<12} {entries(size)}")
    click.echo(f"{done.written:,} files written, {done.bytes:,} bytes; {done.removed:,} removed")


@click.command(
    epilog=examples(
        "tallystick ledger serve --port 8480", "tallystick ledger serve --folder /srv/ledger --bind 0.0.0.0"
    )
)
@command_line.data
@command_line.dsn
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Serve an export or a mirror instead of the database.",
)
@click.option("--bind", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
def serve(data: Path | None, dsn: str | None, folder: Path | None, bind: str, port: int) -> None:
    """Serve what the ledger publishes over HTTP, until stopped. It says where on standard output once it listens.

    All may read the hashes, the blocks and the registry. Partners, who may read all statements, show a bearer token;
    the tokens are in <data>/ledger/tokens.json. 'tallystick up' serves the same below /log/ of the label service.
    """
    from ledger.published.serve import make_app
    from ledger.serving import listen, run, shown

    settings = Settings.load(data, dsn=dsn)
    readers, tokens = _readers(settings, folder)
    with listen(bind, port) as listener:
        run(make_app(readers, tokens), listener, ready=lambda: click.echo(f"serving {shown(listener)}"))
    readers.close()


def _readers(settings: Settings, folder: Path | None) -> "tuple[Readers, Tokens]":
    from ledger.published.folder import FolderReader
    from ledger.published.serve import DatabaseReaders, FolderReaders
    from ledger.published.tokens import Tokens

    ledger = settings.ledger
    if folder is None:
        public = settings.need_public(ledger.trust())
        return DatabaseReaders(settings.need_dsn(), ledger, public), Tokens.load_or_make(ledger.tokens_file)
    tokens = Tokens.load_or_make(ledger.tokens_file) if ledger.tokens_file.exists() else Tokens()
    return FolderReaders(FolderReader(folder), settings.public), tokens
