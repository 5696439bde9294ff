"""A print run's labels for a label printer: one by one for a printer, and many in a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from labels.printers.faces import encoded
from labels.printers.medium import Medium, style_of
from labels.printing.layout import X_DIMENSION_MM
from labels.printing.outlet import Numbered, Part, Piece
from labels.printing.renderers import Job, LotFace, each_by_itself, fonts_for, piece_name

_AT_ONCE, _IN_FILE = 24, 500  # labels of a piece: so many can a printer's refusal leave in doubt, at most


@dataclass(frozen=True, slots=True)
class PrinterLabels:
    """Labels for a medium: each by itself, or as many in a file as go into a piece."""

    lot_face: LotFace
    medium: Medium
    in_files: bool
    x_dimension_mm: float = X_DIMENSION_MM
    font: Path | None = None

    def jobs(self, labels: Iterator[Numbered]) -> Iterator[Job]:
        while portion := tuple(islice(labels, _IN_FILE if self.in_files else _AT_ONCE)):
            yield Job(portion)

    def draw(self, job: Job) -> Piece:
        faces = [self.lot_face.face(label) for label in job.labels]
        used = fonts_for(faces, self.font)
        style = style_of(self.medium, self.x_dimension_mm)
        made = [encoded(face, self.medium, style, used) for face in faces]
        ending = self.medium.language.value
        if self.in_files:
            return Piece((Part(f"{piece_name(job.labels, self.lot_face.lot)}.{ending}", b"".join(made), job.labels),))
        return each_by_itself(job.labels, made, self.lot_face.lot, ending)
