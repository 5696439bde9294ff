"""Sheets as PDF: codes as filled paths, text in embedded fonts. The same labels give the same bytes.

A code is one path of its dark runs, filled at once: then no viewer shows seams between its rows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject

from labels.printing import qr
from labels.printing.face import Face
from labels.printing.fonts import Fonts
from labels.printing.layout import QUIET_ZONE, Content, Frame, NoRoomError, Placed, Symbol, TextLine, fits, place
from labels.printing.qr import Code
from labels.printing.room import Advise, Fits, on_sheets
from labels.printing.style import SheetStyle
from ledger.errors import UserError

rl_config.useA85 = 0  # type: ignore[attr-defined]  # letters instead of bytes would cost a fifth of all the time
_CUT, _MARK, _HAIR_MM = 0.6, 0.82, 0.15  # greys, and a thin line's width
_CAPITAL = 0.73  # a capital's height in font sizes
_ROUND_MM = 1.5


@dataclass(frozen=True, slots=True)
class Drawn:
    """A label laid out, and its codes by their links."""

    placed: Placed
    codes: dict[str, Code]


def lay_out(face: Face, style: SheetStyle, fonts: Fonts, *, advise: Advise = on_sheets) -> Drawn:
    """A label as it stands on its sheet; UserError if the sheet's labels are too small for it, with what helps."""
    codes = {link: qr.encode(link) for link in (face.link, face.hidden) if link}
    try:
        return Drawn(place(_content(face, codes), style.space, fonts.measure), codes)
    except NoRoomError as error:
        raise UserError(str(error), advise(style, fitting(face, fonts))) from error


def fitting(face: Face, fonts: Fonts) -> Fits:
    """What says of a space whether a label with this face has room there."""
    shown = _content(face, {link: qr.encode(link) for link in (face.link, face.hidden) if link})
    return lambda space: fits(shown, space, fonts.measure)


def _content(face: Face, codes: Mapping[str, Code]) -> Content:
    hidden = codes[face.hidden].modules if face.hidden else 0
    return Content(face.link, codes[face.link].modules, face.title, face.lines, face.hidden, hidden, face.spoken)


def sheets(faces: Sequence[Face], style: SheetStyle, fonts: Fonts, *, skip: int = 0, title: str = "") -> bytes:
    """Labels on as many sheets as it takes, as a PDF; the first `skip` places of the first sheet stay free."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=tuple(side * mm for side in style.grid.page), invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setCreator("Tallystick")
    for page in pages(faces, style, skip=skip):
        _page(canvas, page, style, fonts, skip=skip)
        skip = 0
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def pages(faces: Sequence[Face], style: SheetStyle, *, skip: int = 0) -> Iterator[list[Face]]:
    """The labels of each sheet."""
    rest, room = iter(faces), style.grid.count - skip
    while page := list(islice(rest, room)):
        yield page
        room = style.grid.count


def _page(canvas: Canvas, faces: Sequence[Face], style: SheetStyle, fonts: Fonts, *, skip: int) -> None:
    canvas.translate(style.offset[0] * mm, style.grid.page[1] * mm - style.offset[1] * mm)
    if style.outline:
        _outlines(canvas, style)
    for face, (x, y) in zip(faces, islice(style.grid.corners(), skip, None), strict=False):
        drawn = lay_out(face, style, fonts)
        if style.mark:
            _mark(canvas, drawn, style, x, y, fonts)
        for symbol in drawn.placed.symbols:
            _code(canvas, drawn.codes[symbol.link], symbol, x, y, style.module)
        _words(canvas, drawn.placed.words, x, y, fonts)
        if drawn.placed.frame:
            _frame(canvas, drawn.placed.frame, x, y)


def _code(canvas: Canvas, code: Code, symbol: Symbol, x: float, y: float, module: float) -> None:
    """One path, in modules: the numbers are then short, and exact."""
    quiet = QUIET_ZONE * module
    canvas.saveState()
    canvas.translate((x + symbol.x + quiet) * mm, -(y + symbol.y + quiet) * mm)
    canvas.scale(module * mm, -module * mm)
    runs = "\n".join(f"{left} {row} {width} 1 re" for left, row, width in code.runs())
    canvas.drawPath(PDFPathObject(code=[runs]), stroke=0, fill=1)
    canvas.restoreState()


def _words(canvas: Canvas, words: Sequence[TextLine], x: float, y: float, fonts: Fonts) -> None:
    for word in words:
        canvas.setFont(fonts.name(word.bold), word.size * mm)
        canvas.drawString((x + word.x) * mm, -(y + word.y) * mm, word.text)


def _frame(canvas: Canvas, frame: Frame, x: float, y: float) -> None:
    canvas.saveState()
    canvas.setLineWidth(_HAIR_MM * mm)
    canvas.setDash(0.8 * mm, 0.8 * mm)
    canvas.rect((x + frame.x) * mm, -(y + frame.y + frame.height) * mm, frame.width * mm, frame.height * mm)
    canvas.restoreState()


def _mark(canvas: Canvas, drawn: Drawn, style: SheetStyle, x: float, y: float, fonts: Fonts) -> None:
    """The style's mark from corner to corner; the symbols that are to be drawn keep white ground."""
    width, height = style.grid.label
    size = min(0.4 * min(width, height), 0.75 * math.hypot(width, height) / fonts.measure(style.mark, True))
    canvas.saveState()
    canvas.translate((x + width / 2) * mm, -(y + height / 2) * mm)
    canvas.rotate(math.degrees(math.atan2(height, width)))
    canvas.setFillGray(_MARK)
    canvas.setFont(fonts.bold, size * mm)
    canvas.drawCentredString(0, -size * mm * _CAPITAL / 2, style.mark)
    canvas.restoreState()
    canvas.saveState()
    canvas.setFillGray(1)
    for symbol in drawn.placed.symbols:
        side = drawn.codes[symbol.link].modules * style.module
        canvas.rect((x + symbol.x) * mm, -(y + symbol.y + side) * mm, side * mm, side * mm, stroke=0, fill=1)
    canvas.restoreState()


def _outlines(canvas: Canvas, style: SheetStyle) -> None:
    """Where the labels' edges are, to hold a test print against a sheet."""
    width, height = style.grid.label
    canvas.saveState()
    canvas.setStrokeGray(_CUT)
    canvas.setLineWidth(_HAIR_MM * mm)
    for x, y in style.grid.corners():
        canvas.roundRect(x * mm, -(y + height) * mm, width * mm, height * mm, _ROUND_MM * mm)
    canvas.restoreState()
