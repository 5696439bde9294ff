"""What readers transmit: a symbology identifier (ISO/IEC 15424, GS1 General Specifications, 5.1.2) before the message.

]C1 GS1-128 · ]e0 GS1 DataBar and composites · ]d2 GS1 DataMatrix · ]Q3 GS1 QR Code · ]J1 GS1 DotCode
]E0 EAN-13, UPC-A and UPC-E, 13 digits · ]E4 EAN-8 · ]I1 ITF-14
]d1 DataMatrix · ]Q1 QR Code · ]J0 DotCode, which hold a GS1 Digital Link, or something that is not GS1's
"""

from labels.gs1 import digital_link, element_string, gtin
from labels.gs1.elements import Elements, of_fields
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.pairs import Field

ELEMENT_STRINGS = frozenset({"C1", "e0", "d2", "Q3", "J1"})
PLAIN = frozenset({"d1", "Q1", "J0"})
GTIN_DIGITS = {"E0": 13, "E4": 8, "I1": 14}
_COMPOSITE = "|]e0"


def parse(text: str) -> Elements:
    """Read what a reader transmitted, or raise Gs1Error and nothing else."""
    return of_fields(fields(text))


def fields(text: str) -> list[Field]:
    """Its AIs, each good by itself, with the offsets of their values."""
    kind = text[1:3]
    if text.startswith("]") and kind in ELEMENT_STRINGS:
        return element_string.fields(text, 3)
    if text.startswith("]") and kind in GTIN_DIGITS:
        return _of_ean(text, GTIN_DIGITS[kind])
    if text.startswith("]") and kind in PLAIN:
        return _of_link(text)
    raise Gs1Error(Rule.CARRIER, f"{excerpt(text[:3])} is no symbology identifier of GS1's")


def _of_ean(text: str, digits: int) -> list[Field]:
    """A GTIN, and the element string of a composite component beside it."""
    end = 3 + digits
    composite = text.startswith(_COMPOSITE, end)
    found = gtin.fields(text[3:end] if composite else text[3:], digits, place=3)
    return found + (element_string.fields(text, end + len(_COMPOSITE)) if composite else [])


def _of_link(text: str) -> list[Field]:
    try:
        found = digital_link.fields(text[3:])
    except Gs1Error as error:
        raise error.moved(3) from None
    return [(ai, value, place + 3) for ai, value, place in found]
