"""The digits of GS1 keys in identifiers: what a writer checks before it signs an event.

Readers do not: an identifier is any URI to them, and what was signed stays as it is. A Digital Link holds a key with
its check digit (GS1 Digital Link URI Syntax 1.6, 4); an EPC URN holds it without (EPC Tag Data Standard, 6.3), so that
only the number of its digits can be wrong.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from ledger.epcis import Event
from ledger.errors import MalformedError

# By application identifier: how many digits a key has, the last of them its check digit.
_DIGITS = {
    "00": 18, "01": 14, "253": 13, "255": 13, "402": 17, "414": 13, "417": 13, "8003": 14, "8006": 14, "8017": 18,
    "8018": 18,
}  # fmt: skip
_GO_ON = frozenset({"253", "255", "8003", "8006"})  # a serial follows in the same value
_URN = re.compile(r"urn:epc:(?:id|class|idpat):([a-z]+):([0-9]+)\.([0-9]*)(?:\.|$)")
_URN_DIGITS = {"sgtin": 13, "lgtin": 13, "sscc": 17, "sgln": 12, "grai": 12, "gdti": 12, "gsrn": 17, "gsrnp": 17}


def check_digit(digits: str) -> str:
    """The digit that completes ASCII digits (GS1 General Specifications, 7.9.1): weights 3, 1, 3, … from the right."""
    total = 3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)


def require_check_digits(event: Event) -> None:
    """Raise MalformedError if a key in one of the event's identifiers cannot be one of GS1's."""
    for uri in _identifiers(event):
        if uri.lower().startswith(("http://", "https://")):
            _check_link(uri)
        elif urn := _URN.match(uri):
            _check_urn(uri, urn[1], len(urn[2] + urn[3]))


def _identifiers(event: Event) -> Iterator[str]:
    """What the event is about, and where."""
    yield from event.epcs
    yield from (uri for uri in (event.parent, event.read_point, event.biz_location) if uri is not None)
    for name in ("quantityList", "childQuantityList"):
        yield from (str(quantity["epcClass"]) for quantity in event.document.get(name) or ())


def _check_link(uri: str) -> None:
    segments = re.split("[?#]", uri)[0].split("/")[3:]
    for ai, value in pairwise(segments):
        size = _DIGITS.get(ai, 0)
        key = value[:size]
        is_key = len(key) == size and re.fullmatch("[0-9]+", key) and (len(value) == size or ai in _GO_ON)
        if is_key and key[-1] != check_digit(key[:-1]):
            raise MalformedError(f"({ai}) {key} has a wrong check digit: {check_digit(key[:-1])} would be right")


def _check_urn(uri: str, kind: str, count: int) -> None:
    right = _URN_DIGITS.get(kind, count)
    if count != right:
        raise MalformedError(f"{uri[:80]!r}: company prefix and reference have {count} digits, not {right} together")
