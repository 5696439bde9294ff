"""Pictures as dots: what a label printer burns of a picture, and back."""

from PIL import Image

from labels.printers.dots import Dots

_INVERTED = "1;I"  # a bit is 1 where a picture is black


def dots_of(image: Image.Image) -> Dots:
    """A picture in black and white as dots."""
    return Dots(image.width, image.height, image.convert("1").tobytes("raw", _INVERTED))


def picture_of(dots: Dots) -> Image.Image:
    """The picture that comes out."""
    return Image.frombytes("1", (dots.width, dots.height), dots.rows, "raw", _INVERTED)
