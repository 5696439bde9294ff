"""A label's face for a label printer, laid out as it would be on a sheet, with modules of whole dots.

In ZPL, codes go as pictures and words in the printer's own font, which is narrower than the one that they are laid out
by; for a Brother QL all of it is one picture. What is sent was read back first: the very dots.
"""

from collections.abc import Iterator
from functools import partial

from PIL import Image, ImageDraw

from labels.printers import zpl
from labels.printers.dots import Dots, of_mm, of_modules
from labels.printers.medium import Medium
from labels.printers.raster import BLACK, WHITE, picture_of, write
from labels.printers.room import on_medium
from labels.printing.decoded import require_decodes
from labels.printing.face import Face
from labels.printing.fonts import Fonts
from labels.printing.layout import QUIET_ZONE
from labels.printing.pdf import Drawn, lay_out
from labels.printing.readback import texts
from labels.printing.style import SheetStyle

_MIDDLE_MM = 0.01


def encoded(face: Face, medium: Medium, style: SheetStyle, fonts: Fonts) -> bytes:
    """A label as the printer takes it; UserError if the medium is too small for it, or its codes are not read back."""
    drawn = lay_out(face, style, fonts, advise=partial(on_medium, medium))
    codes = list(_codes(drawn, style, medium.dpi))
    picture = _picture(codes, style, medium.dpi)
    if medium.roll is None:
        require_decodes(picture, texts(face))
        return _zpl(codes, drawn, style, medium.dpi, fonts)
    _write(picture, drawn, medium.dpi, fonts)
    require_decodes(picture, texts(face))
    return medium.encode(picture)


def _codes(drawn: Drawn, style: SheetStyle, dpi: int) -> Iterator[tuple[int, int, Dots]]:
    """Where each code stands, without its quiet zone, and its dots."""
    quiet = QUIET_ZONE * style.module
    for symbol in drawn.placed.symbols:
        dots = of_modules(drawn.codes[symbol.link].rows, of_mm(style.module, dpi))
        yield of_mm(symbol.x + quiet, dpi), of_mm(symbol.y + quiet, dpi), dots


def _picture(codes: list[tuple[int, int, Dots]], style: SheetStyle, dpi: int) -> Image.Image:
    picture = Image.new("L", (of_mm(style.space.width, dpi), of_mm(style.space.height, dpi)), WHITE)
    for x, y, dots in codes:
        picture.paste(picture_of(dots), (x, y))
    return picture


def _zpl(codes: list[tuple[int, int, Dots]], drawn: Drawn, style: SheetStyle, dpi: int, fonts: Fonts) -> bytes:
    width, height = of_mm(style.space.width, dpi), of_mm(style.space.height, dpi)
    fields = [zpl.picture(x, y, dots) for x, y, dots in codes]
    for words in drawn.placed.words:
        y, size = of_mm(words.y, dpi), of_mm(words.size, dpi)
        off = words.x + fonts.measure(words.text, words.bold) * words.size / 2 - style.space.width / 2
        if abs(off) < _MIDDLE_MM:  # laid out by another font than the printer's, it would stand beside the middle
            fields.append(zpl.centred(y, size, width, words.text))
        else:
            fields.append(zpl.text(of_mm(words.x, dpi), y, size, words.text))
    if frame := drawn.placed.frame:
        x, y, side = of_mm(frame.x, dpi), of_mm(frame.y, dpi), of_mm(frame.width, dpi)
        fields.append(zpl.frame(x, y, side, of_mm(frame.height, dpi)))
    return zpl.label(fields, width=width, height=height)


def _write(picture: Image.Image, drawn: Drawn, dpi: int, fonts: Fonts) -> None:
    for words in drawn.placed.words:
        file = fonts.file(words.bold)
        write(picture, words.text, x=words.x, y=words.y, size=words.size, font=file, dpi=dpi)
    if frame := drawn.placed.frame:
        corners = (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
        ImageDraw.Draw(picture).rectangle([of_mm(side, dpi) for side in corners], outline=BLACK)
