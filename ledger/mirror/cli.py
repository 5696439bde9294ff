"""`tallystick ledger mirror`."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import SourceUnreachable, UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.mirror.mirror import Outcome
    from ledger.mirror.store import Store
    from ledger.published.reader import Reader
    from ledger.terminal import Progress
    from ledger.trust.trust_file import Trust

_AT_ONCE = 8  # requests


@click.command(
    epilog=examples(
        "tallystick ledger mirror https://ledger.example.com ~/mirror --trust trust.json",
        "tallystick ledger mirror https://ledger.example.com ~/mirror --follow --every 30",
    )
)
@click.argument("source", metavar="SOURCE")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@command_line.trust
@command_line.token
@click.option("--follow", is_flag=True, help="Go on until stopped, or until a log forks.")
@command_line.every
@click.option(
    "--go-on", "go_on", metavar="CHAIN", multiple=True, help="Set the evidence of its fork aside, and keep it."
)
@command_line.as_json_lines
def mirror(
    source: str,
    folder: Path,
    trust: Path | None,
    token_file: Path | None,
    follow: bool,
    every: float,
    go_on: tuple[str, ...],
    as_json: bool,
) -> None:
    """Follow the ledger published at SOURCE, an address or a folder, into DIR, and verify every step.

    DIR is a published folder itself: 'ledger serve --folder', 'ledger audit' and 'ledger import' read it when the
    operator is gone. The operator's trust file is needed once: it is kept in DIR.

    A log that shows less than before, or two histories, is not followed. Of a fork both signed checkpoints are kept
    in DIR/evidence, and the chain stands still until --go-on.
    """
    from concurrent.futures import ThreadPoolExecutor

    from ledger.mirror import evidence, following
    from ledger.mirror.growth import Source
    from ledger.mirror.mirror import Mirror
    from ledger.published import location
    from ledger.terminal import Progress
    from ledger.trust.trust_file import Trust

    given, token = Trust.load(trust) if trust else None, location.token_in(token_file)
    with (
        location.reading(source, token) as reader,
        _store(folder, given, source, reader, may_wait=follow) as store,
        ThreadPoolExecutor(_AT_ONCE) as pool,
        Progress(sys.stderr) as progress,
    ):
        mirrored = Mirror(store, store.trust(given), tell=progress)
        for chain in go_on:
            if not evidence.go_on(folder, chain):
                raise UserError(f"there is no evidence against {chain!r} in {folder}", "name a chain that has forked")
        tell = _tell_json if as_json else _telling(progress)
        following.run(
            mirrored, Source(reader, pool, source), every_s=every if follow else None, tell=tell, warn=command_line.warn
        )


def _store(folder: Path, given: "Trust | None", source: str, reader: "Reader", *, may_wait: bool) -> "Store":
    """The mirror's folder. A new one is not begun if the source is refused, or away and not waited for."""
    from ledger.mirror.store import Store, is_mirror, require_trust
    from ledger.published.trusted import followed_at

    if not is_mirror(folder):
        try:
            followed_at(source, reader, require_trust(folder, given))
        except SourceUnreachable:
            if not may_wait:
                raise
    return Store(folder)


def _telling(progress: "Progress") -> Callable[[Sequence["Outcome"]], None]:
    def tell(outcomes: Sequence["Outcome"]) -> None:
        if outcomes:
            progress.clear()
        for outcome in outcomes:
            click.echo(str(outcome))

    return tell


def _tell_json(outcomes: Sequence["Outcome"]) -> None:
    for outcome in outcomes:
        click.echo(json.dumps(outcome.document))


@click.command(
    "import",
    epilog=examples(
        "tallystick ledger import ~/mirror --data ~/own --dsn postgresql://localhost/own",
        "tallystick ledger import ~/copy --data ~/own --trust trust.json",
    ),
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@command_line.data
@command_line.dsn
@command_line.trust
@command_line.as_json
def import_(folder: Path, data: Path | None, dsn: str | None, trust: Path | None, as_json: bool) -> None:
    """Fill an empty database with what a mirror or an export in DIR holds, or bring it up to date.

    DIR is audited first. Then 'ledger prove', 'ledger serve' and 'labels serve' work with this data folder as with
    the operator's, and without any key of his. A mirror has its trust file; of an export, give the operator's.

    Sections that came late, or were shredded, after their entries were imported are not brought up to date: import
    into an empty database anew.
    """
    from ledger.mirror import importing
    from ledger.terminal import Progress, entries

    settings = Settings.load(data, dsn=dsn)
    with Progress(sys.stderr) as progress:
        sizes = importing.run(folder, trust, settings, tell=progress)
    if as_json:
        click.echo(json.dumps({chain: filled.document for chain, filled in sizes.items()}))
        return
    for chain, filled in sizes.items():
        withheld = f", {filled.withheld:,} withheld" if filled.withheld else ""
        click.echo(f"{chain:<12} {entries(filled.size)}, {filled.size - filled.before:,} new{withheld}")
