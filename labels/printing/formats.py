"""Sheets of labels: their formats by number, and any grid in millimetres. Pure.

A format's labels stand in the middle of its sheet, as its makers have it to a fifth of a millimetre.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import UserError

A4, LETTER = (210.0, 297.0), (215.9, 279.4)
PAGES = {"A4": A4, "Letter": LETTER}
_NUMBER = r"(\d{1,4}(?:\.\d{1,3})?)"
_COUNT_MAX = 50


@dataclass(frozen=True, slots=True)
class Grid:
    """Labels on a sheet, in mm: the page, columns and rows, a label's size, the upper left corner, and the pitch."""

    page: tuple[float, float]
    columns: int
    rows: int
    label: tuple[float, float]
    corner: tuple[float, float]
    pitch: tuple[float, float]

    @property
    def count(self) -> int:
        """How many labels there are on a sheet."""
        return self.columns * self.rows

    def corners(self) -> Iterator[tuple[float, float]]:
        """The upper left corner of each label, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield self.corner[0] + column * self.pitch[0], self.corner[1] + row * self.pitch[1]


@dataclass(frozen=True, slots=True)
class Format:
    """A format by number: its makers' names for it, and its grid."""

    names: tuple[str, ...]
    grid: Grid


def grid(
    columns: int,
    rows: int,
    label: tuple[float, float],
    *,
    page: tuple[float, float] = A4,
    gap: tuple[float, float] = (0.0, 0.0),
    margin: tuple[float, float] | None = None,
) -> Grid:
    """A grid of labels with gaps between them, in the middle of the page unless `margin` (left, top) says where.

    UserError if it does not fit on the page.
    """
    if not (0 < columns <= _COUNT_MAX and 0 < rows <= _COUNT_MAX and min(label) > 0):
        raise UserError(
            f"a grid of {columns} x {rows} labels is none", f"write 1 to {_COUNT_MAX} columns and rows: --grid 3x8"
        )
    size = [n * side + (n - 1) * space for n, side, space in zip((columns, rows), label, gap, strict=True)]
    corner = margin or ((page[0] - size[0]) / 2, (page[1] - size[1]) / 2)
    for axis, named in enumerate(("wide", "high")):
        if corner[axis] < -0.001 or corner[axis] + size[axis] > page[axis] + 0.001:
            raise UserError(
                f"the grid is {size[axis]:g} mm {named} and does not fit on a page of {page[axis]:g} mm",
                "look at --label, --gap and --margin: all are in mm, width before height",
            )
    return Grid(page, columns, rows, label, corner, (label[0] + gap[0], label[1] + gap[1]))


def _avery(names: str, columns: int, rows: int, width: float, height: float, gap: float = 2.54) -> Format:
    return Format(_names("Avery", names), grid(columns, rows, (width, height), gap=(gap, 0)))


def _letter(names: str, columns: int, rows: int, label: tuple[float, float], pitch: tuple[float, float]) -> Format:
    """A format in inches."""
    width, height = (25.4 * side for side in label)
    gap = (25.4 * pitch[0] - width, 25.4 * pitch[1] - height)
    return Format(_names("Avery", names), grid(columns, rows, (width, height), page=LETTER, gap=gap))


def _herma(
    names: str, columns: int, rows: int, width: float, height: float, gap: tuple[float, float] = (0, 0)
) -> Format:
    return Format(_names("Herma", names), grid(columns, rows, (width, height), gap=gap))


def _names(maker: str, numbers: str) -> tuple[str, ...]:
    return tuple(f"{maker} {number}" for number in numbers.split())


