"""Labels in the raster language of Brother's QL printers (Brother's Raster Command Reference, QL series).

A label goes line by line, as the print head lies across the roll: 720 dots at 300 dpi, or 1,296 on the wide printers.
Its first dot is the right edge's, so a row goes mirrored; between the edge and the label lie `offset` dots.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from labels.printers.brother_status import BrotherStatus, Media
from labels.printers.dots import Dots
from ledger.errors import UserError

DPI = 300
LENGTH_MIN = 150  # dots: a shorter piece of a continuous roll cannot be cut
_HEAD, _WIDE_HEAD = 720, 1296
_RESET = bytes(400) + b"\x1b@"  # so many zeros end whatever was half sent
_RASTER_MODE, _CUT_EACH = b"\x1bia\x01", b"\x1biM\x40\x1biA\x01"
_CUT_AT_END = b"\x1biK\x08"
_NEXT, _LAST = b"\x0c", b"\x1a"
_GIVEN = 0x80 | 0x40 | 0x04 | 0x02  # recovery, quality, width and kind
_GIVEN_LENGTH = 0x08


@dataclass(frozen=True, slots=True)
class Roll:
    """A roll of labels. `dots` can be printed across it and, of a die-cut label, along it; else that is 0."""

    name: str
    width_mm: int
    length_mm: int
    dots: tuple[int, int]
    offset: int
    wide: bool = False

    @property
    def media(self) -> Media:
        """What a printer calls it."""
        return Media.DIE_CUT if self.length_mm else Media.CONTINUOUS

    @property
    def margin(self) -> int:
        """What the printer feeds before and after a piece of a continuous roll: 3 mm, in dots."""
        return 0 if self.length_mm else 35

    def is_in(self, status: BrotherStatus) -> bool:
        """Whether a printer says that this is in it."""
        return (status.media, status.width_mm, status.length_mm) == (self.media, self.width_mm, self.length_mm)


def _roll(name: str, dots: tuple[int, int], offset: int, *, mm: tuple[int, int], wide: bool = False) -> Roll:
    return Roll(name, *mm, dots, offset, wide)


ROLLS = {
    roll.name: roll
    for roll in (
        _roll("12", (106, 0), 29, mm=(12, 0)),
        _roll("29", (306, 0), 6, mm=(29, 0)),
        _roll("38", (413, 0), 12, mm=(38, 0)),
        _roll("50", (554, 0), 12, mm=(50, 0)),
        _roll("54", (590, 0), 0, mm=(54, 0)),
        _roll("62", (696, 0), 12, mm=(62, 0)),
        _roll("102", (1164, 0), 56, mm=(102, 0), wide=True),
        _roll("17x54", (165, 566), 0, mm=(17, 54)),
        _roll("17x87", (165, 956), 0, mm=(17, 87)),
        _roll("23x23", (202, 202), 42, mm=(23, 23)),
        _roll("29x42", (306, 425), 6, mm=(29, 42)),
        _roll("29x90", (306, 991), 6, mm=(29, 90)),
        _roll("38x90", (413, 991), 12, mm=(38, 90)),
        _roll("39x48", (425, 495), 6, mm=(39, 48)),
        _roll("52x29", (578, 271), 0, mm=(52, 29)),
        _roll("62x29", (696, 271), 12, mm=(62, 29)),
        _roll("62x100", (696, 1109), 12, mm=(62, 100)),
        _roll("102x51", (1164, 526), 56, mm=(102, 51), wide=True),
        _roll("102x152", (1164, 1660), 56, mm=(102, 153), wide=True),
        _roll("103x164", (1200, 1822), 56, mm=(104, 164), wide=True),
    )
}


def roll_of(name: str) -> Roll:
    """A roll by its name, `62` or `29x90`; UserError if there is none."""
    try:
        return ROLLS[name.lower()]
    except KeyError:
        raise UserError(f"there is no roll {name!r} for a Brother QL", f"rolls are: {', '.join(ROLLS)}") from None


def job(pages: Iterable[Dots], roll: Roll) -> bytes:
    """A print job: each page, as large as the roll has room for, is a label, and is cut off."""
    encoded = [_page(page, roll, first=number == 0) for number, page in enumerate(pages)]
    return _RESET + _NEXT.join(encoded) + _LAST


def reset() -> bytes:
    """What makes a printer forget what was half sent."""
    return _RESET


def _page(page: Dots, roll: Roll, *, first: bool) -> bytes:
    if page.width != roll.dots[0] or (roll.dots[1] or page.height) != page.height:
        raise ValueError(f"{page.width} by {page.height} dots are no label of roll {roll.name}")
    given = _GIVEN | (_GIVEN_LENGTH if roll.length_mm else 0)
    head = bytes([given, roll.media, roll.width_mm, roll.length_mm]) + page.height.to_bytes(4, "little")
    settings = b"\x1biz" + head + bytes([0 if first else 1, 0]) + _CUT_EACH + _CUT_AT_END
    settings += b"\x1bid" + roll.margin.to_bytes(2, "little")
    return _RASTER_MODE + settings + b"".join(_line(page.row(y), page.width, roll) for y in range(page.height))


def _line(row: bytes, width: int, roll: Roll) -> bytes:
    """`g`, the number of bytes, and the row from its right end, behind the dots that lie beside the roll."""
    head = _WIDE_HEAD if roll.wide else _HEAD
    mirrored = f"{int.from_bytes(row):0{len(row) * 8}b}"[:width][::-1]
    bits = ("0" * roll.offset + mirrored).ljust(head, "0")
    return b"g\x00" + bytes([head // 8]) + int(bits, 2).to_bytes(head // 8)
