"""A logistic label on paper and in dots: as PDF, and as the picture that a label printer burns."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from PIL import Image, ImageDraw
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from labels.logistic.layout import Drawing
from labels.printers.dots import Size, of_mm
from labels.printers.raster import BLACK, WHITE, write
from ledger.errors import UserError

_RULE = 0.3


def pages(drawings: Sequence[Drawing], paper: Size | None) -> list[Sequence[Drawing]]:
    """Labels of one size, a page each, or as many as go on a page of `paper`; UserError if none does."""
    count = _across(drawings[0].size, paper)[2] if paper else 1
    return [drawings[start : start + count] for start in range(0, len(drawings), count)]


def pdf(pages: Iterable[Sequence[Drawing]], paper: Size | None) -> bytes:
    """Pages of labels as PDF: side by side from the upper left corner."""
    file = BytesIO()
    canvas = Canvas(file, invariant=1)
    for page in pages:
        size = paper or page[0].size
        columns = _across(page[0].size, size)[0]
        canvas.setPageSize((size.width_mm * mm, size.height_mm * mm))
        for number, drawing in enumerate(page):
            down, across = divmod(number, columns)
            top = size.height_mm - down * drawing.size.height_mm
            _on_canvas(canvas, drawing, across * drawing.size.width_mm, top)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _across(size: Size, paper: Size) -> tuple[int, int, int]:
    """How many labels go on paper: side by side, one above the other, and in all."""
    columns, rows = int(paper.width_mm // size.width_mm), int(paper.height_mm // size.height_mm)
    if not columns * rows:
        raise UserError(
            f"no label of {size} mm goes on a page of {paper} mm", "leave --sheets out, or take smaller ones"
        )
    return columns, rows, columns * rows


def picture(drawing: Drawing, dpi: int) -> Image.Image:
    """A label in the dots of a printer, black or white: modules are whole dots wide."""
    size = (of_mm(drawing.size.width_mm, dpi), of_mm(drawing.size.height_mm, dpi))
    image = Image.new("1", size, WHITE)
    pen = ImageDraw.Draw(image)
    for y in drawing.lines:
        pen.rectangle((0, of_mm(y, dpi), size[0], of_mm(y + _RULE, dpi) - 1), fill=BLACK)
    for bars in drawing.bars:
        module, top = of_mm(bars.module, dpi), of_mm(bars.y, dpi)
        for start, count in _runs(bars.symbol.modules):
            x = of_mm(bars.x, dpi) + start * module
            pen.rectangle((x, top, x + count * module - 1, of_mm(bars.y + bars.height, dpi)), fill=BLACK)
    _paste_code(image, drawing, dpi)
    for words in drawing.words:
        write(
            image,
            words.text,
            x=words.x,
            y=words.y,
            size=words.size,
            font=drawing.fonts.file(words.bold),
            dpi=dpi,
            narrow=words.narrow,
        )
    return image


def _on_canvas(canvas: Canvas, drawing: Drawing, left: float, top: float) -> None:
    def box(x: float, y: float, width: float, height: float) -> None:
        canvas.rect((left + x) * mm, (top - y - height) * mm, width * mm, height * mm, stroke=0, fill=1)

    for y in drawing.lines:
        box(0, y, drawing.size.width_mm, _RULE)
    for bars in drawing.bars:
        for start, count in _runs(bars.symbol.modules):
            box(bars.x + start * bars.module, bars.y, count * bars.module, bars.height)
    code = drawing.code
    for number, row in enumerate(code.code.rows):
        for start, count in _runs(row):
            box(code.x + start * code.module, code.y + number * code.module, count * code.module, code.module)
    for words in drawing.words:
        text = canvas.beginText((left + words.x) * mm, (top - words.y) * mm)
        text.setFont(drawing.fonts.name(words.bold), words.size * mm)
        text.setHorizScale(100 * words.narrow)
        text.textOut(words.text)
        canvas.drawText(text)


def _paste_code(image: Image.Image, drawing: Drawing, dpi: int) -> None:
    code = drawing.code
    module = of_mm(code.module, dpi)
    side = len(code.code.rows)
    pixels = bytes(BLACK if dark else WHITE for row in code.code.rows for dark in row)
    drawn = Image.frombytes("L", (side, side), pixels).resize((side * module,) * 2, Image.Resampling.NEAREST)
    image.paste(drawn.convert("1"), (of_mm(code.x, dpi), of_mm(code.y, dpi)))


def _runs(modules: Sequence[bool]) -> list[tuple[int, int]]:
    """Where dark runs begin, and how long they are."""
    runs, start = [], None
    for at, dark in enumerate((*modules, False)):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            runs.append((start, at - start))
            start = None
    return runs
