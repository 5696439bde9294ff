"""The bar codes of a logistic label: GS1-128, which is Code 128 with FNC1 behind its start (ISO/IEC 15417).

    unit -> ((00),)  or  ((02)(37)(10), (00))  or, where the label is narrow, ((02)(37), (10), (00))

A symbol goes over the label's width with its quiet zones. Its X-dimension is the largest that GS1 allows and the label
has room for, one for all symbols of a label, in whole dots where a printer has dots.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import zxingcpp

from labels.gs1 import Elements
from labels.logistic.unit import Pair, Unit
from ledger.errors import UserError

X_MM = (0.495, 0.94)  # GS1 General Specifications, symbol specification table for general distribution scanning
QUIET = 10  # modules on either side
CHARACTERS_MAX = 48


@dataclass(frozen=True, slots=True)
class Symbol:
    """A GS1-128 symbol: what it says, and its modules from left to right, True where it is dark.

    By itself its part of the unit's message may lack what another symbol says.
    """

    said: Elements
    modules: tuple[bool, ...]

    @property
    def element_string(self) -> str:
        """What a reader gives for it, behind the symbology identifier ]C1."""
        return self.said.element_string

    @property
    def readable(self) -> str:
        """GS1's human-readable interpretation."""
        return self.said.bracketed

    @property
    def width(self) -> int:
        """In modules, with both quiet zones."""
        return len(self.modules) + 2 * QUIET


def of_unit(unit: Unit, *, room_mm: float, step_mm: float) -> tuple[tuple[Symbol, ...], float]:
    """A unit's symbols from top to bottom, the SSCC's last, and their X-dimension, a multiple of `step_mm`.

    As few symbols as the label has room for. UserError if a single value is too long for it.
    """
    pairs = unit.pairs[1:]
    widest = 0
    for cuts in _ways(pairs):
        symbols = tuple(symbol_of(group) for group in (*cuts, unit.pairs[:1]))
        widest = max(symbol.width for symbol in symbols)
        x_mm = round(int(min(X_MM[1], room_mm / widest) / step_mm + 1e-9) * step_mm, 6)
        if x_mm >= X_MM[0] - 1e-9 and all(len(symbol.element_string) <= CHARACTERS_MAX for symbol in symbols):
            return symbols, x_mm
    raise UserError(
        f"a bar code of this unit takes {widest * X_MM[0]:.0f} mm, and the label has {room_mm:.0f} mm for it",
        "take a wider label with --label, or leave --lot out: then the label does not say the lot",
    )


@cache
def symbol_of(pairs: tuple[Pair, ...]) -> Symbol:
    """The symbol of some AIs and values, by zxing-cpp's writer, which is Zint's."""
    if any("(" in value for _, value in pairs):  # the writer takes it for the beginning of an AI
        raise UserError("a lot with a bracket in it cannot stand in these bar codes", "leave --lot out")
    said = Elements(pairs)
    code = zxingcpp.create_barcode(said.bracketed, zxingcpp.BarcodeFormat.Code128, gs1=True)
    drawn: Any = memoryview(code.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]
    return Symbol(said, tuple(pixel == 0 for pixel in drawn.tolist()[0]))


def _ways(pairs: tuple[Pair, ...]) -> list[tuple[tuple[Pair, ...], ...]]:
    """The ways to lay content into symbols, the fewest first. (02) and (37) are not parted."""
    if not pairs:
        return [()]
    return [(pairs,), (pairs[:2], pairs[2:])] if len(pairs) > 2 else [(pairs,)]
