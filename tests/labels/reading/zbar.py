"""Debian's zbar, by its C library: a reader of QR codes that has nothing in common with zxing-cpp."""

import ctypes
from collections.abc import Iterator
from typing import Any

from PIL import Image

_Y800 = int.from_bytes(b"Y800", "little")  # a byte a pixel, grey
_QRCODE, _ENABLE = 64, 0
_SCALES = (1.0, 1.5, 2.0, 3.0)
_TILES = 3
_POINTER, _TEXT, _SIZE, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_int
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "zbar_image_scanner_create": (_POINTER, []),
    "zbar_image_scanner_set_config": (_INT, [_POINTER, _INT, _INT, _INT]),
    "zbar_image_create": (_POINTER, []),
    "zbar_image_destroy": (None, [_POINTER]),
    "zbar_image_set_format": (None, [_POINTER, _SIZE]),
    "zbar_image_set_size": (None, [_POINTER, ctypes.c_uint, ctypes.c_uint]),
    "zbar_image_set_data": (None, [_POINTER, _TEXT, _SIZE, _POINTER]),
    "zbar_scan_image": (_INT, [_POINTER, _POINTER]),
    "zbar_image_first_symbol": (_POINTER, [_POINTER]),
    "zbar_symbol_next": (_POINTER, [_POINTER]),
    "zbar_symbol_get_data": (_POINTER, [_POINTER]),
    "zbar_symbol_get_data_length": (ctypes.c_uint, [_POINTER]),
}


class Zbar:
    """Reads QR codes. Not for several threads."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libzbar.so.0")
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._scanner = self._call("image_scanner_create")
        self._call("image_scanner_set_config", self._scanner, 0, _ENABLE, 0)
        self._call("image_scanner_set_config", self._scanner, _QRCODE, _ENABLE, 1)

    def texts(self, page: Image.Image, count: int) -> set[str]:
        """The texts of the codes on a grey page, which has `count`: looked for larger and nearer until all are found.

        zbar lines up the corners of all codes on a page, and misses one where a page has many: a person would go
        nearer, and so do we.
        """
        found: set[str] = set()
        for view in _views(page):
            found |= set(self.read(view))
            if len(found) >= count:
                break
        return found

    def read(self, page: Image.Image) -> list[str]:
        """The texts of what it sees in one look."""
        data = page.tobytes()
        image = self._call("image_create")
        try:
            self._call("image_set_format", image, _Y800)
            self._call("image_set_size", image, page.width, page.height)
            self._call("image_set_data", image, data, len(data), None)
            self._call("scan_image", self._scanner, image)
            return list(self._symbols(image))
        finally:
            self._call("image_destroy", image)

    def _symbols(self, image: int) -> Iterator[str]:
        symbol = self._call("image_first_symbol", image)
        while symbol:
            size = self._call("symbol_get_data_length", symbol)
            yield ctypes.string_at(self._call("symbol_get_data", symbol), size).decode("utf-8", "replace")
            symbol = self._call("symbol_next", symbol)

    def _call(self, name: str, *arguments: Any) -> Any:
        return getattr(self._library, f"zbar_{name}")(*arguments)


def _views(page: Image.Image) -> Iterator[Image.Image]:
    """The page in several sizes, then parts of it that overlap."""
    for scale in _SCALES:
        yield _scaled(page, scale)
    for scale in _SCALES:
        for box in _tiles(page):
            yield _scaled(page.crop(box), scale)


def _tiles(page: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of a third of the page and half as much around it, so that each code is whole in one."""
    wide, high = page.width // _TILES, page.height // _TILES
    for x in range(0, page.width, wide):
        for y in range(0, page.height, high):
            yield max(0, x - wide // 2), max(0, y - high // 2), x + wide + wide // 2, y + high + high // 2


def _scaled(page: Image.Image, scale: float) -> Image.Image:
    size = round(page.width * scale), round(page.height * scale)
    return page if scale == 1 else page.resize(size, Image.Resampling.BICUBIC)
