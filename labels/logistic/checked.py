"""A logistic label is read back before it leaves: each GS1-128 symbol as one, and the QR code."""

from collections import Counter
from collections.abc import Sequence

import pypdfium2
from PIL import Image

from labels.logistic.layout import Drawing
from labels.printing.decoded import UnreadableError, codes_in
from labels.printing.qr import printed

_FORMATS = "Code128,QRCode"
_GS1_128, _QR = "]C1", "]Q1"  # symbology identifiers (ISO/IEC 15424)
_DPI = 203


def require_reads(image: Image.Image, drawings: Sequence[Drawing]) -> None:
    """Check that a picture of these labels has their codes, and no others; UnreadableError names one at fault."""
    wanted = Counter(code for drawing in drawings for code in _codes(drawing))
    found = Counter((code.symbology_identifier, code.text) for code in codes_in(image.convert("L"), formats=_FORMATS))
    for what, wrong in (("is not read back from", wanted - found), ("should not be read in", found - wanted)):
        for kind, text in wrong:
            told = f"{'bar' if kind == _GS1_128 else 'QR'} code {text!r} {what} what was drawn"
            raise UnreadableError(told, "nothing was printed: take a larger label, or a higher resolution")


def require_pdf_reads(pdf: bytes, pages: Sequence[Sequence[Drawing]]) -> None:
    """The same for a PDF whose pages have these labels."""
    with pypdfium2.PdfDocument(pdf) as document:
        for number, drawings in enumerate(pages):
            page = document[number]
            require_reads(page.render(scale=_DPI / 72, grayscale=True).to_pil(), drawings)
            page.close()


def _codes(drawing: Drawing) -> list[tuple[str, str]]:
    symbols = [(_GS1_128, bars.symbol.element_string) for bars in drawing.bars]
    return [*symbols, (_QR, printed(drawing.link))]
