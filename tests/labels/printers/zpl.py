"""A reader of the ZPL that we write: its pictures and texts, as a printer takes them. It is not the writer's."""

import re
from dataclasses import dataclass

from labels.printers.dots import Dots

_PICTURE = re.compile(r"\^FO(\d+),(\d+)\^GFA,(\d+),(\d+),(\d+),([^^~]*)\^FS")
_TEXT = re.compile(r"\^FT(\d+),(\d+)\^A0N,(\d+),\3(?:\^FB(\d+),1,0,C)?\^FH\^FD([^^~]*)\^FS")
_FRAME = re.compile(r"\^FO\d+,\d+\^GB\d+,\d+,1\^FS")
_LABEL = re.compile(r"\^XA\^CI28\^LH0,0\^PW(\d+)\^LL(\d+)\n(.*?)\n\^PQ1\^XZ\n?", re.DOTALL)
_STEPS = {chr(ord("G") + n - 1): n for n in range(1, 20)} | {chr(ord("g") + n - 1): 20 * n for n in range(1, 21)}


@dataclass(frozen=True)
class Picture:
    """A picture at a place."""

    x: int
    y: int
    dots: Dots


@dataclass(frozen=True)
class Text:
    """A text that stands at a place."""

    x: int
    y: int
    size: int
    words: str


@dataclass(frozen=True)
class Label:
    """What a printer makes of a label."""

    width: int
    height: int
    fields: list[Picture | Text | None]

    @property
    def texts(self) -> list[str]:
        """What people read, from top to bottom."""
        lines = sorted((field for field in self.fields if isinstance(field, Text)), key=lambda text: text.y)
        return [line.words for line in lines]


def labels(data: bytes) -> list[Label]:
    """The labels in some ZPL, which has nothing else in it."""
    text, found, at = data.decode("ascii"), [], 0
    while at < len(text):
        label = _LABEL.match(text, at)
        assert label, text[at : at + 80]
        fields = [_field(line) for line in label[3].split("\n")]
        found.append(Label(int(label[1]), int(label[2]), fields))
        at = label.end()
    return found


def graphics(data: bytes) -> list[Dots]:
    """All pictures in some ZPL."""
    return [field.dots for label in labels(data) for field in label.fields if isinstance(field, Picture)]


def _field(line: str) -> Picture | Text | None:
    if text := _TEXT.fullmatch(line):
        words = re.sub(rb"_([0-9A-F]{2})", lambda digits: bytes([int(digits[1], 16)]), text[5].encode())
        return Text(int(text[1]), int(text[2]), int(text[3]), words.decode())
    if _FRAME.fullmatch(line):
        return None
    field = _PICTURE.fullmatch(line)
    assert field, line[:80]
    rows = _rows(field[6], 2 * int(field[5]))
    assert field[3] == field[4] == str(len(rows) * int(field[5]))
    dots = Dots(8 * int(field[5]), len(rows), bytes.fromhex("".join(rows)))
    return Picture(int(field[1]), int(field[2]), dots)


def _rows(data: str, digits: int) -> list[str]:
    """Zebra's run lengths: G to Y are 1 to 19, g to z 20 to 400; `,` and `!` fill a row up, and `:` repeats one."""
    rows: list[str] = []
    row, count = "", 0
    for character in data:
        if character in _STEPS:
            count += _STEPS[character]
        elif character in ",!":
            row = row.ljust(digits, "0" if character == "," else "F")
        elif character == ":":
            assert not row
            row = rows[-1]
        else:
            row += character * (count or 1)
            count = 0
        assert len(row) <= digits
        if len(row) == digits:
            rows.append(row)
            row = ""
    assert not row and not count
    return rows
