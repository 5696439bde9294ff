"""`tallystick labels read`: on top of reading, and of pages, which find what the ledger here has of a label."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labels import options
from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.reading.apart import Decoder
    from labels.reading.judges import Judge
    from labels.reading.report import Report
    from ledger.terminal import Progress
    from ledger.trust.trust_file import Trust

STDIN = "-"


@click.command(
    epilog=examples(
        "tallystick labels read photo.jpg --trust bundle.txt",
        "tallystick labels read *.pdf --trust bundle.txt --url https://id.example.com --json",
    )
)
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True)
@command_line.data
@command_line.dsn
@command_line.trust
@click.option("--url", metavar="URL", help="A label service to ask, besides the trust bundle.")
@command_line.as_json_lines
@click.pass_context
def read(
    ctx: click.Context,
    images: tuple[str, ...],
    data: Path | None,
    dsn: str | None,
    trust: Path | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Read the codes in each IMAGE, a photo, a scan or a PDF (- for standard input), and say if labels are genuine.

    QR codes, Data Matrix, GS1-128, DataBar, EAN/UPC and ITF-14 are read. Whether a label is genuine says the ledger of
    this machine; or with --trust, offline, a trust bundle: then a good one is "signed", for a bundle does not list the
    labels that were issued; it knows what was recalled when it was made. With --url as well, a label service is asked,
    and believed of what the bundle bears out.

    \b
    It ends with the worst that it has seen:
      0  each image shows labels, and all are genuine (with --trust alone: signed)
      1  wrong use, or an image could not be read
      2  a label is not genuine, is or may be recalled, or is there twice; or an image shows none
    """
    from labels.reading.apart import Decoder
    from labels.reading.report import summary
    from ledger.terminal import Progress

    _require_files(images)
    reports, seen = [], dict[str, str]()
    with _judge(data, dsn, trust, url) as judge, Decoder() as decoder, Progress(sys.stderr, of="images") as progress:
        for number, image in enumerate(images):
            progress("reading", number, len(images) if len(images) > 1 else 0)
            report = _report(image, decoder, judge, seen, progress)
            progress.clear()
            _tell(report, as_json)
            reports.append(report)
    if len(reports) > 1 and not as_json:
        click.echo(summary(reports))
    ctx.exit(max(report.exit_code for report in reports))


@contextmanager
def _judge(data: Path | None, dsn: str | None, trust: Path | None, url: str | None) -> "Iterator[Judge]":
    from labels.pages.resolve import Resolver
    from labels.reading.judges import LedgerJudge, ServiceJudge, TrustJudge

    judge: Judge
    if trust is not None:
        bundle = _bundle(trust)
        judge = ServiceJudge(url, bundle) if url else TrustJudge(bundle)
    elif url:
        raise UserError(
            f"nothing is here by which to check what {url} says",
            "name a trust bundle with --trust: the operator gives it out, by 'tallystick ledger trust export'",
        )
    else:
        settings = Settings.load(data, dsn=dsn)
        folder = options.ledger_folder(settings)
        judge = LedgerJudge(Resolver(folder, settings.need_dsn()), f"the ledger {folder.trust().name}")
    try:
        yield judge
    finally:
        judge.close()


def _bundle(path: Path) -> "Trust":
    import time

    from ledger.trust.text import warning
    from ledger.trust.trust_file import Trust

    trust = Trust.load(path)
    if (told := warning(trust, time.time())) is not None:
        command_line.warn(told)
    if trust.bundle is not None and trust.bundle.recalls is None:
        command_line.warn("the trust bundle is of an older kind, and knows no recalls: ask the operator for a new one")
    return trust


def _report(image: str, decoder: "Decoder", judge: "Judge", seen: dict[str, str], progress: "Progress") -> "Report":
    """What is in one picture; a page that cannot be read ends it."""
    from labels.reading.code import PictureError
    from labels.reading.judges import verdict_on
    from labels.reading.report import Report

    report = Report("standard input" if image == STDIN else image)
    try:
        for page in decoder.read(_bytes(image, decoder.limits.bytes_max)):
            report.add(page, lambda said: verdict_on(said, judge), seen)
            if page.of > 1:
                progress(f"{report.picture}, pages", page.number, page.of)
    except PictureError as error:
        report.complaint = str(error)
    return report


def _require_files(images: tuple[str, ...]) -> None:
    """Raise UserError for a file that cannot be opened, before any is read."""
    for image in images:
        if image != STDIN:
            _bytes(image, 0)


def _bytes(image: str, most: int) -> bytes:
    """A picture's bytes; UserError if the file cannot be read. One byte too many tells the decoder that it is."""
    if image == STDIN:
        return sys.stdin.buffer.read(most + 1)
    try:
        with Path(image).open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise UserError.of_system(f"cannot read {image}", error) from error


def _tell(report: "Report", as_json: bool) -> None:
    from labels.reading.report import lines
    from ledger.terminal import printable

    if as_json:
        document: dict[str, Any] = report.document
        click.echo(json.dumps(document))
        return
    for line in lines(report):
        click.echo(printable(line))
