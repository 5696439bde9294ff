"""A GTIN by itself: GS1's plain syntax, 8, 12, 13 or 14 digits (GS1 General Specifications, 1.3)."""

from labels.gs1.dictionary import ENTRIES
from labels.gs1.elements import Elements, of_fields
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.pairs import Field

LENGTHS = frozenset({8, 12, 13, 14})
_GTIN = ENTRIES["01"].format


def parse(text: str) -> Elements:
    """Read a GTIN, or raise Gs1Error and nothing else."""
    if len(text) not in LENGTHS:
        raise Gs1Error(Rule.LENGTH, f"{excerpt(text)} has {len(text)} digits: a GTIN has 8, 12, 13 or 14", ai="01")
    return of_fields(fields(text, len(text), place=0))


def fields(digits: str, count: int, *, place: int) -> list[Field]:
    """(01) with the 14 digits that these stand for; Gs1Error unless there are `count`, and the last checks them."""
    if len(digits) != count:
        complaint = f"{excerpt(digits)} has {len(digits)} characters instead of {count}"
        raise Gs1Error(Rule.LENGTH, complaint, ai="01", place=place)
    padding = 14 - count
    if fault := _GTIN.fault("0" * padding + digits):
        raise Gs1Error(fault.rule, fault.complaint, ai="01", place=place + max(0, fault.at - padding))
    return [("01", "0" * padding + digits, place)]
