"""`tallystick labels print` and `labels formats`."""

from dataclasses import replace
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
    from labels.printing.outlet import Numbered, Outlet, Piece
    from labels.printing.renderers import Renderer, Words
    from labels.printing.style import SheetStyle


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
@click.option("--x-dimension", type=float, metavar="MM", help="A module's width: 0.375 to 0.990. Default: 0.396.")
@click.option("--outline", is_flag=True, help="Draw the labels' edges as well.")
@click.option("--sheets-per-file", type=click.IntRange(1, 500), default=50, show_default=True, help="At most.")
@click.option("--font", type=click.Path(path_type=Path, dir_okay=False), help="A TrueType file for the text.")
@click.option("--test", is_flag=True, help="One sheet of specimens with outlines, which counts for nothing.")
@click.option("--sheet", is_flag=True, help="Beside png files: sheets of forty to look at.")
@click.option("--title", default="", metavar="TEXT", help="What stands beside the code. Default: the product's name.")
@click.option("--serial", "serials", multiple=True, help="Only this label; repeat it for more.")
@click.option("--again", is_flag=True, help="Print once more what is printed.")
@click.option(
    "--came-out", metavar="SERIAL", help="The last label that came out of a run that broke off; all, or none."
)
@options.host
def print_(data: Path | None, dsn: str | None, gtin: str, lot: str, host: str | None, **asked: Any) -> None:
    """Print a lot's labels: sheets as PDF, a file a label, or on a label printer. Prints each file's name.

    Each label is printed once. A run that broke off is resumed by the same command; what is printed already is printed
    again with --again alone. Every code is read back before it leaves. Where the label service runs on this machine,
    index.html beside png files shows them all, each with its link.
    """
    from labels.printing.lot import Wanted, print_lot, printable_lot

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    kind, out = _kind(asked), asked["out"]
    address = settings.labels_url.rstrip("/") if settings.labels_url and kind == "png" else None
    found = printable_lot(
        options.ledger_folder(settings), settings.need_dsn(), gtin=gtin, lot=lot, serials=asked["serials"]
    )
    words = replace(_words(settings, found.lot, asked["title"] or found.name, address), hidden=found.hidden)
    if found.hidden and kind == "png":
        raise UserError(
            f"the labels of lot {lot} have a hidden code, and a picture for a screen has no scratch field",
            "print them as --format pdf or svg, or on a label printer",
        )
    renderer, outlet = _way(kind, words, asked)
    if asked["test"]:
        click.echo(_specimens(found.gtin, words, _style(asked), asked, out))
        return
    wanted, teller = Wanted(asked["again"], asked["serials"], asked["came_out"]), _Teller(out, address)
    with teller.progress:
        count = print_lot(settings.need_dsn(), found, renderer, outlet, wanted=wanted, tell=teller.tell)
    if asked["printer"]:
        click.echo(f"{count:,} labels came out of {outlet.where}")
    elif kind == "png":
        _beside(teller.labels, words, out, found.gtin, address, sheets=asked["sheet"])


@click.command(epilog=examples("tallystick labels formats"))
def formats() -> None:
    """List the sheets of labels that are known by their numbers, and which have room for a signed code."""
    from labels.printing.formats import FORMATS, PAGES
    from labels.printing.layout import EDGE_MM, X_DIMENSION_MM

    pages = {size: name for name, size in PAGES.items()}
    code = 53 * X_DIMENSION_MM + 2 * EDGE_MM
    for one in FORMATS:
        grid = one.grid
        size = f"{grid.label[0]:.1f} x {grid.label[1]:.1f} mm"
        told = f"{size:18} {grid.columns} x {grid.rows:<3} {pages[grid.page]:7} {', '.join(one.names)}"
        click.echo(told + ("" if code <= min(grid.label) else "  (too small for a code of 21 mm)"))


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


