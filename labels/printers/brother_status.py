"""What a Brother QL printer says of itself in 32 bytes (Brother's Raster Command Reference, status information)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from ledger.errors import MalformedError

ASK = b"\x1biS"
BYTES = 32
_HEAD = b"\x80\x20B"
_FAULTS_1 = (
    "no labels are in it",
    "it is out of labels",
    "its cutter is jammed",
    "its battery is weak",
    "it is in use",
    "it has been switched off",
    "its power supply has too high a voltage",
    "its fan does not turn",
)
_FAULTS_2 = (
    "other labels are in it than were asked for",
    "its memory is full",
    "what was sent did not arrive whole",
    "its buffer is full",
    "its cover is open",
    "its cancel button was pressed, or it is too hot",
    "it cannot feed its labels",
    "it has a fault of its own",
)


class Kind(IntEnum):
    """Why it says so: the status type."""

    ANSWER = 0
    PRINTED = 1
    ERROR = 2
    EXITED = 3
    SWITCHED_OFF = 4
    NOTICE = 5
    PHASE = 6


class Media(IntEnum):
    """What is in it, as a status and a print command name it."""

    NONE = 0
    CONTINUOUS = 0x0A
    DIE_CUT = 0x0B


_MEDIA = {0x4A: Media.CONTINUOUS, 0x4B: Media.DIE_CUT} | {kind.value: kind for kind in Media}  # newer ones add 0x40


@dataclass(frozen=True, slots=True)
class BrotherStatus:
    """A printer's state. Lengths are millimetres; those of a continuous roll are 0."""

    kind: Kind
    faults: tuple[str, ...]
    media: Media
    width_mm: int
    length_mm: int
    printing: bool

    @classmethod
    def parse(cls, answer: bytes) -> Self:
        """Read the 32 bytes; MalformedError if they are no status."""
        if len(answer) != BYTES or not answer.startswith(_HEAD):
            raise MalformedError(f"{answer[:8].hex()}… is no status of a Brother QL")
        if answer[11] not in _MEDIA or answer[18] not in list(Kind) or answer[19] > 1:
            raise MalformedError(f"a status of a Brother QL says what none does: {answer.hex()}")
        return cls(
            Kind(answer[18]),
            _named(answer[8], _FAULTS_1) + _named(answer[9], _FAULTS_2),
            _MEDIA[answer[11]],
            answer[10],
            answer[17],
            answer[19] == 1,
        )

    @property
    def loaded(self) -> str:
        """What is in it: `62 mm continuous`, `29x90 mm`."""
        if self.media is Media.NONE:
            return "nothing"
        length = " mm continuous" if self.media is Media.CONTINUOUS else f"x{self.length_mm} mm"
        return f"{self.width_mm}{length}"


def _named(bits: int, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for bit, word in enumerate(words) if bits >> bit & 1)
