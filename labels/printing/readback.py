"""Files that are about to leave, rendered and read back: the bytes themselves, not what they were made from.

A PDF's pages are rendered by PDFium, at the resolution of a plain label printer; an SVG's dark runs are drawn as they
stand in its path. Every code has to say what it should, and a PDF's text every line that people read.
"""

import re
from collections.abc import Sequence
from io import BytesIO

import pypdfium2
from PIL import Image, ImageDraw

from labels.printing.decoded import UnreadableError, require_decodes
from labels.printing.face import Face
from labels.printing.qr import printed

_DPI = 203
_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-\d+z")
_SCALE = 4  # pixels a module


def texts(face: Face) -> list[str]:
    """What the codes of a label say."""
    return [printed(link) for link in (face.link, face.hidden) if link]


def check_pdf(data: bytes, pages: Sequence[Sequence[Face]]) -> None:
    """Check that a PDF has these labels on its pages; UnreadableError if not."""
    with pypdfium2.PdfDocument(data) as document:
        if len(document) != len(pages):
            raise UnreadableError(f"{len(document)} pages were drawn, not {len(pages)}", "nothing was sent")
        for number, faces in enumerate(pages):
            page = document[number]
            image = page.render(scale=_DPI / 72, grayscale=True).to_pil()
            require_decodes(image, [text for face in faces for text in texts(face)])
            _check_lines(page.get_textpage().get_text_range(), faces)


def check_png(data: bytes, face: Face) -> None:
    """Check that a picture has this label's code."""
    require_decodes(Image.open(BytesIO(data)), [printed(face.link)])


def check_svg(data: bytes, face: Face) -> None:
    """Check that a drawing has this label's codes, by the runs in its paths."""
    paths = re.findall(r'<path [^>]*d="([^"]*)"', data.decode())
    for path, text in zip(paths, texts(face), strict=True):
        runs = [tuple(map(int, run)) for run in _RUN.findall(path)]
        side = (max(y for _, y, _ in runs) + 9) * _SCALE
        image = Image.new("L", (side, side), 255)
        pen = ImageDraw.Draw(image)
        for x, y, width in runs:
            pen.rectangle(
                ((x + 4) * _SCALE, (y + 4) * _SCALE, (x + 4 + width) * _SCALE - 1, (y + 5) * _SCALE - 1), fill=0
            )
        require_decodes(image, [text])


def _check_lines(text: str, faces: Sequence[Face]) -> None:
    for face in faces:
        for line in (*face.lines, *face.spoken):
            if line not in text:
                raise UnreadableError(f"the line {line!r} is not on its page", "nothing was sent")