def _kind(asked: dict[str, Any]) -> str:
    if asked["printer"]:
        return str(asked["language"])
    sheets = any(asked[name] for name in ("labels", "grid", "skip", "offset", "outline", "test"))
    return asked["kind"] or ("pdf" if sheets else "png")


def _words(settings: Settings, lot: str, title: str, address: str | None) -> "Words":
    from labels.printing.fonts import readable
    from labels.printing.renderers import Words

    return Words(options.links_host(settings), lot, readable(title), address)


def _style(asked: dict[str, Any]) -> "SheetStyle":
    from labels.printing import formats as known
    from labels.printing.layout import X_DIMENSION_MM
    from labels.printing.style import SheetStyle, x_dimension

    if asked["grid"] or (asked["kind"] == "svg" and asked["label"]):
        if not asked["label"] or asked["labels"]:
            raise UserError(
                "a grid is known by its counts and its labels' size", "say --grid 3x8 --label 70x37, and no --labels"
            )
        grid = known.grid(
            *known.counts(asked["grid"] or "1x1"),
            known.sizes(asked["label"]),
            page=known.page(asked["page"] or "A4"),
            gap=known.sizes(asked["gap"]) if asked["gap"] else (0.0, 0.0),
            margin=known.sizes(asked["margin"]) if asked["margin"] else None,
        )
    elif any(asked[name] for name in ("label", "gap", "margin", "page")):
        raise UserError("--label, --gap, --margin and --page are of a grid", "say --grid 3x8 as well")
    else:
        grid = known.by_number(asked["labels"] or known.DEFAULT)
    if asked["skip"] >= grid.count:
        raise UserError(
            f"a sheet has {grid.count} labels: {asked['skip']} are not skipped", f"say at most --skip {grid.count - 1}"
        )
    module = X_DIMENSION_MM if asked["x_dimension"] is None else x_dimension(asked["x_dimension"])
    offset = known.shift(asked["offset"]) if asked["offset"] else (0.0, 0.0)
    return SheetStyle(grid, module, offset, asked["outline"] or asked["test"], asked["sheets_per_file"])


def _way(kind: str, words: "Words", asked: dict[str, Any]) -> "tuple[Renderer, Outlet]":
    """How labels are drawn, and where they go."""
    from labels.printers.chosen import chosen
    from labels.printing.folder import FolderOutlet

    out = asked["out"]
    if asked["printer"] or kind in ("zpl", "ql"):
        return chosen(words, kind, out, asked)
    if out is None:
        raise UserError("it is not said where the labels go", "name a folder with -o, or a printer with --printer")
    return _renderer(kind, words, _style(asked), asked), FolderOutlet(out)


def _renderer(kind: str, words: "Words", style: "SheetStyle", asked: dict[str, Any]) -> "Renderer":
    from labels.printing.renderers import PdfSheets, Pictures

    if kind == "pdf":
        return PdfSheets(words, style, asked["font"], asked["skip"])
    return Pictures(words, kind, style, asked["font"])


def _specimens(gtin: str, words: "Words", style: "SheetStyle", asked: dict[str, Any], out: Path) -> Path:
    from labels.printing.renderers import PdfSheets
    from labels.printing.specimen import specimens
    from ledger import whole_file

    renderer = PdfSheets(words, style, asked["font"], asked["skip"])
    [part] = renderer.draw(next(renderer.jobs(specimens(gtin, style.grid.count - asked["skip"])))).parts
    whole_file.put(out / "test.pdf", part.data)
    return out / "test.pdf"


def _beside(
    labels: "list[Numbered]", words: "Words", out: Path, gtin: str, address: str | None, *, sheets: bool
) -> None:
    from labels.printing import files

    if len(labels) > files.LABELS_MAX:
        command_line.warn(
            f"more than {files.LABELS_MAX:,} labels: no page that shows them all, and no picture of sheets"
        )
        return
    if address:
        click.echo(files.write_overview(labels, words, out, gtin=gtin, address=address))
    for file in files.write_sheets(labels, words, out) if sheets else ():
        click.echo(str(file))
