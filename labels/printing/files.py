"""What lies beside a lot's pictures: a page that shows them all, and sheets of forty to look at."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from labels.batch import Label
from labels.printing import overview
from labels.printing.decoded import require_decodes
from labels.printing.face import sheets
from labels.printing.outlet import Numbered
from labels.printing.overview import Shown
from labels.printing.qr import printed
from labels.printing.renderers import Words, file_name
from ledger import whole_file

LABELS_MAX = 2_000  # on one page, and in memory
_SHEET_MODULE_PX = 4  # a sheet of forty is a large picture


def write_overview(labels: Sequence[Numbered], words: Words, folder: Path, *, gtin: str, address: str) -> Path:
    """Write the page that shows the labels with their whole links at `address`, and return its file."""
    shown = [
        Shown(f"{file_name(label)}.png", link_at(address, label.stored.label), words.face(label)) for label in labels
    ]
    path = folder / overview.FILE_NAME
    whole_file.put(path, overview.overview(shown, gtin=gtin, lot=words.lot, title=words.title).encode())
    return path


def link_at(address: str, label: Label) -> str:
    """The label's whole link at a service of ours, such as http://127.0.0.1:8420."""
    scheme, _, host = address.partition("://")
    return label.link(host, scheme=scheme)


def write_sheets(labels: Sequence[Numbered], words: Words, folder: Path) -> list[Path]:
    """Write the labels as `sheet-001.png` and on, each read back, and return the files."""
    written, rest = list[Path](), [words.face(label) for label in labels]
    for number, png in enumerate(sheets(rest, module_px=_SHEET_MODULE_PX), 1):
        drawn, rest = rest[:40], rest[40:]
        require_decodes(Image.open(BytesIO(png)), [printed(face.link) for face in drawn])
        written.append(folder / f"sheet-{number:03}.png")
        whole_file.put(written[-1], png)
    return written
