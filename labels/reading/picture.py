"""Bytes from anybody as pages: grey pictures, upright, within limits. Called in a process of its own (`child`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, cast

import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

from labels.reading.code import Limits, PictureError

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM")
_READ_HERE = "JPEG, PNG, WebP, GIF, TIFF, BMP or PDF"
_DPI = 300  # at which a PDF's page is drawn: a module of 0.396 mm is 4.7 pixels
_POINTS_PER_INCH = 72
_DRAFTS = 16  # how many pixels a JPEG may have for one of those that it is read at
_PDF_WITHIN = 1024  # bytes before which a PDF says that it is one
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif")


def pages(data: bytes, limits: Limits) -> Iterator[tuple[int, Image.Image]]:
    """How many pages there are, and each of them; raises PictureError, whatever `data` is, also after some pages."""
    if not data:
        raise PictureError("it is empty")
    if len(data) > limits.bytes_max:
        raise PictureError(f"it is larger than {limits.bytes_max / 1024 / 1024:,.0f} MB")
    with _told():
        yield from _pdf(data, limits) if b"%PDF-" in data[:_PDF_WITHIN] else _image(data, limits)


@contextmanager
def _told() -> Iterator[None]:
    """What decoders raise for bytes that are wrong is anything: it is all one to whoever gave them."""
    try:
        yield
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError("it takes too much memory") from error
    except Exception as error:
        raise PictureError(f"it is damaged or cut short: {str(error)[:120] or type(error).__name__}") from error


def _image(data: bytes, limits: Limits) -> Iterator[tuple[int, Image.Image]]:
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise PictureError(_unknown(data)) from error
    except Image.DecompressionBombError as error:  # where Pillow's own limit is not lifted
        raise PictureError("it has far too many pixels") from error
    with image:
        count = _count(image, limits)
        for number in range(count):
            if number:
                image.seek(number)
            yield count, _grey(image, limits)


def _unknown(data: bytes) -> str:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "it is a HEIC or AVIF picture, which is not read here: save it as JPEG"
    return f"it is no picture that is read here: {_READ_HERE}"


def _count(image: Any, limits: Limits) -> int:
    """Only a TIFF has pages. What else has several pictures moves, or has the first one again in small."""
    if image.format != "TIFF":
        return 1
    return _bounded(int(image.n_frames), limits)


def _bounded(count: int, limits: Limits) -> int:
    if count > limits.pages_max:
        raise PictureError(f"it has {count:,} pages; at most {limits.pages_max:,} are read at once")
    if count < 1:
        raise PictureError("it has no pages")
    return count


def _grey(image: Any, limits: Limits) -> Image.Image:
    """The present page in grey, dark on white where it is transparent, and the right way up."""
    width, height = image.size
    if image.format in ("JPEG", "MPO") and limits.pixels_max < width * height <= _DRAFTS * limits.pixels_max:
        _draft(image, limits)
    _require_pixels(image.width, image.height, limits)
    return ImageOps.exif_transpose(_flat(image))


def _draft(image: Any, limits: Limits) -> None:
    """Have a JPEG decoded at a half, a quarter or an eighth of its size, which costs less than all of it."""
    width, height = image.size
    scale = 2
    while scale < 8 and width * height > scale * scale * limits.pixels_max:
        scale *= 2
    image.draft("L", (width // scale, height // scale))


def _require_pixels(width: int, height: int, limits: Limits) -> None:
    if width < 1 or height < 1 or width * height > limits.pixels_max:
        complaint = f"it has {width:,} by {height:,} pixels; at most {limits.pixels_max / 1e6:,.0f} million are read"
        raise PictureError(complaint)


def _flat(image: Any) -> Image.Image:
    image.load()
    if image.mode[0] in "IF":  # 16 bits or more a pixel: the darkest is black, the lightest white
        return _stretched(image.convert("F"))
    if "A" in image.mode or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("L")
    grey: Image.Image = image.convert("L")  # a copy, if it is grey already
    return grey


def _stretched(image: Image.Image) -> Image.Image:
    low, high = cast(tuple[float, float], image.getextrema())
    factor = 255 / ((high - low) or 1)
    return image.point(lambda value: value * factor + -low * factor).convert("L")


def _pdf(data: bytes, limits: Limits) -> Iterator[tuple[int, Image.Image]]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise PictureError("it is locked with a password" if locked else "it is no whole PDF") from error
    with document:
        count = _bounded(len(document), limits)
        for number in range(count):
            yield count, _drawn(document, number, limits)


def _drawn(document: Any, number: int, limits: Limits) -> Image.Image:
    """A page at 300 dpi, or at fewer if it is too large for that."""
    page = document[number]
    try:
        width, height = page.get_size()
        scale = min(_DPI / _POINTS_PER_INCH, (limits.pixels_max / max(width * height, 1)) ** 0.5)
        _require_pixels(int(width * scale) or 1, int(height * scale) or 1, limits)
        drawn: Image.Image = page.render(scale=scale, grayscale=True).to_pil().convert("L")
        return drawn
    finally:
        page.close()
