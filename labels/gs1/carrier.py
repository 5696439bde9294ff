"""What readers transmit: a symbology identifier (ISO/IEC 15424, GS1 General Specifications, 5.1.2) before the message.

]C1 GS1-128 · ]e0 GS1 DataBar and composites · ]d2 GS1 DataMatrix · ]Q3 GS1 QR Code · ]J1 GS1 DotCode
]E0 EAN-13, UPC-A and UPC-E, 13 digits · ]E4 EAN-8 · ]I1 ITF-14
]d1 DataMatrix · ]Q1 QR Code · ]J0 DotCode, which hold a GS1 Digital Link, or something that is not GS1's
"""

from labels.gs1 import digital_link, element_string
from labels.gs1.elements import Elements, of_fields
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.gtin import gtin_fields

ELEMENT_STRINGS = frozenset({"C1", "e0", "d2", "Q3", "J1"})
PLAIN = frozenset({"d1", "Q1", "J0"})
GTIN_DIGITS = {"E0": 13, "E4": 8, "I1": 14}
_COMPOSITE = "|]e0"


def parse(text: str) -> Elements:
    """Read what a reader transmitted, or raise Gs1Error and nothing else."""
    kind = text[1:3]
    if text.startswith("]") and kind in ELEMENT_STRINGS:
        return of_fields(element_string.fields(text, 3))
    if text.startswith("]") and kind in GTIN_DIGITS:
        return _of_ean(text, GTIN_DIGITS[kind])
    if text.startswith("]") and kind in PLAIN:
        return _of_link(text)
    raise Gs1Error(Rule.CARRIER, f"{excerpt(text[:3])} is no symbology identifier of GS1's")


def _of_ean(text: str, digits: int) -> Elements:
    """A GTIN, and the element string of a composite component beside it."""
    end = 3 + digits
    composite = text.startswith(_COMPOSITE, end)
    fields = gtin_fields(text[3:end] if composite else text[3:], digits, place=3)
    if composite:
        fields += element_string.fields(text, end + len(_COMPOSITE))
    return of_fields(fields)


def _of_link(text: str) -> Elements:
    try:
        return digital_link.parse(text[3:]).elements
    except Gs1Error as error:
        raise error.moved(3) from None
