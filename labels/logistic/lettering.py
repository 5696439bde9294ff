"""The letters of a logistic label: Bitstream Vera, which comes with reportlab, so that paper and printer show the same.

Sizes are those of the font in millimetres. A line that is too long is set narrower, and then smaller.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from ledger.errors import UserError

CAPITAL = 0.729  # a capital's and a digit's height, in sizes
_NARROWEST = 0.62
_FILES = {False: ("Vera", "Vera.ttf"), True: ("Vera-Bold", "VeraBd.ttf")}


@dataclass(frozen=True, slots=True)
class Words:
    """A line whose letters stand on `y` and begin at `x`, in millimetres, set `narrow` times as wide as usual."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False
    narrow: float = 1.0


def font_file(bold: bool) -> Path:
    """The font's file."""
    return Path(reportlab.__file__).parent / "fonts" / _FILES[bold][1]


def font_name(bold: bool) -> str:
    """The font's name for reportlab, which knows it from here on."""
    return _registered(bold)[0]


def fitted(x: float, y: float, size: float, text: str, room: float, *, bold: bool = False) -> Words:
    """A line in `room` millimetres; UserError if the font lacks one of its characters."""
    require_letters(text)
    width = pdfmetrics.stringWidth(text, font_name(bold), size)
    narrow = min(1.0, room / width) if width else 1.0
    smaller = min(1.0, narrow / _NARROWEST)
    return Words(x, y, size * smaller, text, bold, max(narrow, _NARROWEST))


def require_letters(text: str) -> None:
    """UserError unless the font has each character."""
    known = _registered(False)[1]
    if missing := [character for character in text if ord(character) not in known]:
        raise UserError(
            f"the font of these labels has no {missing[0]!r}", "write it with letters of Western European languages"
        )


@cache
def _registered(bold: bool) -> tuple[str, frozenset[int]]:
    name, file = _FILES[bold]
    font = TTFont(name, file)
    pdfmetrics.registerFont(font)
    return name, frozenset(font.face.charToGlyph)
