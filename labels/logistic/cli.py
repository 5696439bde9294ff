"""`tallystick labels sscc`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labels import options
from labels.printers.options import printers
from ledger import command_line
from ledger.command_line import examples
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.book import Book

UNITS_MAX = 10_000  # that get their numbers at once


@click.command(
    epilog=examples(
        "tallystick labels sscc --prefix 9506000 --count 10 --company 'Example Foods' \\",
        "    --content 09506000134352 --pieces 48 --lot L2606A -o pallets.pdf",
        "tallystick labels sscc --again 395060000000000016 --printer zebra.example.com",
    )
)
@command_line.data
@command_line.dsn
@click.option("--prefix", metavar="DIGITS", help="Your GS1 company prefix.")
@click.option("--extension", type=click.IntRange(0, 9), default=0, show_default=True, help="The first digit.")
@click.option("--count", type=click.IntRange(1, UNITS_MAX), default=1, show_default=True, help="How many units.")
@click.option("--content", metavar="GTIN", help="What is on a unit, if it is all of one kind.")
@click.option("--pieces", type=click.IntRange(1, 99_999_999), help="How many of that are on a unit.")
@click.option("--lot", help="Of which lot they are.")
@click.option("--again", multiple=True, metavar="SSCC", help="Print a unit's label again; repeat it for more.")
@click.option("--company", metavar="TEXT", help="What stands on top. Default: the operator's name.")
@click.option("--label", metavar="WxH", default="105x148", show_default=True, help="Its size in mm: 148x210 is A5.")
@click.option("-o", "out", type=click.Path(path_type=Path, dir_okay=False), help="A file: .pdf, .png, .zpl or .ql.")
@click.option("--sheets", is_flag=True, help="In a PDF, as many labels on a page of A4 as have room.")
@printers
@options.host
def sscc(
    data: Path | None,
    dsn: str | None,
    prefix: str | None,
    extension: int,
    count: int,
    content: str | None,
    pieces: int | None,
    lot: str | None,
    again: tuple[str, ...],
    company: str | None,
    label: str,
    out: Path | None,
    sheets: bool,
    printer: str | None,
    language: str,
    dpi: str,
    roll: str | None,
    no_status: bool,
    host: str | None,
) -> None:
    """Number pallets and cases, and print their labels: GS1-128, and the Digital Link as a QR code.

    Each SSCC is given once and printed on a line. It is given before its label is printed: what does not come out is
    printed again by its number.
    """
    import sys

    from labels.keeper import BookKeeper
    from labels.logistic import asked, issue
    from labels.printers.address import Address
    from ledger.database import connect
    from ledger.terminal import Progress

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    keeper = BookKeeper(options.ledger_folder(settings))
    wanted = asked.wanted(
        prefix, extension=extension, count=count, again=again, content=asked.content(content, pieces, lot)
    )
    to = asked.target(
        out,
        Address.of(printer) if printer else None,
        language,
        label,
        int(dpi),
        roll,
        asks=not no_status,
        sheets=sheets,
    )

    def book_now() -> "Book":
        with connect(settings.need_dsn()) as connection:
            return keeper.book(connection)

    book = book_now()
    same = issue.label_of(book, wanted, company=company, host=options.links_host(settings))
    if told := issue.warning(book, wanted):
        command_line.warn(told)
    units = issue.units(settings.need_dsn(), book.catalogue, wanted, same, to)
    for unit in units:
        click.echo(unit.sscc)
    with Progress(sys.stderr, of="labels") as progress:
        issue.send(
            units,
            same,
            to,
            catalogue=lambda: book_now().catalogue,
            tell=lambda done: progress("printing", done, len(units)),
        )
    if out is not None:
        click.echo(f"wrote {out}", err=True)
