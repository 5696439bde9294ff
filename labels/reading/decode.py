"""A page as the codes on it, by zxing-cpp. Called in a process of its own (`child`)."""

import math
import time
from collections.abc import Iterator

import zxingcpp
from PIL import Image, ImageFilter

from labels.reading.code import Code, Point, in_order

# GS1's carriers, and QR codes and Data Matrix that hold a link.
_FORMATS = zxingcpp.barcode_formats_from_str("QRCode,DataMatrix,Code128,EANUPC,ITF14,DataBar")
_ITF14_DIGITS = 14
_TWICE_PX_MAX = 16_000_000
_SHARPER = ImageFilter.UnsharpMask(6, 250, 0)


def codes_on(page: Image.Image, until_s: float = math.inf) -> tuple[list[Code], int]:
    """The codes on a grey page, in the order of reading, and how many QR codes more are there but cannot be read.

    The page is looked at in several ways, until a further one shows nothing new, and no code seems left; or until one
    would take longer than `until_s`, by `time.monotonic`, as those before it took for each of their pixels.
    """
    found: list[Code] = []
    broken: list[Code] = []
    pixel_s = 0.0
    for number, (scale, is_sharper) in enumerate(_views(page)):
        pixels, now_s = page.width * page.height * scale * scale, time.monotonic()
        if number and now_s + pixels * pixel_s > until_s:
            break
        read, unread = _look(_view(page, scale, is_sharper=is_sharper), scale)
        pixel_s = max(pixel_s, (time.monotonic() - now_s) / pixels)
        new = [code for code in read if not any(code.text == known.text and code.is_at(known) for known in found)]
        found, broken = found + new, broken + unread
        if number and found and not new and not _left(broken, found):
            break
    found = _without_phantoms(found, broken)
    return in_order(found), len(_left(broken, found))


def _views(page: Image.Image) -> Iterator[tuple[float, bool]]:
    """How the page is looked at: as it is, smaller for noisy codes, larger for small ones, and that sharper as well."""
    yield 1, False
    yield 0.5, False
    is_small = page.width * page.height <= _TWICE_PX_MAX
    if is_small:
        yield 2, False
    yield 0.25, False
    if is_small:
        yield 2, True


def _view(page: Image.Image, scale: float, *, is_sharper: bool) -> Image.Image:
    view = page if scale == 1 else _scaled(page, scale)
    return view.filter(_SHARPER) if is_sharper else view


def _scaled(page: Image.Image, scale: float) -> Image.Image:
    size = max(1, round(page.width * scale)), max(1, round(page.height * scale))
    return page.resize(size, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX)


def _look(image: Image.Image, scale: float) -> tuple[list[Code], list[Code]]:
    """What one look finds: codes that are read, and QR codes that are not; in pixels of the page."""
    seen = zxingcpp.read_barcodes(image, formats=_FORMATS, text_mode=zxingcpp.TextMode.Plain, return_errors=True)
    codes = [(_code(barcode, scale), barcode.valid) for barcode in seen]
    good = [code for code, valid in codes if valid and _is_meant(code)]
    return good, [code for code, valid in codes if not valid and code.carrier == "QR Code"]


def _code(barcode: zxingcpp.Barcode, scale: float) -> Code:
    at = barcode.position
    corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    first, second, third, fourth = (_point(corner, scale) for corner in corners)
    carrier = str(barcode.format)
    return Code(carrier, barcode.symbology_identifier, barcode.text, (first, second, third, fourth))


def _point(corner: zxingcpp.Point, scale: float) -> Point:
    return round(corner.x / scale), round(corner.y / scale)


def _is_meant(code: Code) -> bool:
    """Bars of two to twelve digits without a check are seen in many a texture: no carrier of GS1's."""
    return not code.symbology.startswith("]I") or (len(code.text) == _ITF14_DIGITS and code.symbology == "]I1")


def _without_phantoms(found: list[Code], broken: list[Code]) -> list[Code]:
    """Without the bars that a reader sees within the squares of another code."""
    squares = [code for code in found if code.is_matrix] + broken
    return [code for code in found if code.is_matrix or not any(code.is_at(square) for square in squares)]


def _left(broken: list[Code], found: list[Code]) -> list[Code]:
    """The codes that are not read, each once, where none is that is read."""
    places: list[Code] = []
    for code in broken:
        if not any(code.is_at(other) or other.is_at(code) for other in (*found, *places)):
            places.append(code)
    return places
