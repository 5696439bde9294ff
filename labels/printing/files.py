"""A lot's labels as files: a PNG each, and sheets."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from labels import gs1, listed
from labels.batch import Label
from labels.keeper import BookKeeper
from labels.printing import overview
from labels.printing.face import Face, human_readable, label_png, sheets
from labels.printing.overview import Shown
from labels.typed import gtin_of, lot_of
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder

T = TypeVar("T")
_TYPED = "Scan the code for proof. Typed, without proof:"
SHEET_MODULE_PX = 4  # a sheet of forty is a large picture


def published_labels(folder: LedgerFolder, dsn: str, *, gtin: str, lot: str) -> list[Label]:
    """All labels of the lot whose batch is published, in the order of issue; UserError if there are none."""
    gtin = gtin_of(gtin)
    lot = lot_of(gtin, lot)
    with connect(dsn) as connection:
        batches = BookKeeper(folder).book(connection).lots(gtin, lot)
        labels = [label for issued in batches for label in listed.batch_labels(connection, issued.batch.root)]
    if not labels:
        raise UserError(
            f"no published batch has labels of GTIN {gtin}, lot {lot}",
            f"issue them: 'tallystick labels issue --gtin {gtin} --lot {lot} --count 24'",
        )
    return labels


def faces(labels: Iterable[Label], *, host: str, lot: str, address: str | None, title: str = "") -> list[Face]:
    """What each label shows; below it, where `address` (http://127.0.0.1:8420) is known, its path there.

    Nobody types a signature of 169 digits: the path leads to the item's page, which then cannot prove the label.
    """
    return [
        Face(
            link, title, human_readable(gs1.parse(link), lot=lot), f"{_TYPED}\n{address}{label.path}" if address else ""
        )
        for label in labels
        for link in [label.link(host)]
    ]


def write_labels(
    labels: Sequence[Label],
    faces: Sequence[Face],
    folder: Path,
    *,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write `<serial>.png` for each label, also over one that is there; `tell` hears (done, of how many)."""
    _make(folder)
    for done, (label, face) in enumerate(zip(labels, faces, strict=True), 1):
        _write(folder / f"{name_of(label)}.png", label_png(face))
        tell(done, len(labels))


def write_overview(
    labels: Sequence[Label], faces: Sequence[Face], folder: Path, *, gtin: str, lot: str, address: str, title: str
) -> Path:
    """Write the page that shows all labels with their whole links at `address`, and return its file."""
    shown = [
        Shown(f"{name_of(label)}.png", link_at(address, label), face) for label, face in zip(labels, faces, strict=True)
    ]
    path = folder / overview.FILE_NAME
    _write(path, overview.overview(shown, gtin=gtin, lot=lot, title=title).encode())
    return path


def link_at(address: str, label: Label) -> str:
    """The label's whole link at a service of ours, such as http://127.0.0.1:8420."""
    scheme, _, host = address.partition("://")
    return label.link(host, scheme=scheme)


def write_sheets(faces: Sequence[Face], folder: Path) -> list[Path]:
    """Write the labels as `sheet-001.png` and on, and return the files."""
    _make(folder)
    written = []
    for number, png in enumerate(sheets(faces, module_px=SHEET_MODULE_PX), 1):
        written.append(folder / f"sheet-{number:03}.png")
        _write(written[-1], png)
    return written


def name_of(label: Label) -> str:
    """A label's file, without its ending: the serial, or else the path, as a file may be called."""
    serial = gs1.parse(f"https://{gs1.GS1_HOST}{label.path}").serial
    return quote(serial or label.path.strip("/").replace("/", "-"), safe="").replace(".", "%2E")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {folder}: {error.strerror}", "name another folder with -o") from error


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a printer may be watching the folder."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise UserError.of_system(f"cannot write {path}", error) from error
