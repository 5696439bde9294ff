"""EPC URNs are looked up by the Digital Links that name the same things."""

import re

import pytest

from labels import gs1
from ledger import epc_urn, epcis

SGTIN, SSCC = "urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sscc:0614141.1234567890"


@pytest.mark.parametrize(
    ("urn", "path"),
    [
        (SGTIN, "/01/10614141073464/21/2017"),  # these two as EPCIS 2.0 has them
        (SSCC, "/00/106141412345678908"),
        (SGTIN.replace("urn:epc", "URN:EPC"), "/01/10614141073464/21/2017"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "/01/04012345123456/10/998877"),
        ("urn:epc:id:sgtin:4012345.012345.a:lgtin:b", "/01/04012345123456/21/a%3Algtin%3Ab"),  # an item's serial
        ("urn:epc:id:sgtin:950600.0134352.A%2FB%22-._", "/01/09506001343524/21/A%2FB%22-._"),
        ("urn:epc:id:sgtin:950600013435.9.a+b", "/01/99506000134355/21/a%2Bb"),
        ("urn:epc:id:sscc:950600013435.20001", "/00/295060001343500013"),
    ],
)
def test_a_urn_names_what_its_link_names(urn: str, path: str) -> None:
    """Indicator or extension, company prefix, the rest, the check digit; what a link does not take percent-encoded."""
    assert epc_urn.as_link(urn) == f"https://id.gs1.org{path}"


@pytest.mark.parametrize(
    "uri",
    [
        "", "https://id.gs1.org/01/10614141073464/21/2017", "urn:epc:id:sgln:0614141.07346.1234",
        "urn:epc:id:sgtin:0614141.10734.2017", "urn:epc:id:sgtin:0614141.107346.", "urn:epc:id:sgtin:0614141.107346",
        "urn:epc:id:sgtin:0614141.107346.a b", "urn:epc:id:sgtin:0614141.107346.a/b",
        "urn:epc:id:sgtin:0614141.107346.a%41", "urn:epc:id:sgtin:0614141.107346.%", f"{SGTIN}{'1' * 17}",
        "urn:epc:id:sgtin:06141.41107346.2017", "urn:epc:id:sgtin:\u0660614141.107346.2017",
        "urn:epc:id:\u017fgtin:0614141.107346.2017", "urn:epc:id:sgtin:0614141.107346.\u212a",
        "urn:epc:idpat:sgtin:0614141.107346.*", "urn:epc:id:sscc:0614141.123456789", f"{SSCC}\n", "urn:epc:tag:x",
    ],
)  # fmt: skip
def test_any_other_uri_names_itself(uri: str) -> None:
    """What is no such URN, or has too few digits, or a code that no link has."""
    assert epc_urn.as_link(uri) == uri


def test_an_event_is_about_the_same_things_by_their_links() -> None:
    """Each once, though it names one by both; the document stays as it was signed."""
    document = {
        "type": "AggregationEvent", "action": "ADD", "eventTime": "2026-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+00:00", "parentID": SSCC,
        "childEPCs": [SGTIN, epc_urn.as_link(SGTIN), "urn:x:1"],
    }  # fmt: skip
    event = epc_urn.by_links(epcis.read(document))
    assert (event.parent, event.epcs) == (epc_urn.as_link(SSCC), (epc_urn.as_link(SGTIN), "urn:x:1"))
    assert event.document == document


def test_labels_find_an_item_by_what_its_urn_is_looked_up_by() -> None:
    """Whatever characters a serial or a lot has (GS1's set 82), the link's identifier is the very same text."""
    code = "!\"%&'()*+,-./0:;<=>?Az_"
    for start in range(len(code)):
        part = (code[start:] + code)[:20]
        escaped = re.sub('["%&/<>?]', lambda found: f"%{ord(found[0]):02X}", part)
        item, lot = gs1.item("10614141073464", serial=part), gs1.item("10614141073464", lot=part)
        assert epc_urn.as_link(f"urn:epc:id:sgtin:0614141.107346.{escaped}") == item.epc
        assert epc_urn.as_link(f"urn:epc:class:lgtin:0614141.107346.{escaped}") == lot.epc