FORMATS = (
    _avery("L7651 J8651", 5, 13, 38.1, 21.2),
    _avery("L6009 L4778", 4, 12, 45.7, 21.2),
    _avery("L7159 J8159 L4773", 3, 8, 63.5, 33.9),
    _avery("L7160 J8160", 3, 7, 63.5, 38.1),
    _avery("L7161 J8161", 3, 6, 63.5, 46.6),
    _avery("L7162 J8162", 2, 8, 99.1, 33.9),
    _avery("L7163 J8163", 2, 7, 99.1, 38.1),
    _avery("L7173 J8173", 2, 5, 99.1, 57.0),
    _avery("L7164 J8164", 3, 4, 63.5, 72.0),
    _avery("L7165 J8165", 2, 4, 99.1, 67.7),
    _avery("L7166 J8166", 2, 3, 99.1, 93.1),
    _avery("3474", 3, 8, 70.0, 37.0, 0),
    _avery("3475", 3, 8, 70.0, 36.0, 0),
    _avery("3652", 3, 7, 70.0, 42.3, 0),
    _letter("5160 8160 5260", 3, 10, (2.625, 1), (2.75, 1)),
    _letter("5161 8161", 2, 10, (4, 1), (4.1875, 1)),
    _letter("5162 8162", 2, 7, (4, 4 / 3), (4.1875, 4 / 3)),
    _letter("5163 8163", 2, 5, (4, 2), (4.1875, 2)),
    _letter("5164 8164", 2, 3, (4, 10 / 3), (4.1875, 10 / 3)),
    _letter("22806", 3, 4, (2, 2), (2.625, 31 / 12)),
    _herma("4606", 5, 13, 38.0, 21.2),
    _herma("4346", 4, 12, 45.7, 21.2, (2.6, 0)),
    _herma("4610", 4, 10, 52.5, 29.7),
    _herma("4338 4098", 3, 9, 63.5, 29.6, (3, 0)),
    _herma("4614", 3, 8, 66.0, 33.8),
    _herma("4360", 3, 8, 70.0, 36.0),
    _herma("4464", 3, 8, 70.0, 37.0),
    _herma("4103", 3, 7, 63.5, 38.1, (3, 0)),
    _herma("4226", 3, 7, 70.0, 42.3),
    _herma("9642", 4, 6, 40.0, 40.0, (6, 6)),
    _herma("10109", 3, 4, 60.0, 60.0, (7.5, 7.5)),
    _herma("10825", 2, 8, 99.1, 33.8, (2.5, 0)),
    _herma("4620", 2, 8, 105.0, 37.0),
    _herma("4625", 2, 7, 105.0, 42.3),
    _herma("4457", 2, 6, 105.0, 48.0),
    _herma("4099", 2, 5, 96.0, 50.8, (3, 0)),
)
DEFAULT = "L7160"


def by_number(text: str) -> Grid:
    """The grid of a format as a person names it: `L7160`, `avery 5163`, `Herma 4226`; UserError if it is not known."""
    wanted = text.lower().replace(" ", "").replace("-", "")
    for one in FORMATS:
        for name in one.names:
            maker, _, number = name.lower().partition(" ")
            if wanted in (number, maker + number):
                return one.grid
    raise UserError(
        f"no format {text!r} is known",
        "'tallystick labels formats' lists them; any other sheet: --grid 3x8 --label 70x37",
    )


def counts(text: str) -> tuple[int, int]:
    """`3x8`: columns and rows; UserError if it is not."""
    if (found := re.fullmatch(r"(\d{1,3})[xX*](\d{1,3})", text)) is None:
        raise UserError(f"{text!r} is no grid", "write columns x rows: --grid 3x8")
    return int(found[1]), int(found[2])


def sizes(text: str) -> tuple[float, float]:
    """`70x37.5`: a width and a height in mm; UserError if it is not."""
    if (found := re.fullmatch(f"{_NUMBER}[xX*]{_NUMBER}", text)) is None:
        raise UserError(f"{text!r} is no size", "write width x height in mm, such as 70x37 or 63.5x38.1")
    return float(found[1]), float(found[2])


def shift(text: str) -> tuple[float, float]:
    """`0.5,-1`: to the right and down, in mm; UserError if it is not, or is more than a misfeed."""
    if (found := re.fullmatch(f"(-?){_NUMBER},(-?){_NUMBER}", text)) is None:
        raise UserError(f"{text!r} is no offset", "write mm to the right and mm down: --offset 0.5,-1")
    moved = float(found[1] + found[2]), float(found[3] + found[4])
    if max(map(abs, moved)) > 20:
        raise UserError(f"an offset of {text} mm is more than a printer's misfeed", "write at most 20 mm either way")
    return moved


def page(text: str) -> tuple[float, float]:
    """`A4`, `Letter`, or a size in mm; UserError if it is none."""
    found = next((size for name, size in PAGES.items() if name.lower() == text.lower()), None)
    return found or sizes(text)
