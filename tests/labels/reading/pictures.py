"""Pictures for tests: labels as they are printed, codes of other carriers, and what becomes of them on the way."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import zxingcpp
from PIL import Image

from labels.printing import qr

MODULE_PX = 5


def label(link: str, *, module_px: int = MODULE_PX) -> Image.Image:
    """A link's QR code, as it is printed."""
    return qr.encode(link).image(module_px)


def symbol(text: str, carrier: str, **options: Any) -> Image.Image:
    """A code of another carrier ("DataMatrix"), with white around it; `gs1=True` for an element string in brackets."""
    code = zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(carrier), **options)
    made: Any = code.to_image(scale=4)  # whose buffer has no type
    drawn = Image.frombuffer("L", (made.shape[1], made.shape[0]), bytes(memoryview(made)))
    framed = Image.new("L", (drawn.width + 80, drawn.height + 80), 255)
    framed.paste(drawn, (40, 40))
    return framed


def beside(*images: Image.Image) -> Image.Image:
    """Pictures in a row."""
    row = Image.new("L", (sum(image.width for image in images), max(image.height for image in images)), 255)
    x = 0
    for image in images:
        row.paste(image, (x, 0))
        x += image.width
    return row


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as a file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def document(pages: Sequence[Image.Image]) -> bytes:
    """Pictures as the pages of a PDF, 300 dots an inch."""
    return encoded(pages[0].convert("RGB"), "PDF", save_all=True, append_images=list(pages[1:]), resolution=300)
