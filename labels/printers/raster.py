"""Pictures as dots: what a label printer burns of a picture, and back; and letters in black and white."""

from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from labels.printers.dots import PER_MM, Dots, of_mm

BLACK, WHITE = 0, 255
_INVERTED = "1;I"  # a bit is 1 where a picture is black
_FINER = 4  # letters are drawn so many times as large first
_DARK = 140  # what is darker than this becomes black


def dots_of(image: Image.Image) -> Dots:
    """A picture in black and white as dots."""
    return Dots(image.width, image.height, image.convert("1").tobytes("raw", _INVERTED))


def picture_of(dots: Dots) -> Image.Image:
    """The picture that comes out."""
    return Image.frombytes("1", (dots.width, dots.height), dots.rows, "raw", _INVERTED)


def write(
    image: Image.Image, text: str, *, x: float, y: float, size: float, font: Path, dpi: int, narrow: float = 1.0
) -> None:
    """Write a line that begins at `x` and stands on `y`, in mm, `narrow` times as wide as usual, in black alone."""
    letters = _font(font, size * PER_MM[dpi] * _FINER)
    left, top, right, bottom = letters.getbbox(text, anchor="ls")
    large = Image.new("L", (round(right - left) + 2 * _FINER, round(bottom - top) + 2 * _FINER), WHITE)
    ImageDraw.Draw(large).text((_FINER - left, _FINER - top), text, fill=BLACK, font=letters, anchor="ls")
    small = large.resize((max(1, round(large.width * narrow / _FINER)), max(1, round(large.height / _FINER))))
    at = of_mm(x, dpi) - 1 + round(left * narrow / _FINER), of_mm(y, dpi) - 1 + round(top / _FINER)
    image.paste(BLACK, at, small.point(lambda value: WHITE if value < _DARK else BLACK).convert("1"))


@lru_cache(maxsize=64)
def _font(file: Path, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), size)
