"""What a person chose for a run on a label printer, or into files for one. UserError says what is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labels.printers.address import Address
from labels.printers.dots import Size
from labels.printers.medium import Language, Medium, brother, zebra
from labels.printers.outlet import PrinterOutlet
from labels.printers.renderer import PrinterLabels
from labels.printing.folder import FolderOutlet
from labels.printing.layout import X_DIMENSION_MM
from labels.printing.outlet import Outlet
from labels.printing.renderers import Words
from labels.printing.style import x_dimension
from ledger.errors import UserError

_LABEL = "50x30"
_OF_SHEETS = ("labels", "grid", "gap", "margin", "page", "skip", "offset", "outline", "test", "sheet")


def chosen(words: Words, language: str, out: Path | None, asked: Mapping[str, Any]) -> tuple[PrinterLabels, Outlet]:
    """How labels are drawn, and where they go: to the printer that is asked for, or to a folder."""
    if (out is None) == (asked["printer"] is None):
        raise UserError("it is not said where the labels go", "name a folder with -o, or a printer with --printer")
    if wrong := [name for name in _OF_SHEETS if asked[name]]:
        raise UserError(f"--{wrong[0]} is of sheets, not of a label printer", "leave it out")
    medium = medium_of(language, asked["label"] or _LABEL, int(asked["dpi"]), asked["roll"])
    x_mm = X_DIMENSION_MM if asked["x_dimension"] is None else x_dimension(asked["x_dimension"])
    labels = PrinterLabels(words, medium, in_files=out is not None, x_dimension_mm=x_mm, font=asked["font"])
    if out is not None:
        return labels, FolderOutlet(out)
    return labels, PrinterOutlet(Address.of(asked["printer"]), medium, asks=not asked["no_status"])


def medium_of(language: str, label: str, dpi: int, roll: str | None) -> Medium:
    """What is printed on: labels of a size, or a roll; of a continuous one, pieces as long as `label` is high."""
    return brother(roll, Size.of(label).height_mm) if language == Language.QL else zebra(label, dpi)
