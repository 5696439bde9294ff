"""One label as SVG: in millimetres, codes as paths, text as text with fonts that a browser or a press has."""

from html import escape

from labels.printing.face import Face
from labels.printing.fonts import Fonts
from labels.printing.layout import QUIET_ZONE, Symbol, TextLine
from labels.printing.pdf import lay_out
from labels.printing.qr import Code
from labels.printing.style import SheetStyle

_FAMILY = "Bitstream Vera Sans, DejaVu Sans, Verdana, sans-serif"


def label_svg(face: Face, style: SheetStyle, fonts: Fonts) -> bytes:
    """A label as large as those of the style's grid; UserError if it does not fit."""
    drawn = lay_out(face, style, fonts)
    width, height = style.grid.label
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_mm(width)}mm" height="{_mm(height)}mm"'
        f' viewBox="0 0 {_mm(width)} {_mm(height)}" font-family="{_FAMILY}">',
        f"<title>{escape(' '.join((face.title, *face.lines)).strip())}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *(_path(drawn.codes[symbol.link], symbol, style.module) for symbol in drawn.placed.symbols),
        *(_text(words) for words in drawn.placed.words),
    ]
    if frame := drawn.placed.frame:
        parts.append(
            f'<rect x="{_mm(frame.x)}" y="{_mm(frame.y)}" width="{_mm(frame.width)}" height="{_mm(frame.height)}"'
            ' fill="none" stroke="#000" stroke-width="0.15" stroke-dasharray="0.8"/>'
        )
    return ("\n".join([*parts, "</svg>"]) + "\n").encode()


def _path(code: Code, symbol: Symbol, module: float) -> str:
    quiet = QUIET_ZONE * module
    runs = "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width in code.runs())
    moved = f"translate({_mm(symbol.x + quiet)} {_mm(symbol.y + quiet)}) scale({module:g})"
    return f'<path transform="{moved}" d="{runs}"/>'


def _text(words: TextLine) -> str:
    weight = ' font-weight="bold"' if words.bold else ""
    return (
        f'<text x="{_mm(words.x)}" y="{_mm(words.y)}" font-size="{_mm(words.size)}"{weight}>{escape(words.text)}</text>'
    )


def _mm(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
