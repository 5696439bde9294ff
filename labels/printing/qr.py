"""A link as a QR code: the fewest bits, and a scheme that every phone takes.

The host is printed in upper case, which is one with lower case in a URI (RFC 3986, 6.2.2.1) and takes 5½ bits a
character where lower case takes 8. The scheme stays in lower case, for some phones do not take it otherwise; the
path keeps its case, for a lot `a1` is not a lot `A1`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, MODE_NUMBER, QRData

QUIET_ZONE = 4  # modules (ISO/IEC 18004, 9.1)
_MASK = 2  # a reader takes any; to try all eight takes five times as long
_HOST = re.compile(r"(https?://)([^/?#]*)")


@dataclass(frozen=True, slots=True)
class _Mode:
    """A mode (ISO/IEC 18004, 7.4): the characters it takes, sixths of a bit for each, bits of the count by group."""

    number: int
    characters: frozenset[str]
    sixths: int
    count_bits: tuple[int, int, int]


_DIGITS = "0123456789"
_MODES = (
    _Mode(MODE_NUMBER, frozenset(_DIGITS), 20, (10, 12, 14)),
    _Mode(MODE_ALPHA_NUM, frozenset(_DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"), 33, (9, 11, 13)),
    _Mode(MODE_8BIT_BYTE, frozenset(map(chr, range(128))), 48, (8, 16, 16)),
)
_Segment: Any = QRData  # qrcode has no types
_GROUPS = (9, 26, 40)  # the last version of each group


class CodeError(ValueError):
    """A text does not go into a QR code."""


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code without its quiet zone: `rows[y][x]` is True where it is dark."""

    version: int
    rows: tuple[tuple[bool, ...], ...]

    @property
    def modules(self) -> int:
        """The width with the quiet zone on both sides."""
        return len(self.rows) + 2 * QUIET_ZONE

    def image(self, module_px: int) -> Image.Image:
        """The code and its quiet zone, black on white, `module_px` pixels a module."""
        side = len(self.rows)
        pixels = bytes(0 if dark else 255 for row in self.rows for dark in row)
        framed = Image.new("L", (self.modules, self.modules), 255)
        framed.paste(Image.frombytes("L", (side, side), pixels), (QUIET_ZONE, QUIET_ZONE))
        return framed.resize((self.modules * module_px,) * 2, Image.Resampling.NEAREST)


def printed(link: str) -> str:
    """The text of a link as its code holds it: the host in upper case, all else as it is."""
    return _HOST.sub(lambda match: match[1] + match[2].upper(), link, count=1)


def encode(link: str) -> Code:
    """The smallest code at level M for a link; CodeError if it is not ASCII or does not go into any."""
    text = printed(link)
    if not text.isascii():
        raise CodeError("a link in a code is ASCII")
    for group, version in enumerate(_GROUPS):
        code: Any = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_MASK, border=0)
        for mode, part in segments(text, group):
            code.add_data(_Segment(part.encode("ascii"), mode=mode, check_data=False))
        try:
            code.make()
        except (DataOverflowError, ValueError) as error:
            raise CodeError(f"a link of {len(text)} characters is too long for a code") from error
        if code.version <= version:
            return Code(code.version, tuple(tuple(map(bool, row)) for row in code.modules))
    raise AssertionError("the last group holds every version")


def segments(text: str, group: int = 0) -> list[tuple[int, str]]:
    """Split ASCII text into (mode, part), taking the fewest bits in versions of `group` (0: up to 9).

    Walks through the text once, keeping for each mode the cheapest way to be in it: to stay costs the character,
    to come from another costs a new header as well. Sixths of a bit keep the cost whole.
    """
    heads = [6 * (4 + mode.count_bits[group]) for mode in _MODES]
    costs: list[float] = [0.0] * len(_MODES)
    came_from: list[list[int]] = []
    for at, char in enumerate(text):
        best = min(range(len(_MODES)), key=costs.__getitem__)
        steps, sources = [], []
        for index, mode in enumerate(_MODES):
            switch = _whole_bits(costs[best]) + heads[index]
            stays = at > 0 and costs[index] <= switch
            cost = costs[index] if stays else switch
            steps.append(cost + mode.sixths if char in mode.characters else float("inf"))
            sources.append(index if stays else best)
        costs = steps
        came_from.append(sources)
    return _joined(text, _walk_back(costs, came_from))


def _whole_bits(sixths: float) -> float:
    return -(-sixths // 6) * 6


def _walk_back(costs: Sequence[float], came_from: Sequence[Sequence[int]]) -> list[int]:
    index = min(range(len(costs)), key=costs.__getitem__)
    modes = []
    for sources in reversed(came_from):
        modes.append(index)
        index = sources[index]
    return modes[::-1]


def _joined(text: str, modes: Sequence[int]) -> list[tuple[int, str]]:
    runs = groupby(zip(modes, text, strict=True), key=lambda pair: pair[0])
    return [(_MODES[index].number, "".join(char for _, char in run)) for index, run in runs]
