"""`tallystick labels mark` and `labels reconcile`."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labels import options
from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.reconciling.mark import Named
    from labels.reconciling.reconcile import Reconciled, Undeclared
    from labels.reconciling.tally import Tally

FILE_BYTES_MAX = 256 * 1024 * 1024
_gtin = click.option("--gtin", help="The product: 8, 12, 13 or 14 digits.")
_lot = click.option("--lot", help="One lot of it.")


@click.command(
    short_help="Say that labels were applied, spoiled or returned.",
    epilog=examples(
        "tallystick labels mark applied --gtin 09506000134352 7K3M9QX2AB 4RTX2M8WQZ",
        "tallystick labels mark spoiled --gtin 09506000134352 --lot L2606A --numbers 25-48",
    ),
)
@command_line.data
@command_line.dsn
@_gtin
@click.option("--lot", help="Their lot: for --numbers, and where the links hold it.")
@click.option("--numbers", metavar="FIRST-LAST", help="Labels by their numbers in the lot, as 'print' tells them.")
@click.option(
    "--file", type=click.Path(path_type=Path, allow_dash=True), help="Labels, one a line; - for standard input."
)
@click.option("--note", default="", help="Why, in a few words.")
@command_line.as_json
@click.argument("what", type=click.Choice(["applied", "spoiled", "returned"]))
@click.argument("labels", nargs=-1, metavar="[LINK | SERIAL]...")
def mark(
    data: Path | None,
    dsn: str | None,
    gtin: str | None,
    lot: str | None,
    numbers: str | None,
    file: Path | None,
    note: str,
    as_json: bool,
    what: str,
    labels: tuple[str, ...],
) -> None:
    """Say what became of printed labels: applied to goods, spoiled, or returned unused.

    Name them by the link that a scanner reads, by serial with --gtin, or by number with --numbers. If one of them is
    not known, none is marked. The last that is said of a label counts; 'labels reconcile' counts them all.
    """
    from datetime import UTC, datetime

    from labels.keeper import BookKeeper
    from labels.reconciling import mark as marking
    from labels.typed import product_of
    from labels.use import Use
    from labels.words import plural
    from ledger.database import connect

    if len(note) > options.NOTE_CHARS_MAX:
        raise UserError(f"a note has at most {options.NOTE_CHARS_MAX} characters", "say it in fewer words")
    product, of = product_of(gtin, lot)
    settings = Settings.load(data, dsn=dsn)
    folder = options.ledger_folder(settings)
    with connect(settings.need_dsn()) as connection:
        if numbers is None:
            named = list(_named(labels, file, product, of))
            marked = [(stored.batch_root, stored.index) for stored in marking.find(connection, named)]
        elif product is None or of is None or labels or file:
            raise UserError("--numbers are of one lot", "name it by --gtin and --lot, and no other labels")
        else:
            batches = [issued.batch for issued in BookKeeper(folder).book(connection).lots(product, of)]
            marked = marking.numbered(batches, *_numbers(numbers))
        marking.mark(connection, marked, Use[what.upper()], at=datetime.now(UTC), note=note)
    told = f"{plural(len(marked), 'label')} marked as {what}"
    click.echo(json.dumps({"marked": len(marked), "as": what}) if as_json else told)


@click.command(
    short_help="Count what became of labels, and find what does not fit.",
    epilog=examples(
        "tallystick labels reconcile --gtin 09506000134352 --lot L2606A --closed",
        "tallystick labels reconcile --json --publish",
    ),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@_gtin
@_lot
@click.option("--closed", is_flag=True, help="The work with the lot is done: a label that is left is a finding.")
@click.option("--publish", is_flag=True, help="Say new findings in the registry, signed by the label service.")
@command_line.as_json
def reconcile(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    gtin: str | None,
    lot: str | None,
    closed: bool,
    publish: bool,
    as_json: bool,
) -> None:
    """Count, batch by batch, what was issued, printed, applied, spoiled, returned, seen and redeemed, and what is odd.

    A label is seen when its page is asked for, or when an event in the ledger names its item. Of what is recalled it is
    said how many labels were seen since; that is no finding.

    \b
    Exit codes:
      0  all fits
      1  an error
      2  something does not fit
    """
    from labels.keeper import BookKeeper
    from labels.reconciling import reconcile as reconciling
    from labels.typed import product_of
    from ledger.database import connect

    product, of = product_of(gtin, lot)
    settings = Settings.load(data, dsn=dsn)
    folder = options.ledger_folder(settings)
    with connect(settings.need_dsn()) as connection:
        book = BookKeeper(folder).book(connection)
        batches = reconciling.chosen(book, product, of)
        counted = _shown(reconciling.reconcile(connection, batches, book.catalogue, closed=closed), len(batches))
        gtins = dict.fromkeys(one.issued.batch.gtin for one in counted)
        strays = reconciling.undeclared(connection, book, gtins, others=product is None)
        found = [(one.issued, what) for one in counted for what in one.found]
        said = 0
        if publish:
            said = reconciling.publish(folder, settings.need_dsn(), connection, book, found, timeout_s=timeout)
    if as_json:
        document = {"batches": [one.document for one in counted], **strays.document, "published": said}
        click.echo(json.dumps(document))
    else:
        _tell(counted, strays)
        if publish:
            click.echo(f"{said:,} new finding{'' if said == 1 else 's'} published")
    if found or strays:
        click.get_current_context().exit(2)


def _shown(batches: "Iterable[Reconciled]", of: int) -> "list[Reconciled]":
    """All of them; a terminal shows how far it is."""
    import sys

    from ledger.terminal import Progress

    counted = []
    with Progress(sys.stderr, of="batches") as progress:
        for one in batches:
            counted.append(one)
            progress("counting", len(counted), of)
    return counted


def _named(labels: Sequence[str], file: Path | None, gtin: str | None, lot: str | None) -> Iterator["Named"]:
    from labels.reconciling import mark as marking

    if not labels and file is None:
        raise UserError("no label is named", "name labels by link or serial, or by --file or --numbers")
    for text in labels:
        yield marking.named(text, "", gtin=gtin, lot=lot)
    if file is not None:
        source = "standard input" if file == Path("-") else str(file)
        for where, text in marking.lines(_text(file, source), source):
            yield marking.named(text, where, gtin=gtin, lot=lot)


def _text(file: Path, source: str) -> str:
    try:
        with click.open_file(str(file), "rb") as stream:
            data: bytes = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UserError.of_system(f"cannot read {source}", error) from error
    if len(data) > FILE_BYTES_MAX:
        raise UserError(f"{source} is larger than {FILE_BYTES_MAX // 2**20} MiB", "mark the labels in several goes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is no text", "write labels one a line, as UTF-8") from error


def _numbers(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in (first, last if dash else first)):
        raise UserError(f"{text!r} are no numbers of labels", "write them like 25-48, or 25 for one")
    return int(first), int(last if dash else first)


_COLUMNS = {
    "issued": "issued",
    "printed": "printed",
    "applied": "applied",
    "spoiled": "spoiled",
    "returned": "returned",
    "unused": "left",
    "seen": "seen",
}
_REDEEMED = {"redeemed": "redeemed"}  # a column where batches have hidden codes


def _tell(counted: Sequence["Reconciled"], strays: "Undeclared") -> None:
    from labels import table
    from ledger.terminal import printable

    has_hidden = any(one.issued.batch.hidden is not None for one in counted)
    columns = _COLUMNS | (_REDEEMED if has_hidden else {})
    titles = tuple(columns.values())
    rows = [[one.issued.batch.gtin, one.issued.batch.lot, *_cells(one.tally, columns)] for one in counted]
    head, *lines = table.lines(("GTIN", "lot", *titles), rows, right=titles)
    click.echo(head)
    for one, line in zip(counted, lines, strict=True):
        click.echo(line)
        for told in filter(None, (one.recalled.told, one.tally.told_elsewhere)):
            click.echo(printable(f"  {told}"))
        for found in one.found:
            serial = one.first_serial(found)
            first = f" ({'first ' if found.labels > 1 else ''}{serial})" if serial else ""
            click.echo(f"  ! {found.reason}{first}")
    for told in strays.told:
        click.echo(f"  ! {told}")


def _cells(tally: "Tally", columns: Iterable[str]) -> list[str]:
    return [f"{getattr(tally, name):,}" for name in columns]
