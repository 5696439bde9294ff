"""A logistic unit, such as a pallet: its SSCC, and what is on it if that is all of one kind.

An SSCC (GS1 General Specifications, 2.2.1) is 18 digits: an extension digit, a company prefix, a serial reference that
the company gives, and a check digit.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from labels import gs1

SSCC_DIGITS, EXTENSIONS = 18, range(10)
PREFIX_DIGITS = range(4, 13)  # GS1 gives company prefixes of 4 to 12 digits

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Content:
    """What a unit holds, all of one kind: trade items of GTIN `gtin`, how many, and of which lot if that is one."""

    gtin: str
    count: int
    lot: str | None = None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """AIs and values: (02) and (37) go together, and (10) is of what (02) names."""
        return (("02", self.gtin), ("37", str(self.count)), *((("10", self.lot),) if self.lot else ()))


@dataclass(frozen=True, slots=True)
class Unit:
    """A logistic unit by its SSCC, and its content if that is known."""

    sscc: str
    content: Content | None = None

    def link(self, host: str) -> str:
        """Its Digital Link. It is not signed: a label key signs what GTINs name, and no SSCC has one in it."""
        return gs1.sscc(self.sscc).build(host)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """AIs and values, the SSCC's first."""
        return (("00", self.sscc), *(self.content.pairs if self.content else ()))

    @property
    def titled(self) -> tuple[tuple[str, str], ...]:
        """GS1's data titles, each with its value; Gs1Error if the pairs are no message of GS1's."""
        return tuple((title, value) for _, title, value in gs1.elements(self.pairs).titled)


def numbers(prefix: str, extension: int, first: int) -> Iterator[str]:
    """SSCCs of a company prefix and an extension digit, by their serial references from `first` up to the last."""
    digits = SSCC_DIGITS - 2 - len(prefix)
    for reference in range(first, 10**digits):
        body = f"{extension}{prefix}{reference:0{digits}}"
        yield body + gs1.check_digit(body)


def reference_of(sscc: str, prefix: str) -> int:
    """The serial reference in an SSCC of this company prefix."""
    return int(sscc[1 + len(prefix) : -1])
