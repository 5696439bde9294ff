"""ZPL II, the language of Zebra's label printers, as far as a label needs it (Zebra's ZPL II Programming Guide).

    ^XA^CI28^LH0,0^PW400^LL240          a label of 400 by 240 dots, its texts in UTF-8
    ^FO12,12^GFA,…^FS                   a picture at (12, 12): the symbol, dot by dot
    ^FT180,36^A0N,26,26^FH^FDTea^FS     a text in the printer's own scalable font, whose letters stand on (180, 36)
    ^PQ1^XZ                             once

A symbol goes as a picture, not as ^BQ or ^BC: so it is the very one that was decoded before it left, and a QR code has
the modes that make it small. A text holds nothing that a printer would obey: all but plain characters are escaped.
"""

import re
from collections.abc import Iterable

from labels.printers.dots import Dots

_PLAIN = re.compile(r"[A-Za-z0-9 ().:/-]")
_COUNTS = {20 * count: chr(ord("g") + count - 1) for count in range(1, 21)}
_COUNTS |= {count: chr(ord("G") + count - 1) for count in range(1, 20)}


def label(fields: Iterable[str], *, width: int, height: int) -> bytes:
    """A label of so many dots with these fields, printed once."""
    return "\n".join([f"^XA^CI28^LH0,0^PW{width}^LL{height}", *fields, "^PQ1^XZ", ""]).encode("ascii")


def picture(x: int, y: int, dots: Dots) -> str:
    """A picture whose upper left corner lies at (x, y)."""
    return f"^FO{x},{y}{graphic(dots)}^FS"


def text(x: int, y: int, size: int, words: str) -> str:
    """A line in the printer's scalable font, `size` dots high, whose letters begin at `x` and stand on `y`."""
    return f"^FT{x},{y}^A0N,{size},{size}^FH^FD{escaped(words)}^FS"


def centred(y: int, size: int, width: int, words: str) -> str:
    """A line in the middle of a label of so many dots, whose letters stand on `y`."""
    return f"^FT0,{y}^A0N,{size},{size}^FB{width},1,0,C^FH^FD{escaped(words)}^FS"


def frame(x: int, y: int, width: int, height: int) -> str:
    """A thin frame whose upper left corner lies at (x, y)."""
    return f"^FO{x},{y}^GB{width},{height},1^FS"


def escaped(words: str) -> str:
    """Text as ^FH takes it: what is not plain as the hexadecimal bytes of its UTF-8; a control character is a space."""
    return "".join(
        character if _PLAIN.match(character) else "".join(f"_{byte:02X}" for byte in character.encode())
        for character in ("�" if 0xD800 <= ord(c) < 0xE000 else c if c.isprintable() else " " for c in words)
    )


def graphic(dots: Dots) -> str:
    """^GF: the rows in hexadecimal digits, with Zebra's run lengths.

    Its other compression, Z64, makes a code of 1,500 characters one of 750, which a network does not feel; printers
    that are no Zebras and speak ZPL know the run lengths.
    """
    rows, before = [], b""
    for y in range(dots.height):
        row = dots.row(y)
        rows.append(":" if row == before else _compressed(row.hex().upper()))
        before = row
    total = dots.row_bytes * dots.height
    return f"^GFA,{total},{total},{dots.row_bytes},{''.join(rows)}"


def _compressed(digits: str) -> str:
    """A row: `,` fills it up with zeros and `!` with ones; a letter before a digit says how often it comes."""
    for fill, mark in (("0", ","), ("F", "!")):
        if digits.endswith(fill):
            return _runs(digits.rstrip(fill)) + mark
    return _runs(digits)


def _runs(digits: str) -> str:
    return "".join(_run(run[0][0], len(run[0])) for run in re.finditer(r"(.)\1*", digits))


def _run(digit: str, count: int) -> str:
    if count <= 2:
        return digit * count
    high, low = divmod(count, 20)
    return "z" * (high // 20) + _COUNTS.get(high % 20 * 20, "") + _COUNTS.get(low, "") + digit
