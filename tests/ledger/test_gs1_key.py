"""A writer's check of GS1 keys: wrong digits are found, and nothing that may be right is refused."""

from typing import Any

import pytest

from ledger import epcis
from ledger.errors import MalformedError
from ledger.gs1_key import check_digit, require_check_digits

LINK = "https://id.example.com"
GOOD = [
    f"{LINK}/01/09506000134352",
    f"{LINK}/01/09506000134352/10/01/21/00?s=123#x",
    f"{LINK}/shop/01/09506000134352/21/A",
    f"{LINK}/00/095060001343520000",
    f"{LINK}/8003/09506000134352SERIAL",
    f"{LINK}/orders/01/20260131",  # a date, not a key: a GTIN has 14 digits in a link
    f"{LINK}/01/0950600013435X",
    "urn:epc:id:sgtin:0614141.107346.2017",
    "urn:epc:class:lgtin:4012345.012345.998877",
    "urn:epc:id:sscc:0614141.1234567890",
    "urn:epc:id:sgln:0614141.07346.1234",
    "urn:epc:id:giai:4000001.111",
    "urn:uuid:0f9b3f2e-6d1f-4b1c-9a55-0d5d0c0e5a11",
]
BAD = [
    (f"{LINK}/01/09506000134353", r"\(01\) 09506000134353 has a wrong check digit: 2 would be right"),
    (f"{LINK.upper()}/01/09506000134353/21/A", "wrong check digit"),
    (f"{LINK}/00/095060001343520001", r"\(00\)"),
    (f"{LINK}/8003/09506000134353SERIAL", r"\(8003\) 09506000134353"),
    ("urn:epc:id:sgtin:0614141.10734.2017", "have 12 digits, not 13"),
    ("urn:epc:id:sscc:0614141.123456789", "have 16 digits, not 17"),
]
PLACES = ["epcList", "quantityList", "readPoint", "bizLocation"]


def event(place: str, uri: str) -> epcis.Event:
    """An event that names `uri` in one place."""
    value: Any = {"epcList": [uri], "quantityList": [{"epcClass": uri, "quantity": 1}]}.get(place, {"id": uri})
    head = {"type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00"}  # fmt: skip  # noqa: E501
    return epcis.read({"epcList": ["urn:uuid:1"], **head, place: value})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("uri", GOOD)
def test_what_may_be_right_passes(uri: str, place: str) -> None:
    """An identifier is any URI; only what must be a key of GS1's is counted and summed."""
    require_check_digits(event(place, uri))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("uri", "complaint"), BAD)
def test_a_slip_is_found_wherever_it_stands(uri: str, complaint: str, place: str) -> None:
    """A reader takes the same event: what is signed stays."""
    wrong = event(place, uri)
    with pytest.raises(MalformedError, match=complaint):
        require_check_digits(wrong)


def test_a_parent_is_checked() -> None:
    """A case is named by its parentID."""
    document = {**event("epcList", "urn:uuid:2").document, "type": "AggregationEvent", "childEPCs": ["urn:uuid:1"]}
    with pytest.raises(MalformedError, match="wrong check digit"):
        require_check_digits(epcis.read({**document, "parentID": f"{LINK}/00/095060001343520001"}))


@pytest.mark.parametrize(
    ("digits", "right"), [("629104150021", "3"), ("0950600013435", "2"), ("37610425002123456", "9")]
)
def test_check_digits_of_gs1s_own_examples(digits: str, right: str) -> None:
    """GS1 General Specifications, 7.9.1: a GTIN-13 and an SSCC; and GS1's demonstration GTIN."""
    assert check_digit(digits) == right
