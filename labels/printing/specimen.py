"""Specimens for a test print: as large as real labels, and nobody's.

Their links lead to a host that cannot be (RFC 6761, 6.4), and are of a product that cannot be bought: GS1 keeps prefix
952 for examples. No key has signed them.
"""

from dataclasses import replace
from pathlib import Path

from labels import gs1
from labels.batch import Label
from labels.hidden import code
from labels.printing import pdf, readback
from labels.printing.face import Face, human_readable
from labels.printing.folder import make
from labels.printing.renderers import PdfSheets, fonts_for, specimens_name
from labels.signature import DIGITS
from ledger import whole_file

MARK = "SPECIMEN"
_GTIN = "09520000000004"
_NOWHERE = ".invalid"


def faces(count: int, *, host: str, lot: str, title: str = "", hidden: bool = False) -> list[Face]:
    """So many faces like those of a lot whose links lead to `host`, with a second code if `hidden`."""
    host = nowhere(host)
    found = []
    for number in range(1, count + 1):
        item = gs1.item(_GTIN, serial=f"{MARK}{number:02}")
        second = code.link(host, item.canonical_path, "X" * code.CHARACTERS) if hidden else ""
        link = Label(item.canonical_path, "0" * DIGITS).link(host)
        found.append(Face(link, f"{MARK} {title}".strip(), human_readable(item, lot=lot), hidden=second))
    return found


def write(sheets: PdfSheets, folder: Path, *, gtin: str) -> Path:
    """Fill the first sheet of a lot with specimens, which are read back, and return its file; an earlier one makes
    room. UserError if it cannot be drawn or written.
    """
    lot_face, style = sheets.lot_face, replace(sheets.style, mark=MARK)
    some = faces(
        style.grid.count - sheets.skip,
        host=lot_face.host,
        lot=lot_face.lot,
        title=lot_face.title,
        hidden=bool(lot_face.hidden),
    )
    data = pdf.sheets(some, style, fonts_for(some, sheets.font), skip=sheets.skip, title="Specimens")
    readback.check_pdf(data, [some])
    make(folder)
    file = folder / f"{specimens_name(gtin, lot_face.lot)}.pdf"
    whole_file.put(file, data)
    return file


def nowhere(host: str) -> str:
    """A host that cannot be, as long as this one if that has room for it."""
    return (MARK.lower() * 32)[: max(1, len(host) - len(_NOWHERE))][:63] + _NOWHERE
