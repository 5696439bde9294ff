"""A link as a QR code: the fewest bits, and a scheme that every phone takes.

The host is printed in upper case, which is one with lower case in a URI (RFC 3986, 6.2.2.1) and takes 5½ bits a
character where lower case takes 8. The scheme stays in lower case, for some phones do not take it otherwise; the
path keeps its case, for a lot `a1` is not a lot `A1`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import cycle, groupby, islice, zip_longest
from operator import itemgetter
from typing import Any

from PIL import Image
from qrcode.base import RSBlock, gexp, glog, rs_blocks
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import BIT_LIMIT_TABLE, MODE_8BIT_BYTE, MODE_ALPHA_NUM, MODE_NUMBER

QUIET_ZONE = 4  # modules (ISO/IEC 18004, 9.1)
_MASK = 2  # a reader takes any; to try all eight takes five times as long
_DARK = re.compile(b"\x01+")
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
_VALUES = {char: value for value, char in enumerate(f"{_DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
_SHAPES = {code: "0" if (char := chr(code)) in _DIGITS else "A" if char in _VALUES else "a" for code in range(128)}
_PADDING = (0xEC, 0x11)
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

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """The dark runs of its rows: the column of the first module, the row, and the width."""
        for y, row in enumerate(self.rows):
            for run in _DARK.finditer(bytes(row)):
                yield run.start(), y, run.end() - run.start()

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
    for group, last in enumerate(_GROUPS):
        bits = _bits(segments(text, group), group)
        first = _GROUPS[group - 1] + 1 if group else 1
        for version in range(first, last + 1):
            if len(bits) <= BIT_LIMIT_TABLE[ERROR_CORRECT_M][version]:
                return _code(version, bits)
    raise CodeError(f"a link of {len(text)} characters is too long for a code")


def _code(version: int, bits: str) -> Code:
    """A code of these bits: they are filled up to what the version holds (ISO/IEC 18004, 7.4.9 and 7.4.10)."""
    room = BIT_LIMIT_TABLE[ERROR_CORRECT_M][version]
    bits += "0" * min(4, room - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = int(bits, 2).to_bytes(len(bits) // 8, "big") + bytes(islice(cycle(_PADDING), (room - len(bits)) // 8))
    words = _with_correction(words, rs_blocks(version, ERROR_CORRECT_M))
    pattern = _pattern(version)
    data = b"0" + f"{int.from_bytes(words, 'big'):0{8 * len(words)}b}".encode()
    dark = int.from_bytes(bytes(pattern.bits_of(data)), "big") ^ pattern.blank
    side = 17 + 4 * version
    modules = tuple(map(bool, dark.to_bytes(side * side, "big")))
    return Code(version, tuple(modules[at : at + side] for at in range(0, side * side, side)))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A version's modules without data, a byte each, and what picks each module's bit out of `0` and the data."""

    blank: int
    bits_of: Callable[[bytes], tuple[int, ...]]


@cache
def _pattern(version: int) -> _Pattern:
    """Where qrcode puts each bit: it is asked once a version, by data of which each bit's number can be read back.

    To have it put them one by one for each code takes half as long again as all the rest.
    """
    size = sum(block.total_count for block in rs_blocks(version, ERROR_CORRECT_M))
    blank = _put(version, bytes(size))
    places = [0] * len(blank)
    for power in range((8 * size).bit_length()):
        asked = "".join(str(number >> power & 1) for number in range(1, 8 * size + 1))
        for at, dark in enumerate(_put(version, int(asked, 2).to_bytes(size, "big"))):
            places[at] |= (dark ^ blank[at]) << power
    return _Pattern(int.from_bytes(bytes(ord("0") + dark for dark in blank), "big"), itemgetter(*places))


def _put(version: int, words: bytes) -> bytes:
    """The modules of a code with these codewords, as qrcode puts them: 1 is dark."""
    code: Any = QRCode(version, ERROR_CORRECT_M, mask_pattern=_MASK, border=0)  # qrcode has few types
    code.data_cache = words
    code.make(fit=False)
    return bytes(bool(dark) for row in code.modules for dark in row)


def _with_correction(words: bytes, blocks: Sequence[RSBlock]) -> bytes:
    """Codewords in blocks, each with its error correction, and interleaved (ISO/IEC 18004, 7.5 and 7.6).

    qrcode's own division takes as long as all the rest, and fails where a block is all zeros.
    """
    rest = iter(words)
    data = [bytes(islice(rest, block.data_count)) for block in blocks]
    correction = [
        _remainder(part, block.total_count - block.data_count) for part, block in zip(data, blocks, strict=True)
    ]
    return bytes(
        word for parts in (data, correction) for column in zip_longest(*parts) for word in column if word is not None
    )


def _remainder(data: bytes, count: int) -> bytes:
    """The Reed-Solomon words of a block: what is left when it is divided by the generator, a byte a step."""
    multiples, rest, top, low = _multiples(count), 0, 8 * (count - 1), (1 << 8 * (count - 1)) - 1
    for byte in data:
        rest = (rest & low) << 8 ^ multiples[byte ^ rest >> top]
    return rest.to_bytes(count, "big")


@cache
def _multiples(count: int) -> tuple[int, ...]:
    """The generator of so many words, without its leading 1, times each element of the field."""
    generator = [1]
    for power in range(count):  # times x + 2 ** power
        moved = [_times(word, gexp(power)) for word in generator]
        generator = [one ^ other for one, other in zip([*generator, 0], [0, *moved], strict=True)]
    return tuple(int.from_bytes(bytes(_times(word, by) for word in generator[1:]), "big") for by in range(256))


def _times(one: int, other: int) -> int:
    return gexp(glog(one) + glog(other)) if one and other else 0


def _bits(parts: Sequence[tuple[int, str]], group: int) -> str:
    """The segments as bits, each with its mode and its count (ISO/IEC 18004, 7.4.2 to 7.4.5)."""
    modes = {mode.number: mode for mode in _MODES}
    return "".join(
        f"{number:04b}{len(part):0{modes[number].count_bits[group]}b}{''.join(_CHUNKS[number](part))}"
        for number, part in parts
    )


def _numeric(part: str) -> Iterator[str]:
    """Ten bits for three digits, seven for two, four for one."""
    for at in range(0, len(part), 3):
        chunk = part[at : at + 3]
        yield f"{int(chunk):0{1 + 3 * len(chunk)}b}"


def _alphanumeric(part: str) -> Iterator[str]:
    """Eleven bits for two characters, six for one."""
    values = [_VALUES[char] for char in part]
    for first, second in zip(values[::2], values[1::2], strict=False):
        yield f"{45 * first + second:011b}"
    if len(values) % 2:
        yield f"{values[-1]:06b}"


def _octets(part: str) -> Iterator[str]:
    return (f"{octet:08b}" for octet in part.encode("ascii"))


_CHUNKS = {MODE_NUMBER: _numeric, MODE_ALPHA_NUM: _alphanumeric, MODE_8BIT_BYTE: _octets}


def segments(text: str, group: int = 0) -> list[tuple[int, str]]:
    """Split ASCII text into (mode, part), taking the fewest bits in versions of `group` (0: up to 9)."""
    return _joined(text, _modes_of(text.translate(_SHAPES), group))


@lru_cache(maxsize=8_192)
def _modes_of(text: str, group: int) -> tuple[int, ...]:
    """The mode of each character of a text, which stands for all whose characters are of the same kinds.

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
    return tuple(_walk_back(costs, came_from))


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
