"""The letters of a logistic label. Sizes are those of the font in millimetres.

A line that is too long is set narrower, and then smaller.
"""

from dataclasses import dataclass, replace

from labels.printing.fonts import Fonts
from labels.printing.layout import TextLine

CAPITAL = 0.729  # a capital's and a digit's height, in sizes
_NARROWEST = 0.62


@dataclass(frozen=True, slots=True)
class Line(TextLine):
    """A line that is set `narrow` times as wide as usual."""

    narrow: float = 1.0


def fitted(fonts: Fonts, x: float, y: float, size: float, text: str, room: float, *, bold: bool = False) -> Line:
    """A line in `room` millimetres."""
    width = fonts.measure(text, bold) * size
    narrow = min(1.0, room / width) if width else 1.0
    smaller = min(1.0, narrow / _NARROWEST)
    return Line(x, y, size * smaller, text, bold, max(narrow, _NARROWEST))


def centred(fonts: Fonts, x: float, y: float, size: float, text: str, room: float) -> Line:
    """A line in the middle of `room` millimetres."""
    line = fitted(fonts, x, y, size, text, room)
    return replace(line, x=x + (room - fonts.measure(text, False) * line.size * line.narrow) / 2)
