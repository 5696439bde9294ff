"""EPC URNs and the GS1 Digital Links that name the same things (EPC Tag Data Standard, 6.3; CBV 2.0, 8.1).

EPCIS has both forms. A URN says where the company prefix ends and leaves the check digit out, so that the link follows
from it, and not the other way round. What was signed stays as it is: this is how it is looked up.
"""

import re
from dataclasses import replace
from urllib.parse import quote, unquote

from ledger.epcis import Event
from ledger.gs1_key import check_digit

_GS1 = "https://id.gs1.org"
_CODE = r"((?:[0-9A-Za-z!'()*+,.:;=_-]|%(?:2[256F]|3[CEF]))+)"  # GS3A3Component
_CASE = re.IGNORECASE | re.ASCII  # else a long s and a Kelvin sign are letters of it
_ITEM = re.compile(rf"urn:epc:(id:s|class:l)gtin:([0-9]{{6,12}})\.([0-9]{{1,7}})\.{_CODE}", _CASE)
_UNIT = re.compile(r"urn:epc:id:sscc:([0-9]{6,12})\.([0-9]{5,11})", _CASE)
_GTIN_DIGITS, _SSCC_DIGITS = 13, 17  # without the check digit
_CODE_CHARACTERS_MAX = 20


def as_link(uri: str) -> str:
    """The Digital Link, at GS1's own host, of an item's, a lot's or a logistic unit's EPC URN; else `uri` itself."""
    if uri[:8].lower() != "urn:epc:":
        return uri
    if (unit := _UNIT.fullmatch(uri)) and len(unit[1] + unit[2]) == _SSCC_DIGITS:
        return f"{_GS1}/00/{_key(unit[1], unit[2])}"
    if (item := _ITEM.fullmatch(uri)) and len(item[2] + item[3]) == _GTIN_DIGITS:
        code = unquote(item[4])
        if len(code) <= _CODE_CHARACTERS_MAX:
            ai = "21" if item[1].lower() == "id:s" else "10"
            return f"{_GS1}/01/{_key(item[2], item[3])}/{ai}/{quote(code, safe='')}"
    return uri


def by_links(event: Event) -> Event:
    """The same event, with what it is about named by Digital Links where it can be."""
    parent = None if event.parent is None else as_link(event.parent)
    return replace(event, parent=parent, epcs=tuple(dict.fromkeys(map(as_link, event.epcs))))


def _key(prefix: str, reference: str) -> str:
    """A GTIN or an SSCC: the reference's first digit, indicator or extension, goes before the company prefix."""
    digits = f"{reference[0]}{prefix}{reference[1:]}"
    return f"{digits}{check_digit(digits)}"
