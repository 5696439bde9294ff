"""A product's picture: read from any file, and made a small WebP that holds nothing but what is seen."""

import warnings
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageOps

from ledger.errors import MalformedError

FILE_BYTES_MAX = 20 * 1024 * 1024
PIXELS_MAX = 40_000_000  # of a picture that is read: a bomb would be more than its file lets on
SIDE_MAX, BYTES_MAX = 800, 64 * 1024  # of the picture that is kept
MEDIA_TYPE = "image/webp"
_FORMATS = ("PNG", "JPEG", "WEBP")
_QUALITIES = (85, 70, 55, 40)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept: a WebP of `width` and `height` pixels."""

    data: bytes
    width: int
    height: int

    @property
    def sha256(self) -> bytes:
        """By which a registry entry names it."""
        return sha256(self.data).digest()


def prepare(data: bytes) -> Picture:
    """The picture in a PNG, JPEG or WebP file, turned upright, at most 800 pixels wide and high, and 64 KiB.

    It is drawn anew, so where and by which camera it was taken is not in it, and no other file hides in it. Raises
    MalformedError, whatever `data` is.
    """
    if len(data) > FILE_BYTES_MAX:
        raise MalformedError(f"a picture's file has at most {FILE_BYTES_MAX >> 20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # we ask for its size ourselves
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                return _shrunk(_upright(image))
    except MalformedError:
        raise
    except Exception as error:
        raise MalformedError("this is no picture: a PNG, a JPEG or a WebP, whole") from error


def _upright(image: Image.Image) -> Image.Image:
    """The image decoded, as it is to be seen, in colours that a WebP has."""
    if image.width * image.height > PIXELS_MAX:
        raise MalformedError(f"a picture has at most {PIXELS_MAX:,} pixels, not {image.width:,} x {image.height:,}")
    image.draft("RGB", (2 * SIDE_MAX, 2 * SIDE_MAX))  # a JPEG is read at a fraction of its size
    image.load()
    image.thumbnail((2 * SIDE_MAX, 2 * SIDE_MAX))
    turned = ImageOps.exif_transpose(image)
    return turned.convert("RGBA" if turned.has_transparency_data else "RGB")


def _shrunk(image: Image.Image) -> Picture:
    """As large and as good as its bytes may be."""
    side = SIDE_MAX
    while True:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        for quality in _QUALITIES:
            out = BytesIO()
            image.save(out, "WEBP", quality=quality, method=4)
            if len(out.getvalue()) <= BYTES_MAX:
                return Picture(out.getvalue(), image.width, image.height)
        side //= 2
