"""`tallystick ledger audit`."""

import json
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.audit.report import Report
    from ledger.audit.rows import Source, SourceAt
    from ledger.trust.trust_file import Trust


@click.command(
    epilog=examples(
        "tallystick ledger audit --data ~/tally",
        "tallystick ledger audit https://ledger.example.com --trust trust.json \\",
        "    --resume ~/audited",
    )
)
@click.argument("source", required=False)
@command_line.data
@command_line.dsn
@command_line.trust
@command_line.token
@click.option(
    "--resume",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Go on from what FILE keeps of earlier audits, and keep there how far this one comes.",
)
@click.option("--anew", is_flag=True, help="With --resume: audit all, whatever FILE keeps.")
@command_line.as_json
@click.pass_context
def audit(
    ctx: click.Context,
    source: str | None,
    data: Path | None,
    dsn: str | None,
    trust: Path | None,
    token_file: Path | None,
    resume: Path | None,
    anew: bool,
    as_json: bool,
) -> None:
    """Rebuild everything from the entries, and check every signature, key, stream, tree, block and the anchor.

    SOURCE is a folder or an address where a ledger is published; by default it is your own ledger, in its database.
    All cores are used. With --resume an audit that was interrupted goes on, and of a ledger that has grown only what
    is new is audited; the report says what was audited when.
    """
    from ledger.audit import text
    from ledger.terminal import printable

    if source is None:
        trusted, opened = _own(data, dsn)
    else:
        trusted, opened = _published(source, trust, token_file)
    report = _run(opened, trusted, resume, anew=anew)
    if as_json:
        click.echo(json.dumps(report.document))
        ctx.exit(0 if report.ok else 1)
    click.echo("\n".join(text.lines(report)))
    if not report.ok:
        first = printable(report.problems[0])
        raise UserError(f"the audit found {report.count('problems')} problems; the first: {first}", _hint(report))


def _hint(report: "Report") -> str:
    from ledger.audit.chain import RESTORED
    from ledger.checkpoint_file import ACCEPT

    hint = "keep all of it as it is, with its checkpoints: they are evidence"
    is_behind = any(problem.what.endswith(RESTORED) for problem in report.problems)
    return f"{hint}. If the database is your newest: {ACCEPT}" if is_behind else hint


_Opened = AbstractContextManager[tuple["Source", "SourceAt"]]


def _own(data: Path | None, dsn: str | None) -> tuple["Trust", _Opened]:
    from ledger.audit.database import in_database

    settings = Settings.load(data, dsn=dsn)
    folder = settings.ledger
    return folder.trust(), in_database(settings.need_dsn(), folder)


def _published(location: str, trust: Path | None, token_file: Path | None) -> tuple["Trust", _Opened]:
    from ledger.audit.published import PublishedAt, published
    from ledger.published.location import token_in
    from ledger.trust.trust_file import Trust

    if trust is None:
        raise UserError(
            "what is published cannot vouch for itself: name the operator's trust file",
            "with --trust; the operator gives it out: <data>/ledger/trust.json",
        )
    trusted = Trust.load(trust)
    return trusted, published(PublishedAt(location, trusted, token_in(token_file)))


def _run(opened: _Opened, trust: "Trust", resume: Path | None, *, anew: bool) -> "Report":
    from ledger.audit import walk
    from ledger.audit.resume import Keeper, load, misfit
    from ledger.audit.state import ResumeError
    from ledger.audit.state_file import Saved
    from ledger.audit.workers import Workers, cores
    from ledger.terminal import Progress

    saved = Saved(trust.genesis) if resume is None or anew else load(resume, trust)
    keep = Keeper(resume, saved, now_ms=lambda: time.time_ns() // 1_000_000) if resume else walk.nowhere
    with (
        opened as (source, at),
        Workers(source, at, cores()) as workers,
        Progress(sys.stderr) as progress,
    ):
        try:
            return walk.audit(source, trust, tell=progress, examine=workers.examine, before=saved.chains, keep=keep)
        except ResumeError as error:
            raise misfit(resume or Path(), error) from error
