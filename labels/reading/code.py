"""A code that was found in a picture, where it is, and how much of a picture is read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import OutsideError

Point = tuple[int, int]
MATRIX = ("QR Code", "Data Matrix")
_SMALLEST_PX = 6  # an offset that no two codes can have


class PictureError(OutsideError):
    """A picture cannot be read; the complaint says why, in plain words."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a picture is read: bytes, pixels of a page, pages, and seconds for one of them."""

    bytes_max: int = 256 * 1024 * 1024
    pixels_max: int = 64_000_000
    pages_max: int = 2_000
    page_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Code:
    """A code: its carrier ("QR Code"), AIM symbology identifier ("]Q1"), text, and corners in pixels of its page.

    In the text FNC1 is GS (0x1D). The corners go clockwise from what is the upper left one to a reader of the code.
    """

    carrier: str
    symbology: str
    text: str
    corners: tuple[Point, Point, Point, Point]

    @property
    def is_matrix(self) -> bool:
        """Whether it is one of squares, not of bars."""
        return self.carrier in MATRIX

    @property
    def centre(self) -> Point:
        """The middle of its corners."""
        return sum(x for x, _ in self.corners) // 4, sum(y for _, y in self.corners) // 4

    @property
    def top(self) -> int:
        """Where it begins, from above."""
        return min(y for _, y in self.corners)

    @property
    def width(self) -> int:
        """How far its corners reach, in either direction."""
        xs, ys = zip(*self.corners, strict=True)
        return int(max(max(xs) - min(xs), max(ys) - min(ys)))

    def is_at(self, other: "Code") -> bool:
        """Whether its centre is within `other`."""
        (x, y), (at_x, at_y) = self.centre, other.centre
        return max(abs(x - at_x), abs(y - at_y)) <= max(other.width // 2, _SMALLEST_PX)


@dataclass(frozen=True, slots=True)
class Page:
    """What was found on a page: its codes from the top left on, and how many more are there that cannot be read."""

    number: int
    of: int
    size: Point
    codes: tuple[Code, ...]
    unread: int = 0


def in_order(codes: Sequence[Code]) -> list[Code]:
    """Codes as one reads a page, row by row: what begins above the middle of a row's first code is in its row."""
    rows: list[list[Code]] = []
    for code in sorted(codes, key=lambda code: code.centre[1]):
        if rows and code.top <= rows[-1][0].centre[1]:
            rows[-1].append(code)
        else:
            rows.append([code])
    return [code for row in rows for code in sorted(row, key=lambda code: code.centre)]
