"""The middle block of a logistic label: values in rows, each below its data title, legible from metres away.

The more room there is, the larger are first the letters and then the white between rows. Lengths are millimetres.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

from labels.logistic.lettering import CAPITAL, Line, fitted
from labels.printing.fonts import Fonts

Titled = tuple[str, str]
Rows = tuple[tuple[Titled, ...], ...]
_COLUMN_GAP = 4.0


@dataclass(frozen=True, slots=True)
class Spacing:
    """From a row's upper end: half the white between rows, a title's capitals, white, a value's, half the white."""

    title: float
    title_gap: float
    data: float
    gap: float

    @property
    def each(self) -> float:
        """A row's height."""
        return self.title + self.title_gap + self.data + self.gap

    def towards(self, other: "Spacing", share: float) -> "Spacing":
        """Between this and another."""
        return Spacing(*(a + (b - a) * share for a, b in zip(astuple(self), astuple(other), strict=True)))


_STEPS = (
    Spacing(2.1, 0.8, 3.0, 1.8),  # no smaller than GS1 allows any text
    Spacing(2.1, 0.8, 7.0, 1.8),  # letters as GS1 would have them
    Spacing(2.6, 1.2, 7.0, 3.6),  # and white
    Spacing(3.0, 1.5, 9.0, 5.0),
)
MOST = _STEPS[-1].each  # a row's height


def ways(titled: tuple[Titled, ...]) -> tuple[Rows, ...]:
    """The SSCC; content and count; the lot: as far as they are there. Or the lot beside content and count."""
    three = tuple(row for row in (titled[:1], titled[1:3], titled[3:]) if row)
    return (three, (titled[:1], titled[1:])) if len(three) > 2 else (three,)


def spacing(each: float) -> Spacing | None:
    """The largest letters in rows of this height, and what white is left then; None if it is too little."""
    for low, high in pairwise(_STEPS):
        if low.each <= each <= high.each:
            return low.towards(high, (each - low.each) / (high.each - low.each))
    return _STEPS[-1] if each > MOST else None


def row(titled: Sequence[Titled], x: float, y: float, room: float, spaced: Spacing, fonts: Fonts) -> list[Line]:
    """Values side by side from (x, y), the row's upper left corner: of one size, with room by their lengths."""
    lengths = [max(len(value), 4) for _, value in titled]
    shares = [(room - _COLUMN_GAP * (len(titled) - 1)) * length / sum(lengths) for length in lengths]
    em = min(
        fitted(fonts, x, y, spaced.data / CAPITAL, value, share, bold=True).size
        for (_, value), share in zip(titled, shares, strict=True)
    )
    above = y + spaced.gap / 2 + spaced.title
    below = above + spaced.title_gap + em * CAPITAL
    words: list[Line] = []
    for (title, value), share in zip(titled, shares, strict=True):
        words.append(fitted(fonts, x, above, spaced.title / CAPITAL, title, share))
        words.append(fitted(fonts, x, below, em, value, share, bold=True))
        x += share + _COLUMN_GAP
    return words
