"""A logistic label on paper and in dots: as PDF, and as the picture that a label printer burns."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from labels.logistic.layout import Drawing
from labels.logistic.lettering import Words, font_file, font_name
from labels.printers.dots import PER_MM, Size, of_mm
from ledger.errors import UserError

_RULE = 0.3
_BLACK, _WHITE = 0, 255


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
    image = Image.new("1", size, _WHITE)
    pen = ImageDraw.Draw(image)
    for y in drawing.lines:
        pen.rectangle((0, of_mm(y, dpi), size[0], of_mm(y + _RULE, dpi) - 1), fill=_BLACK)
    for bars in drawing.bars:
        module, top = of_mm(bars.module, dpi), of_mm(bars.y, dpi)
        for start, count in _runs(bars.symbol.modules):
            x = of_mm(bars.x, dpi) + start * module
            pen.rectangle((x, top, x + count * module - 1, of_mm(bars.y + bars.height, dpi)), fill=_BLACK)
    _paste_code(image, drawing, dpi)
    for words in drawing.words:
        _paste_words(image, words, dpi)
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
        text.setFont(font_name(words.bold), words.size * mm)
        text.setHorizScale(100 * words.narrow)
        text.textOut(words.text)
        canvas.drawText(text)


def _paste_code(image: Image.Image, drawing: Drawing, dpi: int) -> None:
    code = drawing.code
    module = of_mm(code.module, dpi)
    side = len(code.code.rows)
    pixels = bytes(_BLACK if dark else _WHITE for row in code.code.rows for dark in row)
    drawn = Image.frombytes("L", (side, side), pixels).resize((side * module,) * 2, Image.Resampling.NEAREST)
    image.paste(drawn.convert("1"), (of_mm(code.x, dpi), of_mm(code.y, dpi)))


def _paste_words(image: Image.Image, words: Words, dpi: int) -> None:
    """A line, drawn four times as large, set narrower, and made black or white."""
    font = ImageFont.truetype(str(font_file(words.bold)), words.size * PER_MM[dpi] * 4)
    left, top, right, bottom = font.getbbox(words.text, anchor="ls")
    large = Image.new("L", (round(right - left) + 8, round(bottom - top) + 8), _WHITE)
    ImageDraw.Draw(large).text((4 - left, 4 - top), words.text, fill=_BLACK, font=font, anchor="ls")
    small = large.resize((max(1, round(large.width * words.narrow / 4)), max(1, round(large.height / 4))))
    at = (of_mm(words.x, dpi) - 1 + round(left * words.narrow / 4), of_mm(words.y, dpi) + round((top - 4) / 4))
    black = small.point(lambda value: 255 if value < 140 else 0).convert("1")
    image.paste(_BLACK, at, black)


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
