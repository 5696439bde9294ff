"""How labels become files: each renderer draws some labels, and reads back what it drew, in a process of its own."""

from collections.abc import Iterator, Mapping, Sequence
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
class Words:
    """What stands on every label of a run: the host in its link, the lot, a title, and the service's address.

    `hidden` are the hidden keys of those batches whose labels have a second code, by their roots.
    """

    host: str
    lot: str
    title: str = ""
    address: str | None = None
    hidden: Mapping[bytes, bytes] = field(default_factory=dict)

    def face(self, label: Numbered) -> Face:
        """What a label shows."""
        link = label.stored.label.link(self.host)
        note = f"{_TYPED}\n{self.address}{label.stored.label.path}" if self.address else ""
        key, path = self.hidden.get(label.stored.batch_root), label.stored.label.path
        hidden = codes.link(self.host, path, codes.make(key, path).code) if key else ""
        return Face(link, self.title, human_readable(gs1.parse(link), lot=self.lot), note, hidden)


_TYPED = "Scan the code for proof. Typed, without proof:"


@dataclass(frozen=True, slots=True)
class PdfSheets:
    """Files of at most so many sheets as the style says; `skip` places of the first are used already."""

    words: Words
    style: SheetStyle
    font: Path | None = None
    skip: int = 0

    def jobs(self, labels: Iterator[Numbered]) -> Iterator[Job]:
        skip, most = self.skip, self.style.grid.count * self.style.sheets
        while portion := tuple(islice(labels, most - skip)):
            yield Job(portion, skip)
            skip = 0

    def draw(self, job: Job) -> Piece:
        faces = [self.words.face(label) for label in job.labels]
        style, title = self.style, f"{self.words.title or 'Labels'}, lot {self.words.lot}"
        data = pdf.sheets(faces, style, fonts_for(faces, self.font), skip=job.skip, title=title)
        readback.check_pdf(data, list(pdf.pages(faces, style, skip=job.skip)))
        return Piece((Part(f"{piece_name(job, self.words)}.pdf", data, job.labels),))


@dataclass(frozen=True, slots=True)
class Pictures:
    """A file a label, named by its serial: a `png` for a screen, or an `svg` as large as the style's labels."""

    words: Words
    kind: str = "png"
    style: SheetStyle = field(default_factory=SheetStyle)
    font: Path | None = None

    def jobs(self, labels: Iterator[Numbered]) -> Iterator[Job]:
        while portion := tuple(islice(labels, FILES)):
            yield Job(portion)

    def draw(self, job: Job) -> Piece:
        faces = [self.words.face(label) for label in job.labels]
        drawn = self._svgs(faces) if self.kind == "svg" else self._pngs(faces)
        parts = zip(job.labels, drawn, strict=True)
        return Piece(tuple(Part(f"{file_name(label)}.{self.kind}", data, (label,)) for label, data in parts))

    def _pngs(self, faces: Sequence[Face]) -> Iterator[bytes]:
        for face in faces:
            data = label_png(face)
            readback.check_png(data, face)
            yield data

    def _svgs(self, faces: Sequence[Face]) -> Iterator[bytes]:
        used = fonts_for(faces, self.font)
        for face in faces:
            data = label_svg(face, self.style, used)
            readback.check_svg(data, face)
            yield data


def piece_name(job: Job, words: Words) -> str:
    """A file of many labels, without its ending: another lot's, or another product's, in the same folder is another."""
    gtin = job.labels[0].stored.label.path.split("/")[2]
    return f"{gtin}-{quote(words.lot, safe='')}-{job.labels[0].number:07}-{job.labels[-1].number:07}"


def file_name(label: Numbered) -> str:
    """A label's file, without its ending: the serial, as a file may be called."""
    return quote(label.serial, safe="").replace(".", "%2E")


def fonts_for(faces: Sequence[Face], file: Path | None) -> Fonts:
    """Fonts that have all letters of some labels, as `fonts.having`."""
    return fonts.having([text for face in faces for text in (face.title, *face.lines)], file=file)
