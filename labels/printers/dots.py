"""What a label printer burns: dots that are black or not, and how many of them lie on a millimetre."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from labels.printing.formats import sizes
from ledger.errors import UserError

PER_MM = {203: 203.2 / 25.4, 300: 300 / 25.4, 600: 600 / 25.4}  # dots, by what a maker calls its resolution
X_DIMENSION_MM_MIN = 0.375  # the least that GS1 allows for a QR code with a Digital Link: three dots at 203 dpi
SIDE_MM = (10.0, 300.0)


@dataclass(frozen=True, slots=True)
class Dots:
    """A picture in dots, 1 is black: `rows` has them row by row, eight a byte from the left, a row from a new byte."""

    width: int
    height: int
    rows: bytes

    @property
    def row_bytes(self) -> int:
        """The bytes of a row."""
        return -(-self.width // 8)

    def row(self, y: int) -> bytes:
        """The bytes of row `y`, from 0 at the top."""
        return self.rows[y * self.row_bytes : (y + 1) * self.row_bytes]


@dataclass(frozen=True, slots=True)
class Size:
    """A label's width and height, in millimetres."""

    width_mm: float
    height_mm: float

    @classmethod
    def of(cls, text: str) -> Self:
        """A size as a person writes it, `50x30` or `57.5x32`; UserError if it is none."""
        size = cls(*sizes(text))
        if not all(SIDE_MM[0] <= side <= SIDE_MM[1] for side in (size.width_mm, size.height_mm)):
            raise UserError(f"no label printer prints labels of {size} mm", "write 10 to 300 mm: --label 50x30")
        return size

    def __str__(self) -> str:
        return f"{self.width_mm:g}x{self.height_mm:g}"


def of_mm(length_mm: float, dpi: int) -> int:
    """A length in whole dots, the nearest."""
    return round(length_mm * PER_MM[dpi])


def module_of(x_dimension_mm: float, dpi: int, *, least_mm: float = X_DIMENSION_MM_MIN) -> int:
    """The dots of a module: whole ones, nearest to the X-dimension that is wanted, and no less than is allowed."""
    least = math.ceil(least_mm * PER_MM[dpi] - 1e-9)
    return max(least, of_mm(x_dimension_mm, dpi))


def of_modules(modules: Sequence[Sequence[bool]], dots: int) -> Dots:
    """A symbol, True where it is dark, with `dots` dots a module."""
    rows = bytearray()
    width = len(modules[0]) * dots
    for line in modules:
        bits = "".join(("1" if dark else "0") * dots for dark in line)
        rows += int(bits.ljust(-(-width // 8) * 8, "0"), 2).to_bytes(-(-width // 8)) * dots
    return Dots(width, len(modules) * dots, bytes(rows))
