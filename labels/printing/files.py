"""What lies beside a lot's pictures: a page that shows them all, and sheets of forty to look at."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from labels.batch import Label
from labels.printing import overview
from labels.printing.decoded import require_decodes
from labels.printing.face import sheets
from labels.printing.folder import require_free
from labels.printing.outlet import Numbered
from labels.printing.overview import Shown
from labels.printing.qr import printed
from labels.printing.renderers import LotFace, file_name, piece_name
from ledger import whole_file

LABELS_MAX = 2_000  # on one page, and in memory
_ON_SHEET = 40
_SHEET_MODULE_PX = 4  # a sheet of forty is a large picture


def write_overview(
    labels: Sequence[Numbered], lot_face: LotFace, folder: Path, *, gtin: str, address: str
) -> Path | None:
    """Write the page that shows the labels with their whole links at `address`, and return its file.

    It takes the place of the last run's page, but of no other's: None then.
    """
    path = folder / overview.FILE_NAME
    if path.exists() and not (path.is_file() and overview.is_ours(path.read_bytes())):
        return None
    shown = [
        Shown(f"{file_name(label, lot_face.lot)}.png", link_at(address, label.stored.label), lot_face.face(label))
        for label in labels
    ]
    whole_file.put(path, overview.overview(shown, gtin=gtin, lot=lot_face.lot, title=lot_face.title).encode())
    return path


def link_at(address: str, label: Label) -> str:
    """The label's whole link at a service of ours, such as http://127.0.0.1:8420."""
    scheme, _, host = address.partition("://")
    return label.link(host, scheme=scheme)


def write_sheets(
    labels: Sequence[Numbered], lot_face: LotFace, folder: Path, *, font: Path | None = None
) -> list[Path]:
    """Write the labels on sheets, `sheet-` and the name of a piece, each read back, and return the files.

    UserError if a file of such a name is there, and is another.
    """
    written = list[Path]()
    pages = [labels[at : at + _ON_SHEET] for at in range(0, len(labels), _ON_SHEET)]
    pictures = sheets(map(lot_face.face, labels), module_px=_SHEET_MODULE_PX, font=font)
    for page, png in zip(pages, pictures, strict=True):
        require_decodes(Image.open(BytesIO(png)), [printed(lot_face.face(label).link) for label in page])
        written.append(folder / f"sheet-{piece_name(page, lot_face.lot)}.png")
        require_free(written[-1], png)
        whole_file.put(written[-1], png)
    return written
