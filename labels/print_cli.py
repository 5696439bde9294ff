"""`tallystick labels print`: on top of printing and printers, which know no command."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labels import options
from labels.printers.options import printers
from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labels.keeper import BookKeeper
    from labels.printing.asked import Asked
    from labels.printing.lot import Lot
    from labels.printing.outlet import Numbered, Outlet, Piece
    from labels.printing.renderers import LotFace, Renderer


@click.command(
    "print",
    epilog=examples(
        "tallystick labels print --gtin 09506000134352 --lot L2606A -o labels --labels L7160",
        "tallystick labels print --gtin 09506000134352 --lot L2606A --printer zebra.example.com",
    ),
)
@command_line.data
@command_line.dsn
@options.gtin
@options.lot
@click.option("-o", "out", type=click.Path(path_type=Path, file_okay=False), help="A folder to write to.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["png", "svg", "pdf", "zpl", "ql"]),
    help="Default: pdf for sheets, else png. zpl and ql are for label printers.",
)
@printers
@click.option("--labels", metavar="NUMBER", help="Sheets by their number, as 'labels formats' lists them: L7160.")
@click.option("--grid", metavar="CxR", help="Any sheet: columns x rows, with --label.")
@click.option("--label", metavar="WxH", help="A label's size in mm.")
@click.option("--gap", metavar="XxY", help="Between the labels of a grid, in mm.")
@click.option("--margin", metavar="LxT", help="Left of and above a grid, in mm. Default: it is in the middle.")
@click.option("--page", metavar="SIZE", help="A4, Letter, or WxH in mm. Default: A4.")
@click.option("--skip", type=click.IntRange(min=0), default=0, help="Places of the first sheet that are used already.")
@click.option("--offset", metavar="X,Y", help="By how many mm to the right and down to print, for a printer's misfeed.")
@click.option(
    "--x-dimension",
    type=float,
    metavar="MM",
    help="A module's width: 0.375 to 0.990. Default: 0.396. At 203 dpi 0.375 and 0.5 are whole dots.",
)
@click.option("--outline", is_flag=True, help="Draw the labels' edges as well.")
@click.option("--sheets-per-file", type=click.IntRange(1, 500), default=50, show_default=True, help="At most.")
@click.option("--font", type=click.Path(path_type=Path, dir_okay=False), help="A TrueType file for the text.")
@click.option(
    "--test", is_flag=True, help="One sheet of specimens with outlines: they are nobody's, and count for nothing."
)
@click.option("--sheet", is_flag=True, help="Beside png files: sheets of forty to look at.")
@click.option("--title", default="", metavar="TEXT", help="What stands beside the code. Default: the product's name.")
@click.option("--serial", "serials", multiple=True, help="Only this label; repeat it for more.")
@click.option("--again", is_flag=True, help="Print once more what is printed, or marked as spoiled.")
@click.option(
    "--came-out", metavar="SERIAL", help="The last label that came out of a run that broke off; all, or none."
)
@options.host
def print_(data: Path | None, dsn: str | None, gtin: str, lot: str, host: str | None, **asked: Any) -> None:
    """Print a lot's labels: sheets as PDF, a file a label, or on a label printer. Prints each file's name.

    Each label is printed once. A run that broke off is resumed by the same command; what is printed already is printed
    again with --again alone. Every code is read back before it leaves, and no file takes the place of another. Where
    the label service runs on this machine, index.html beside png files shows them all, each with its link.
    """
    from labels.keeper import BookKeeper
    from labels.printing import specimen
    from labels.printing.asked import Asked
    from labels.printing.fonts import readable
    from labels.printing.lot import printable_lot
    from labels.printing.renderers import LotFace, PdfSheets

    settings, wanted = Settings.load(data, dsn=dsn, labels_host=host), Asked(**asked)
    folder = options.ledger_folder(settings)
    keeper = BookKeeper(folder)
    found = printable_lot(folder, keeper, settings.need_dsn(), gtin=gtin, lot=lot, serials=wanted.serials)
    title = readable(wanted.title or found.name)
    lot_face = LotFace(options.links_host(settings), found.lot, title, found.hidden)
    if found.hidden and wanted.form == "png":
        raise UserError(
            f"the labels of lot {lot} have a hidden code, and a picture for a screen has no scratch field",
            "print them as --format pdf or svg, or on a label printer",
        )
    if wanted.test:
        sheets = PdfSheets(lot_face, wanted.style(), wanted.font, wanted.skip)
        click.echo(specimen.write(sheets, wanted.need_folder(), gtin=found.gtin))
    else:
        _print(settings, keeper, found, lot_face, wanted)


def _print(settings: Settings, keeper: "BookKeeper", lot: "Lot", lot_face: "LotFace", asked: "Asked") -> None:
    from labels.printing.lot import Wanted, print_lot

    renderer, outlet = _way(lot_face, asked)
    address = settings.labels_url if asked.form == "png" else None
    teller = _Teller(asked.out, address)
    wanted = Wanted(asked.again, asked.serials, asked.came_out)
    with teller.progress:
        count = print_lot(
            settings.need_dsn(),
            lot,
            renderer,
            outlet,
            keeper=keeper,
            wanted=wanted,
            tell=teller.tell,
            tell_left_out=_tell_left_out,
        )
    if asked.printer:
        click.echo(f"{count:,} labels came out of {outlet.where}")
    elif asked.form == "png":
        _beside(teller.labels, lot_face, lot.gtin, address, asked)


class _Teller:
    """Says on standard output what is written, and on a terminal how far the run is."""

    def __init__(self, out: Path | None, address: str | None) -> None:
        import sys

        from ledger.terminal import Progress

        self.progress = Progress(sys.stderr, of="labels")
        self.labels = list["Numbered"]()
        self._out, self._address = out, address

    def tell(self, piece: "Piece", done: int, of: int) -> None:
        """A piece is out."""
        from labels.printing import files

        self.progress.clear()
        for part in piece.parts if self._out else ():
            page = f"  {files.link_at(self._address, part.labels[0].stored.label)}" if self._address else ""
            click.echo(f"{self._out}/{part.name}{page}")
        if len(self.labels) <= files.LABELS_MAX:
            self.labels += piece.labels
        self.progress("printing", done, of)


def _tell_left_out(labels: "Sequence[Numbered]") -> None:
    from labels.printing.stopped import told

    command_line.warn(f"recalled, and left out: {told(labels)}")


def _way(lot_face: "LotFace", asked: "Asked") -> "tuple[Renderer, Outlet]":
    """How labels are drawn, and where they go."""
    from labels.printers.chosen import chosen
    from labels.printing.folder import FolderOutlet
    from labels.printing.renderers import PdfSheets, Pictures

    if asked.form in ("zpl", "ql"):
        return chosen(lot_face, asked)
    outlet, style = FolderOutlet(asked.need_folder()), asked.style()
    if asked.form == "pdf":
        return PdfSheets(lot_face, style, asked.font, asked.skip), outlet
    return Pictures(lot_face, asked.form, style, asked.font), outlet


def _beside(labels: "list[Numbered]", lot_face: "LotFace", gtin: str, address: str | None, asked: "Asked") -> None:
    from labels.printing import files

    out = asked.need_folder()
    if len(labels) > files.LABELS_MAX:
        command_line.warn(
            f"more than {files.LABELS_MAX:,} labels: no page that shows them all, and no picture of sheets"
        )
        return
    if address:
        page = files.write_overview(labels, lot_face, out, gtin=gtin, address=address)
        if page:
            click.echo(page)
        else:
            command_line.warn(f"{out} has an index.html of somebody else: it is left, and no page shows the labels")
    for file in files.write_sheets(labels, lot_face, out, font=asked.font) if asked.sheet else ():
        click.echo(str(file))
