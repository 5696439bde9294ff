"""What a person chose for a run on a label printer, or into files for one. UserError says what is wrong."""

from labels.printers.address import Address
from labels.printers.dots import Size
from labels.printers.medium import Language, Medium, brother, zebra
from labels.printers.outlet import PrinterOutlet
from labels.printers.renderer import PrinterLabels
from labels.printing.asked import OF_SHEETS, Asked
from labels.printing.folder import FolderOutlet
from labels.printing.outlet import Outlet
from labels.printing.renderers import LotFace
from ledger.errors import UserError

_LABEL = "50x30"


def chosen(lot_face: LotFace, asked: Asked) -> tuple[PrinterLabels, Outlet]:
    """How labels are drawn, and where they go: to the printer that is asked for, or to a folder."""
    if (asked.out is None) == (asked.printer is None):
        raise UserError("it is not said where the labels go", "name a folder with -o, or a printer with --printer")
    if wrong := [name for name in (*OF_SHEETS, "sheet") if getattr(asked, name)]:
        raise UserError(f"--{wrong[0]} is of sheets, not of a label printer", "leave it out")
    medium = medium_of(asked.form, asked.label or _LABEL, int(asked.dpi), asked.roll)
    in_files = asked.out is not None
    labels = PrinterLabels(lot_face, medium, in_files=in_files, x_dimension_mm=asked.module_mm, font=asked.font)
    if asked.out is not None:
        return labels, FolderOutlet(asked.out)
    assert asked.printer is not None
    return labels, PrinterOutlet(Address.of(asked.printer), medium, asks=not asked.no_status)


def medium_of(language: str, label: str, dpi: int, roll: str | None) -> Medium:
    """What is printed on: labels of a size, or a roll; of a continuous one, pieces as long as `label` is high."""
    return brother(roll, Size.of(label).height_mm) if language == Language.QL else zebra(label, dpi)
