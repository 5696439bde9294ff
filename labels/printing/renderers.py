"""How labels become files: each renderer draws some labels, and reads back what it drew, in a process of its own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

from labels import gs1
from labels.hidden import code as codes
from labels.printing import fonts, pdf, readback
from labels.printing.face import Face, human_readable, label_png
from labels.printing.fonts import Fonts
from labels.printing.layout import CAPTION
from labels.printing.outlet import Numbered, Part, Piece
from labels.printing.style import SheetStyle
from labels.printing.svg import label_svg

FILES = 50  # of one label each, in a piece


class Job(NamedTuple):
    """Some labels to draw, and how many places of the first sheet stay free."""

    labels: tuple[Numbered, ...]
    skip: int = 0


class Renderer(Protocol):
    """Draws pieces. It is sent to other processes, as jobs and pieces are."""

    def jobs(self, labels: Iterator[Numbered]) -> Iterator[Job]:
        """The labels in portions, each a piece."""

    def draw(self, job: Job) -> Piece:
        """Draw a portion and read it back; UserError if it cannot be drawn, or is not read back."""


@dataclass(frozen=True, slots=True)
class LotFace:
    """What all labels of a lot have in common, and so each label's face: the host in its link, the lot, a title.

    `hidden` are the hidden keys of those batches whose labels have a second code, by their roots.
    """

    host: str
    lot: str
    title: str = ""
    hidden: Mapping[bytes, bytes] = field(default_factory=dict)

    def face(self, label: Numbered) -> Face:
        """What a label shows. What a buyer may type leads where the code does: an address of ours may lead nowhere."""
        link, path = label.stored.label.link(self.host), label.stored.label.path
        note = f"{_TYPED}\nhttps://{self.host}{path}"
        key = self.hidden.get(label.stored.batch_root)
        hidden = codes.link(self.host, path, codes.make(key, path).code) if key else ""
        return Face(link, self.title, human_readable(gs1.parse(link), lot=self.lot), note, hidden)


_TYPED = "Scan the code for proof. Typed, without proof:"


@dataclass(frozen=True, slots=True)
class PdfSheets:
    """Files of at most so many sheets as the style says; `skip` places of the first are used already."""

    lot_face: LotFace
    style: SheetStyle
    font: Path | None = None
    skip: int = 0

    def jobs(self, labels: Iterator[Numbered]) -> Iterator[Job]:
        skip, most = self.skip, self.style.grid.count * self.style.sheets
        while portion := tuple(islice(labels, most - skip)):
            yield Job(portion, skip)
            skip = 0

    def draw(self, job: Job) -> Piece:
        faces = [self.lot_face.face(label) for label in job.labels]
        style, title = self.style, f"{self.lot_face.title or 'Labels'}, lot {self.lot_face.lot}"
        data = pdf.sheets(faces, style, fonts_for(faces, self.font), skip=job.skip, title=title)
        readback.check_pdf(data, list(pdf.pages(faces, style, skip=job.skip)))
        return Piece((Part(f"{piece_name(job.labels, self.lot_face.lot)}.pdf", data, job.labels),))


@dataclass(frozen=True, slots=True)
class Pictures:
    """A file a label: a `png` for a screen, or an `svg` as large as the style's labels."""

    lot_face: LotFace
    kind: str = "png"
    style: SheetStyle = field(default_factory=SheetStyle)
    font: Path | None = None

    def jobs(self, labels: Iterator[Numbered]) -> Iterator[Job]:
        while portion := tuple(islice(labels, FILES)):
            yield Job(portion)

    def draw(self, job: Job) -> Piece:
        faces = [self.lot_face.face(label) for label in job.labels]
        drawn = self._svgs(faces) if self.kind == "svg" else self._pngs(faces)
        return each_by_itself(job.labels, drawn, self.lot_face.lot, self.kind)

    def _pngs(self, faces: Sequence[Face]) -> Iterator[bytes]:
        for face in faces:
            data = label_png(face, font=self.font)
            readback.check_png(data, face)
            yield data

    def _svgs(self, faces: Sequence[Face]) -> Iterator[bytes]:
        used = fonts_for(faces, self.font)
        for face in faces:
            data = label_svg(face, self.style, used)
            readback.check_svg(data, face)
            yield data


def each_by_itself(labels: Sequence[Numbered], drawn: Iterable[bytes], lot: str, ending: str) -> Piece:
    """A piece whose labels are a part each."""
    parts = zip(labels, drawn, strict=True)
    return Piece(tuple(Part(f"{file_name(label, lot)}.{ending}", data, (label,)) for label, data in parts))


def piece_name(labels: Sequence[Numbered], lot: str) -> str:
    """A file of many labels, without its ending: another lot's, or another product's, in the same folder is another."""
    return f"{_begin(labels[0], lot)}-{labels[-1].number:07}"


def specimens_name(gtin: str, lot: str) -> str:
    """A file of a lot's specimens, without its ending: no labels are named so, and a later test print replaces it."""
    return f"specimens-{gtin}-{quote(lot, safe='')}"


def file_name(label: Numbered, lot: str) -> str:
    """A label's file, without its ending: as `piece_name`, with the serial.

    The label's number keeps the files in order, and keeps serials apart that differ by their case alone, where a file
    system does not.
    """
    return f"{_begin(label, lot)}-{quote(label.serial, safe='')}"


def _begin(label: Numbered, lot: str) -> str:
    """GTIN, lot and the first label's number."""
    return f"{label.stored.label.path.split('/')[2]}-{quote(lot, safe='')}-{label.number:07}"


def fonts_for(faces: Sequence[Face], file: Path | None) -> Fonts:
    """Fonts that have all letters of some labels, as `fonts.having`."""
    return fonts.having([text for face in faces for text in _texts(face)], file=file)


def _texts(face: Face) -> tuple[str, ...]:
    """All that stands on a label for people."""
    return (face.title, *face.lines, *((CAPTION, *face.spoken) if face.hidden else ()))
