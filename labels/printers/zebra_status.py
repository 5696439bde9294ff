"""What a printer says to ~HS, its host status (Zebra's ZPL II Programming Guide): three lines between STX and ETX.

030,0,0,1245,000,0,0,0,000,0,0,0      paper out, pause, …, formats in the buffer, buffer full, partial format, …
001,0,0,0,1,2,6,0,00000000,1,000      head up, ribbon out, …, labels remaining in the batch, …
1234,0
"""

import re
from dataclasses import dataclass
from typing import Self

from ledger.errors import MalformedError

ASK = b"~HS"
LINES = 3
ANSWER_BYTES_MAX = 512  # it is about 85 long
_LINE = re.compile(rb"[\r\n]*\x02([ -~]*)\x03[\r\n]*")
_FIELDS = (12, 11, 2)
_COUNT = re.compile(r"[0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class ZebraStatus:
    """A printer's state. `formats` are labels in its buffer, `remaining` those of the batch that it prints."""

    formats: int
    remaining: int
    partial_format: bool = False
    buffer_full: bool = False
    paused: bool = False
    paper_out: bool = False
    ribbon_out: bool = False
    head_open: bool = False
    too_cold: bool = False
    too_hot: bool = False
    memory_lost: bool = False

    @classmethod
    def parse(cls, answer: bytes) -> Self:
        """Read an answer, all of it; MalformedError if it is none."""
        first, second, _ = _lines(answer)
        return cls(
            formats=_count(first[4]),
            remaining=_count(second[8]),
            partial_format=_flag(first[7]),
            buffer_full=_flag(first[5]),
            paused=_flag(first[2]),
            paper_out=_flag(first[1]),
            ribbon_out=_flag(second[3]),
            head_open=_flag(second[2]),
            too_cold=_flag(first[10]),
            too_hot=_flag(first[11]),
            memory_lost=_flag(first[9]),
        )

    @property
    def idle(self) -> bool:
        """Whether it has nothing left to print."""
        return not (self.formats or self.remaining or self.partial_format)

    @property
    def faults(self) -> tuple[str, ...]:
        """What keeps it from printing, in plain words."""
        told = {
            "the head is open": self.head_open,
            "it is out of labels": self.paper_out,
            "it is out of ribbon": self.ribbon_out,
            "it is paused": self.paused,
            "its head is too hot": self.too_hot,
            "its head is too cold": self.too_cold,
            "its memory has lost its settings": self.memory_lost,
        }
        return tuple(words for words, holds in told.items() if holds)


def is_whole(answer: bytes) -> bool:
    """Whether all lines are there, or more than any printer says."""
    return answer.count(b"\x03") >= LINES or len(answer) > ANSWER_BYTES_MAX


def _lines(answer: bytes) -> list[list[str]]:
    if len(answer) > ANSWER_BYTES_MAX:
        raise MalformedError("a printer's status is short")
    found, at = [], 0
    while at < len(answer):
        line = _LINE.match(answer, at)
        if line is None:
            raise MalformedError("a line of a printer's status stands between STX and ETX")
        found.append(line[1].decode("ascii").split(","))
        at = line.end()
    if len(found) != LINES or any(len(line) < count for line, count in zip(found, _FIELDS, strict=True)):
        raise MalformedError("a printer's status has three lines of 12, 11 and 2 fields")
    return found


def _count(field: str) -> int:
    if not _COUNT.fullmatch(field.strip()):
        raise MalformedError(f"{field[:20]!r} is no count in a printer's status")
    return int(field)


def _flag(field: str) -> bool:
    if field.strip() not in ("0", "1"):
        raise MalformedError(f"{field[:20]!r} is no flag in a printer's status")
    return field.strip() == "1"
