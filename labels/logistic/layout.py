"""GS1's logistic label (GS1 Logistic Label Guideline; General Specifications, 6.6): three blocks, the codes lowest.

    ┌────────────────────────┐
    │ Example Foods, Seattle │  free text: whose it is
    ├────────────────────────┤
    │ SSCC                   │  data titles and what they stand before, legible from metres away,
    │ 395060000000000016     │  and a QR code with the unit's Digital Link
    │ CONTENT          ▛▀▜   │
    │ 09506000134352   ▙▄▟   │
    ├────────────────────────┤
    │ ▌▌▐▌▐ ▌▐▐▌▌▐▐ ▌▌▐▐▌    │  GS1-128 symbols, each with its text below it, the SSCC's last
    └────────────────────────┘

Lengths are millimetres from the upper left corner.
"""

from dataclasses import dataclass

from labels.logistic import symbols
from labels.logistic.lettering import CAPITAL, Line, fitted
from labels.logistic.symbols import QUIET, Symbol
from labels.logistic.unit import Unit
from labels.printers.dots import Size
from labels.printing import qr
from labels.printing.fonts import Fonts, having
from ledger.errors import UserError

_MARGIN = 2.0
_BARS = 32.0  # a little more than GS1's least, 31.75
_READABLE, _READABLE_GAP, _SYMBOL_GAP = 3.2, 0.9, 1.6  # the text below a symbol: capitals, and the white around it
_COMPANY, _BLOCK_GAP = 3.6, 1.4
_TITLE, _TITLE_GAP, _ROW_GAP = 2.1, 0.8, 1.8  # of the last, half is above and half below a row
_DATA, _DATA_MIN = 7.0, 3.0  # capitals of the data: as GS1 would have them, and no smaller than it allows any text
_ROW = _TITLE + _TITLE_GAP + _DATA + _ROW_GAP
_CODE_X = (0.375, 0.743, 1.0)  # a QR code's X-dimension: the least, as scanners in a warehouse like it, and enough
_CODE_SHARE = 0.36  # of the label's width


@dataclass(frozen=True, slots=True)
class Bars:
    """A GS1-128 symbol whose first bar's upper end is at (x, y)."""

    x: float
    y: float
    module: float
    height: float
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code, without its quiet zone, whose upper left corner is at (x, y)."""

    x: float
    y: float
    module: float
    code: qr.Code


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that is on a label. `lines` are the heights of rules from side to side."""

    size: Size
    words: tuple[Line, ...]
    bars: tuple[Bars, ...]
    code: Code
    link: str
    lines: tuple[float, ...]
    fonts: Fonts


def draw(unit: Unit, *, company: str, host: str, size: Size, step_mm: float = 0.005) -> Drawing:
    """Lay a unit's label out; modules are multiples of `step_mm`.

    UserError if the label is too small for it, or no font here has all the letters.
    """
    fonts = having([company, *(text for pair in unit.titled for text in pair)])
    found, x_mm = symbols.of_unit(unit, room_mm=size.width_mm - 2 * _MARGIN, step_mm=step_mm)
    bars, readable, bars_top = _symbols(found, x_mm, size, fonts)
    head, top = _company(company, size, fonts)
    room = bars_top - _BLOCK_GAP - top
    link = unit.link(host)
    code = qr.encode(link)
    below = room - _ROW >= code.modules * _CODE_X[1]  # the SSCC then has the whole width
    placed = _code(code, size, bars_top - _BLOCK_GAP, room - _ROW if below else room, step_mm)
    data = _data(unit, top, room, placed, size, fonts)
    return Drawing(size, (*head, *data, *readable), bars, placed, link, (top, bars_top - _BLOCK_GAP), fonts)


def _symbols(
    found: tuple[Symbol, ...], x_mm: float, size: Size, fonts: Fonts
) -> tuple[tuple[Bars, ...], tuple[Line, ...], float]:
    """The symbols and the text below each, from the lower edge up; and where they begin."""
    each = _BARS + _READABLE_GAP + _READABLE + _SYMBOL_GAP
    top = size.height_mm - _MARGIN / 2 - each * len(found)
    x = (size.width_mm - max(symbol.width for symbol in found) * x_mm) / 2 + QUIET * x_mm
    room = size.width_mm - _MARGIN - x
    bars = tuple(Bars(x, top + number * each, x_mm, _BARS, symbol) for number, symbol in enumerate(found))
    below = _BARS + _READABLE_GAP + _READABLE
    words = tuple(fitted(fonts, x, one.y + below, _READABLE / CAPITAL, one.symbol.readable, room) for one in bars)
    return bars, words, top


def _company(company: str, size: Size, fonts: Fonts) -> tuple[tuple[Line, ...], float]:
    """The free text, and where the block below it begins."""
    if not company:
        return (), _MARGIN / 2
    y = _MARGIN + _COMPANY
    words = fitted(fonts, _MARGIN, y, _COMPANY / CAPITAL, company, size.width_mm - 2 * _MARGIN, bold=True)
    return (words,), y + _BLOCK_GAP


def _code(code: qr.Code, size: Size, bottom: float, height: float, step_mm: float) -> Code:
    """The QR code, as large as scanners like and `height` allows, in the lower right corner above `bottom`."""
    wanted = min(_CODE_X[2], height / code.modules, size.width_mm * _CODE_SHARE / code.modules)
    module = int(wanted / step_mm + 1e-9) * step_mm
    if module < _CODE_X[0] - 1e-9:
        raise _too_small(size)
    quiet, side = qr.QUIET_ZONE * module, code.modules * module
    return Code(size.width_mm - _MARGIN / 2 - side + quiet, bottom - side + quiet, module, code)


def _data(unit: Unit, top: float, room: float, code: Code, size: Size, fonts: Fonts) -> tuple[Line, ...]:
    """Titles and values in rows, which go over the whole width above the QR code, and else up to it."""
    named = unit.titled
    rows = [row for row in (named[:1], named[1:3], named[3:]) if row]
    each = min(_ROW, room / len(rows))
    capitals = each - _TITLE - _TITLE_GAP - _ROW_GAP
    if capitals < _DATA_MIN:
        raise _too_small(size)
    quiet = qr.QUIET_ZONE * code.module
    words: list[Line] = []
    for number, row in enumerate(rows):
        y = top + number * each
        right = size.width_mm - _MARGIN if y + each <= code.y - quiet else code.x - quiet - 1
        words += _row(row, y + _ROW_GAP / 2, capitals, right - _MARGIN, fonts)
    return tuple(words)


def _too_small(size: Size) -> UserError:
    return UserError(f"a label of {size} mm is too small for this unit", "take a larger one with --label: 148x210")


def _row(row: tuple[tuple[str, str], ...], y: float, capitals: float, room: float, fonts: Fonts) -> list[Line]:
    """Values side by side, each below its title, with room by their lengths."""
    lengths = [max(len(value), 4) for _, value in row]
    words, x = [], _MARGIN
    for (title, value), length in zip(row, lengths, strict=True):
        share = (room - 3 * (len(row) - 1)) * length / sum(lengths)
        words.append(fitted(fonts, x, y + _TITLE, _TITLE / CAPITAL, title, share))
        below = y + _TITLE + _TITLE_GAP + capitals
        words.append(fitted(fonts, x, below, capitals / CAPITAL, value, share, bold=True))
        x += share + 3
    return words
