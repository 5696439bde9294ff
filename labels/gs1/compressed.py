"""Compressed GS1 Digital Links, read (GS1 Digital Link Standard 1.1, 3: Compression and decompression).

The last segment of the path is a string of bits in URL-safe base 64. AIs stand in it with four bits a digit, or a code
of eight bits stands for a usual sequence of them; then the values, as their formats say: digits as one binary number,
text with three bits that say how its characters are written, and its length where that varies. What is not GS1's has
a mark, 1111, and its name. GS1 makes no more such links; those on older labels are still read.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from labels.gs1.dictionary import AI_DIGITS, ENTRIES
from labels.gs1.pairs import Field, Pair

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_INDEX = {char: index for index, char in enumerate(_ALPHABET)}
_FOREIGN = 15
_PADDING_BITS_MAX = 7

# By the first and second four bits; what is not here stands for itself, digits of an AI.
_SEQUENCES = {
    "0A": "01 22", "0B": "01 10", "0C": "01 21", "0D": "01 17", "0E": "01 7003", "0F": "01 30",
    "1A": "01 10 21 17", "1B": "01 15", "1C": "01 11", "1D": "01 16", "1E": "01 91", "1F": "01 10 15",
    **{f"2{letter}": f"01 310{n}" for n, letter in enumerate("ABCDEF")},
    **{f"3{letter}": f"01 320{n}" for n, letter in enumerate("ABCDEF")},
    "9A": "8010 8011", "9B": "8017 8019", "9C": "8018 8019", "9D": "414 254",
    **{f"A{n}": f"01 392{n}" for n in range(10)},
    **{f"C{n}": f"255 390{n}" for n in range(10)},
    "CA": "255 3940", "CB": "255 3941", "CC": "255 3942", "CD": "255 3943",
}  # fmt: skip

# By three bits: the alphabet, and how many bits a character takes. Digits (0) are one number instead.
_DIGITS = 0
_ALPHABETS = {
    1: ("0123456789abcdef", 4),
    2: ("0123456789ABCDEF", 4),
    3: (_ALPHABET, 6),
    4: (bytes(range(128)).decode(), 7),
}


class NotCompressed(Exception):
    """A segment is no compressed message."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a value: digits or text, of `size` characters or, if that varies, of at most that."""

    digits: bool
    varies: bool
    size: int


def decode(segment: str, *, ordered: bool) -> tuple[list[Field], list[Pair]]:
    """The AIs, in the order of the bits, and the (name, value) pairs that are not GS1's.

    The place of an AI is the character of the segment in which its value begins.

    `ordered`: the values of a sequence stand in the order of their AIs, as GS1's toolkit writes them; else in the
    order of the standard's table. Raises NotCompressed unless the segment is of this form; values are not checked.
    """
    bits = _Bits(segment)
    found: list[Field] = []
    others: list[Pair] = []
    while bits.left > _PADDING_BITS_MAX:
        first = bits.take(4)
        if first == _FOREIGN:
            others.append(_foreign(bits))
        else:
            found += [_field(bits, ai) for ai in _ais(bits, first, ordered)]
    if bits.take(bits.left) or not found:
        raise NotCompressed
    return found, others


class _Bits:
    """A segment's bits, from the left."""

    def __init__(self, segment: str) -> None:
        try:
            sextets = [_INDEX[char] for char in segment]
        except KeyError:
            raise NotCompressed from None
        self._number = int("".join(f"{sextet:06b}" for sextet in sextets) or "0", 2)
        self._size = self.left = 6 * len(sextets)

    @property
    def character(self) -> int:
        """The character that has the next bit."""
        return (self._size - self.left) // 6

    def take(self, count: int) -> int:
        """The next bits, as a number."""
        if count > self.left:
            raise NotCompressed
        self.left -= count
        return (self._number >> self.left) & ((1 << count) - 1)


def _ais(bits: _Bits, first: int, ordered: bool) -> list[str]:
    """The AI, or the sequence of them, that begins with these four bits."""
    code = f"{first:X}{bits.take(4):X}"
    if code in _SEQUENCES:
        listed = _SEQUENCES[code].split()
        return sorted(listed) if ordered else listed
    more = AI_DIGITS.get(code, 0) - 2
    ai = code + "".join(f"{bits.take(4):X}" for _ in range(more))
    if ai not in ENTRIES:
        raise NotCompressed
    return [ai]


def _field(bits: _Bits, ai: str) -> Field:
    place = bits.character
    return ai, "".join(_part(bits, part) for part in _parts(ai)), place


def _part(bits: _Bits, part: _Part) -> str:
    coding = _DIGITS if part.digits else bits.take(3)
    size = bits.take(_length_bits(part.size)) if part.varies else part.size
    return _characters(bits, coding, size)


def _characters(bits: _Bits, coding: int, size: int) -> str:
    """So many characters, digits with their leading zeros."""
    if coding == _DIGITS:
        digits = str(bits.take(_digits_bits(size))).zfill(size) if size else ""
        if len(digits) > size:
            raise NotCompressed
        return digits
    if coding not in _ALPHABETS:
        raise NotCompressed
    alphabet, width = _ALPHABETS[coding]
    return "".join(alphabet[bits.take(width)] for _ in range(size))


def _foreign(bits: _Bits) -> Pair:
    """A pair that is not GS1's. Digits alone would name an AI, whose value nobody has checked."""
    name = _characters(bits, 3, bits.take(7))
    if not name or name.isdigit():
        raise NotCompressed
    coding = bits.take(3)
    return name, _characters(bits, coding, bits.take(7))


@cache
def _parts(ai: str) -> tuple[_Part, ...]:
    """How the standard splits a value: the components of the dictionary, joined where they are alike.

    Digits of a fixed number are one part, digits behind them that may be absent or vary another; so are characters,
    but those of a fixed number join what varies behind them.
    """
    return tuple(_split(ai))


def _split(ai: str) -> Iterator[_Part]:
    for digits, group in groupby(ENTRIES[ai].format.components, key=lambda component: component.kind == "N"):
        run = list(group)
        fixed = [part for part in run if part.shortest == part.longest and not part.optional]
        rest = [part for part in run if part not in fixed]
        if digits or not rest:
            yield from [_Part(digits, False, sum(part.longest for part in fixed))] * bool(fixed)
            yield from [_Part(digits, True, sum(part.longest for part in rest))] * bool(rest)
        else:
            yield _Part(digits, True, sum(part.longest for part in run))


def _length_bits(longest: int) -> int:
    """What a length takes: enough for `longest` itself."""
    return longest.bit_length()


def _digits_bits(count: int) -> int:
    """What so many digits take, as a binary number: a little more than is needed, for 59 of them."""
    return math.ceil(count * math.log2(10) + 0.01)
