"""GS1's logistic label (GS1 Logistic Label Guideline; General Specifications, 6.6): three blocks, the codes lowest.

    ┌────────────────────────┐
    │ Example Foods, Seattle │  free text: whose it is
    ├────────────────────────┤
    │ SSCC                   │  data titles, each above its value, legible from metres away,
    │ 395060000000000016     │  and a QR code with the unit's Digital Link
    │ CONTENT          ▛▀▜   │
    │ 09506000134352   ▙▄▟   │
    ├────────────────────────┤
    │ ▌▌▐▌▐ ▌▐▐▌▌▐▐ ▌▌▐▐▌    │  GS1-128 symbols, each with its text below it, the SSCC's last
    └────────────────────────┘

Lengths are millimetres from the upper left corner.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from labels.logistic import symbols
from labels.logistic.data_rows import MOST, Rows, Titled, row, spacing, ways
from labels.logistic.lettering import CAPITAL, Line, centred, fitted
from labels.logistic.symbols import QUIET, Symbol
from labels.logistic.unit import Unit
from labels.printers.dots import Size
from labels.printing import qr
from labels.printing.fonts import Fonts, having
from ledger.errors import UserError

_MARGIN = 2.0
_BARS = 32.0  # a little more than GS1's least, 31.75
_READABLE, _READABLE_GAP, _SYMBOL_GAP = 3.0, 1.0, 1.6  # the text below a symbol: capitals, and the white around it
_COMPANY, _BELOW_COMPANY = 3.6, 0.45  # capitals on A6, and the white below in capitals
_COMPANY_LEAST, _COMPANY_MOST = 3.0, 6.0
_BLOCK_GAP = 1.4
_CODE_LEAST, _CODE_X = 0.375, (0.743, 0.85, 1.0, 1.2)  # a QR code's X-dimension: GS1's, and as scanners like it
_CODE_SHARE = 0.36  # of the label's width
_A6 = Size(105.0, 148.0)


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
    link, bottom = unit.link(host), bars_top - _BLOCK_GAP
    code = qr.encode(link)
    placed, data = _arranged(unit.titled, code, top, bottom, size, step_mm, fonts)
    return Drawing(size, (*head, *data, *readable), bars, placed, link, (top, bottom) if head else (bottom,), fonts)


def _symbols(
    found: tuple[Symbol, ...], x_mm: float, size: Size, fonts: Fonts
) -> tuple[tuple[Bars, ...], tuple[Line, ...], float]:
    """The symbols and the text below each, in the middle, from the lower edge up; and where they begin."""
    each = _BARS + _READABLE_GAP + _READABLE + _SYMBOL_GAP
    top = size.height_mm - _MARGIN / 2 - each * len(found)
    bars = tuple(
        Bars((size.width_mm - symbol.width * x_mm) / 2 + QUIET * x_mm, top + number * each, x_mm, _BARS, symbol)
        for number, symbol in enumerate(found)
    )
    below = _BARS + _READABLE_GAP + _READABLE
    room, em = size.width_mm - 2 * _MARGIN, _READABLE / CAPITAL
    words = tuple(centred(fonts, _MARGIN, one.y + below, em, one.symbol.readable, room) for one in bars)
    return bars, words, top


def _arranged(
    titled: tuple[Titled, ...], code: qr.Code, top: float, bottom: float, size: Size, step_mm: float, fonts: Fonts
) -> tuple[Code, tuple[Line, ...]]:
    """The QR code and the rows between `top` and `bottom`: the way whose least value is largest; UserError if none is.

    Of two ways that are alike, the larger code.
    """
    values = {value for _, value in titled}
    best: tuple[tuple[float, float], Code, tuple[Line, ...]] | None = None
    for rows, each, module in _ways(titled, bottom - top, size, code.modules, step_mm):
        placed = _code(code, size, bottom, module)
        data = _data(rows, each, top, placed, size, fonts)
        least = min(words.size for words in data if words.text in values)
        rank = (round(least, 6), module)
        if best is None or rank > best[0]:
            best = rank, placed, data
    if best is None:
        raise _too_small(size)
    return best[1:]


def _ways(
    titled: tuple[Titled, ...], room: float, size: Size, modules: int, step_mm: float
) -> Iterator[tuple[Rows, float, float]]:
    """Rows, their height, and the QR code's X-dimension: some of the rows above it, and the others beside it."""
    for rows in ways(titled):
        for x_mm in _code_sizes(room, size, modules, step_mm):
            for above in range(len(rows) + 1):
                each = min(MOST, room / len(rows), *([(room - x_mm * modules) / above] if above else []))
                if spacing(each):
                    yield rows, each, x_mm


def _code_sizes(room: float, size: Size, modules: int, step_mm: float) -> list[float]:
    """X-dimensions that the QR code may have, in whole steps: as scanners like it, or as near as there is room."""
    most = int(min(_CODE_X[-1], room / modules, size.width_mm * _CODE_SHARE / modules) / step_mm + 1e-9)
    steps = {min(most, ceil(x_mm / step_mm - 1e-9)) for x_mm in _CODE_X}
    return [step * step_mm for step in sorted(steps) if step * step_mm >= _CODE_LEAST - 1e-9]


def _company(company: str, size: Size, fonts: Fonts) -> tuple[tuple[Line, ...], float]:
    """The free text, and where the block below it begins."""
    if not company:
        return (), _MARGIN / 2
    scale = min(size.width_mm / _A6.width_mm, size.height_mm / _A6.height_mm)
    capitals = max(_COMPANY_LEAST, min(_COMPANY_MOST, _COMPANY * scale))
    y = _MARGIN + capitals
    words = fitted(fonts, _MARGIN, y, capitals / CAPITAL, company, size.width_mm - 2 * _MARGIN, bold=True)
    return (words,), y + capitals * _BELOW_COMPANY


def _code(code: qr.Code, size: Size, bottom: float, module: float) -> Code:
    """The QR code in the lower right corner above `bottom`."""
    quiet, side = qr.QUIET_ZONE * module, code.modules * module
    return Code(size.width_mm - _MARGIN / 2 - side + quiet, bottom - side + quiet, module, code)


def _data(rows: Rows, each: float, top: float, code: Code, size: Size, fonts: Fonts) -> tuple[Line, ...]:
    """The rows, which go over the whole width above the QR code, and else up to it."""
    spaced = spacing(each)
    assert spaced is not None
    quiet = qr.QUIET_ZONE * code.module
    words: list[Line] = []
    for number, titled in enumerate(rows):
        y = top + number * each
        right = size.width_mm - _MARGIN if y + each <= code.y - quiet + 1e-6 else code.x - quiet - 1
        words += row(titled, _MARGIN, y, right - _MARGIN, spaced, fonts)
    return tuple(words)


def _too_small(size: Size) -> UserError:
    return UserError(f"a label of {size} mm is too small for this unit", "take a larger one with --label: 148x210")
