"""EPCIS events: GS1's own examples, every rule of an event, and nothing that JSON cannot hold."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import cbor, epcis
from ledger.epcis import BIZ_STEPS, BODY_BYTES_MAX, DISPOSITIONS, EPCS_MAX, SensorWindow
from ledger.errors import MalformedError
from tests.hostile import NASTY, briefly, bytes_near, spoiled

# The first event of GS1's example 9.6.1 and the event of 9.6.3 (EPCIS 2.0, 9.6).
OBJECT: dict[str, Any] = {
    "eventID": "ni:///sha-256;df7bb3c352fef055578554f09f5e2aa41782150ced7bd0b8af24dd3ccb30ba69?ver=CBV2.0",
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "bizStep": "shipping",
    "disposition": "in_transit",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sgtin:0614141.107346.2018"],
    "eventTime": "2005-04-03T20:33:31.116000-06:00",
    "eventTimeZoneOffset": "-06:00",
    "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
    "bizTransactionList": [{"type": "po", "bizTransaction": "http://transaction.acme.com/po/12345678"}],
}
AGGREGATION: dict[str, Any] = {
    "type": "AggregationEvent",
    "eventTime": "2013-06-08T14:58:56.591Z",
    "eventTimeZoneOffset": "+02:00",
    "parentID": "urn:epc:id:sscc:0614141.1234567890",
    "childEPCs": ["urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sgtin:0614141.107346.2018"],
    "action": "OBSERVE",
    "bizStep": "receiving",
    "disposition": "in_progress",
    "readPoint": {"id": "urn:epc:id:sgln:0614141.00777.0"},
    "bizLocation": {"id": "urn:epc:id:sgln:0614141.00888.0"},
    "childQuantityList": [
        {"epcClass": "urn:epc:idpat:sgtin:4012345.098765.*", "quantity": 10},
        {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200.5, "uom": "KGM"},
    ],
    "example:myField": {"@type": "example:x", "#text": "Example of a vendor/user extension"},
}
WINDOW = {
    "deviceID": "urn:epc:id:giai:4000001.111",
    "startTime": "2019-04-01T13:05:00Z",
    "endTime": "2019-04-02T13:55:00Z",
}
SENSED: dict[str, Any] = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2019-04-02T15:00:00.000+01:00",
    "eventTimeZoneOffset": "+01:00",
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0"},
    "sensorElementList": [
        {"sensorMetadata": WINDOW, "sensorReport": [{"type": "Temperature", "value": 26.0, "uom": "CEL"}]}
    ],
}
ASSOCIATION: dict[str, Any] = {
    "type": "AssociationEvent",
    "action": "ADD",
    "eventTime": "2019-11-01T14:00:00.000+01:00",
    "eventTimeZoneOffset": "+01:00",
    "parentID": "urn:epc:id:grai:4012345.55555.987",
    "childEPCs": ["urn:epc:id:giai:4000001.12345"],
    "bizStep": "assembling",
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00001.0"},
}
EVENTS = [OBJECT, AGGREGATION, SENSED, ASSOCIATION]


def _without(event: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in keys}


def _refused(event: Any, complaint: str) -> None:
    with pytest.raises(MalformedError, match=complaint):
        epcis.read(event)


@pytest.mark.parametrize("document", EVENTS)
def test_gs1s_examples_are_read(document: dict[str, Any]) -> None:
    """One to one: the document comes back as it was, through CBOR and through JSON."""
    event = epcis.decode(epcis.encode(document))
    assert event.document == document
    assert json.loads(json.dumps(event.document)) == document


def test_an_events_dimensions() -> None:
    """What, when, where and why, as the history reads them."""
    event = epcis.read(AGGREGATION)
    assert (event.type, event.action) == ("AggregationEvent", "OBSERVE")
    assert event.time == 1370703536.591
    assert event.parent == "urn:epc:id:sscc:0614141.1234567890"
    assert event.epcs == tuple(AGGREGATION["childEPCs"])
    assert (event.biz_step, event.disposition) == ("receiving", "in_progress")
    assert event.read_point == "urn:epc:id:sgln:0614141.00777.0"
    assert event.biz_location == "urn:epc:id:sgln:0614141.00888.0"
    assert event.sensors == ()
    assert epcis.read(SENSED).sensors == (SensorWindow("urn:epc:id:giai:4000001.111", 1554123900.0, 1554213300.0),)


def test_the_vocabularies_are_the_cbvs() -> None:
    """CBV 2.0 has 41 business steps and 33 dispositions."""
    assert (len(BIZ_STEPS), len(DISPOSITIONS)) == (41, 33)
    assert {"commissioning", "sensor_reporting", "sampling", "void_shipping"} <= BIZ_STEPS
    assert {"active", "completeness_inferred", "mismatch_quantity", "unknown"} <= DISPOSITIONS


@pytest.mark.parametrize("key", ["bizStep", "disposition"])
def test_a_word_is_the_cbvs_or_a_uri(key: str) -> None:
    """A misspelt word is a finding; a word of one's own is a URI."""
    for good in ("https://example.com/steps/blessing", "urn:x:y"):
        epcis.read({**OBJECT, key: good})
    epcis.read(_without(OBJECT, key))
    for bad in ("blessing", "Shipping", "", "a b:c", "x:\n", 1, ["shipping"], "x:" + "y" * 1000):
        _refused({**OBJECT, key: bad}, key)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T00:00:00+00:00", 0.0),
        ("1970-01-01T00:00:00-00:00", 0.0),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("1970-01-01T00:00:00.125Z", 0.125),
        ("1970-01-01T00:00:00.1250009Z", 0.125),
        ("1970-01-01T14:00:00+14:00", 0.0),
        ("1969-12-31T10:00:00-14:00", 0.0),
        ("2000-02-29T23:59:59Z", 951868799.0),
        ("0001-01-01T00:00:00Z", -62135596800.0),
        ("9999-12-31T23:59:59Z", 253402300799.0),
    ],
)
def test_an_event_time_is_a_moment(text: str, time: float) -> None:
    """Seconds since 1970, whatever its zone."""
    assert epcis.read({**OBJECT, "eventTime": text}).time == time


@pytest.mark.parametrize(
    "text",
    [
        "", "2005-04-03", "20050403T203331Z", "2005-W13-7T20:33:31Z", "2005-093T20:33:31Z", "2005-04-03T20:33:31",
        "2005-04-03 20:33:31Z", "2005-04-03t20:33:31z", "2005-04-03T20:33Z", "2005-04-03T20Z", "2005-04-03T203331Z",
        "2005-04-03T20:33:31,5Z", "2005-04-03T20:33:31.Z", "2005-04-03T20:33:31+0100", "2005-04-03T20:33:31+01",
        "2005-04-03T20:33:31+01:00:30", "2005-04-03T20:33:31+14:01", "2005-04-03T20:33:31+24:00",
        "2005-04-03T24:00:00Z", "2005-04-03T20:60:31Z", "2005-04-03T20:33:60Z", "2005-02-29T20:33:31Z",
        "2005-13-03T20:33:31Z", "2005-00-03T20:33:31Z", "2005-04-00T20:33:31Z", "0000-04-03T20:33:31Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "12005-04-03T20:33:31Z", "-2005-04-03T20:33:31Z",
        "\u0662\u0660\u0660\u0665-04-03T20:33:31Z", "2005-04-03T20:33:31Z\n", " 2005-04-03T20:33:31Z", None, 0, 1.5,
        True, ["x"],
    ],
)  # fmt: skip
def test_other_times_are_refused(text: Any) -> None:
    """What not all readers take, what has no zone, and what is in no calendar; also in a sensor's window."""
    _refused({**OBJECT, "eventTime": text}, "eventTime")
    if text is not None:
        _refused({**SENSED, "sensorElementList": [{"sensorMetadata": {**WINDOW, "startTime": text}}]}, "startTime")


@pytest.mark.parametrize("offset", ["+00:00", "-00:00", "+13:59", "-14:00", "+05:45"])
def test_a_zone_offset(offset: str) -> None:
    """±hh:mm, to 14 hours."""
    epcis.read({**OBJECT, "eventTimeZoneOffset": offset})


@pytest.mark.parametrize(
    "offset", ["", "Z", "00:00", "+14:01", "+15:00", "+1:00", "+01:60", "+\u0661\u0661:00", None, 0]
)
def test_other_zone_offsets_are_refused(offset: Any) -> None:
    """By the pattern of the JSON schema."""
    _refused({**OBJECT, "eventTimeZoneOffset": offset}, "eventTimeZoneOffset")


@pytest.mark.parametrize("key", ["type", "action", "eventTime", "eventTimeZoneOffset"])
def test_what_every_event_has(key: str) -> None:
    """Without it, it is none."""
    for event in EVENTS:
        _refused(_without(event, key), key)


@pytest.mark.parametrize(
    "kind", ["TransformationEvent", "TransactionEvent", "EPCISDocument", "objectevent", "", 1, None]
)
def test_a_type_is_one_that_we_read(kind: Any) -> None:
    """The others become findings."""
    _refused({**OBJECT, "type": kind}, "type")


@pytest.mark.parametrize("action", ["add", "REMOVE", "", 1, None, ["ADD"]])
def test_an_action_is_one_of_three(action: Any) -> None:
    """In capitals."""
    _refused({**OBJECT, "action": action}, "action")


def test_an_object_event_names_an_object() -> None:
    """By its EPC, its class, or by what was sensed at a place; never by a parent."""
    quantity = [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877"}]
    bare = _without(OBJECT, "epcList")
    for named in ({"quantityList": quantity}, {"sensorElementList": [{"sensorReport": [{"type": "Temperature"}]}]}):
        epcis.read({**bare, **named})
        epcis.read({**bare, "epcList": [], **named})
    lists: list[dict[str, Any]] = [{"epcList": []}, {"quantityList": []}, {"sensorElementList": []}]
    for unnamed in ({}, *lists, lists[0] | lists[1] | lists[2]):
        _refused({**bare, **unnamed}, "names no object")
    _refused({**OBJECT, "parentID": "urn:epc:id:sscc:0614141.1234567890"}, "no parentID")


def test_master_data_comes_with_add_only() -> None:
    """EPCIS 2.0, 7.4.2: ilmd describes what is made."""
    epcis.read({**OBJECT, "action": "ADD", "ilmd": {"lotNumber": "A1"}})
    for action in ("OBSERVE", "DELETE"):
        _refused({**OBJECT, "action": action, "ilmd": {"lotNumber": "A1"}}, "ilmd")


def test_an_aggregation_has_a_parent_and_children() -> None:
    """The parent may be unknown when only observed, the children unsaid when all go."""
    epcis.read(_without(AGGREGATION, "parentID"))
    epcis.read(_without(AGGREGATION, "childEPCs"))
    epcis.read(_without(AGGREGATION, "childQuantityList"))
    epcis.read({**_without(AGGREGATION, "childEPCs", "childQuantityList"), "action": "DELETE"})
    for action in ("ADD", "DELETE"):
        _refused({**_without(AGGREGATION, "parentID"), "action": action}, "has a parentID")
    for action in ("ADD", "OBSERVE"):
        childless = {**_without(AGGREGATION, "childEPCs", "childQuantityList"), "action": action}
        _refused(childless, "names its children")
        _refused({**childless, "childEPCs": [], "childQuantityList": []}, "names its children")


@pytest.mark.parametrize("action", ["ADD", "OBSERVE", "DELETE"])
def test_an_association_always_has_a_parent(action: str) -> None:
    """EPCIS 2.0, 7.4.6, unlike an aggregation."""
    epcis.read({**ASSOCIATION, "action": action})
    _refused({**_without(ASSOCIATION, "parentID"), "action": action}, "has a parentID")


@pytest.mark.parametrize(
    "epcs",
    [
        None,
        "urn:a:b",
        {"0": "urn:a:b"},
        ["urn:a:b", None],
        ["urn:a:b", "urn:a:b"],
        ["no-uri"],
        [""],
        ["urn:a b"],
        ["urn:\u00e9"],
        ["urn:a\n"],
        ["urn:" + "x" * 1000],
        [1],
        [["urn:a:b"]],
        [f"urn:x:{n}" for n in range(EPCS_MAX + 1)],
    ],
)
def test_epcs_are_a_list_of_distinct_uris(epcs: Any) -> None:
    """In an object event and as children."""
    _refused({**OBJECT, "epcList": epcs}, "epcList")
    _refused({**ASSOCIATION, "childEPCs": epcs}, "childEPCs")


@pytest.mark.parametrize("quantities", [1, "x", {}, [1], [{}], [{"epcClass": None}], [{"epcClass": "x"}], [[]]])
def test_quantities_are_a_list_of_classes(quantities: Any) -> None:
    """Something that is merely not empty names no object."""
    _refused({**_without(OBJECT, "epcList"), "quantityList": quantities}, "quantityList")
    _refused({**_without(AGGREGATION, "childEPCs"), "childQuantityList": quantities}, "childQuantityList")


@pytest.mark.parametrize("place", ["urn:a:b", {}, {"id": None}, {"id": "x"}, {"id": 1}, [], 1, True])
def test_a_place_is_an_object_with_an_id(place: Any) -> None:
    """Read point and business location alike."""
    for key in ("readPoint", "bizLocation"):
        _refused({**OBJECT, key: place}, key)


@pytest.mark.parametrize(
    "elements",
    [
        1,
        {},
        [1],
        [None],
        [{"sensorMetadata": 1}],
        [{"sensorMetadata": []}],
        [{"sensorReport": {}}],
        [{"sensorMetadata": {**WINDOW, "deviceID": "x"}}],
        [{"sensorMetadata": {**WINDOW, "endTime": "x"}}],
        [{"sensorMetadata": {**WINDOW, "startTime": WINDOW["endTime"], "endTime": WINDOW["startTime"]}}],
    ],
)
def test_a_sensor_element_is_whole(elements: Any) -> None:
    """A window of a device has a beginning and an end, in this order."""
    _refused({**SENSED, "sensorElementList": elements}, "sensor|deviceID|endTime")


@pytest.mark.parametrize("missing", WINDOW)
@pytest.mark.parametrize("as_null", [False, True])
def test_a_report_alone_names_no_readings(missing: str, as_null: bool) -> None:
    """Without device, start and end an element is kept in the document and read no further."""
    metadata = {**WINDOW, missing: None} if as_null else _without(WINDOW, missing)
    assert epcis.read({**SENSED, "sensorElementList": [{"sensorMetadata": metadata}]}).sensors == ()


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        (b"x", "JSON cannot"),
        ("a\x00b", "JSON cannot"),
        ({"a\x00": 1}, "JSON cannot"),
        ({1: "x"}, "JSON cannot"),
        ({b"x": 1}, "JSON cannot"),
        ([[{"deep": [b""]}]], "JSON cannot"),
        ("\ud800", "JSON cannot"),
        ({"\udfff": 1}, "JSON cannot"),
        ((1, 2), "JSON cannot"),
        (object(), "JSON cannot"),
        (math.nan, "not finite"),
        (math.inf, "not finite"),
        ([-math.inf], "not finite"),
        (2**64, "not plain"),
        (-(2**64) - 1, "not plain"),
    ],
)
def test_what_json_or_jsonb_cannot_hold_is_refused(extra: Any, complaint: str) -> None:
    """Anywhere in the document, and nobody signs it."""
    with pytest.raises(MalformedError, match=complaint):
        epcis.encode({**OBJECT, "example:x": extra})


@pytest.mark.parametrize("document", [None, 1, "x", b"", [], [OBJECT], True])
def test_an_event_is_an_object(document: Any) -> None:
    """Nothing else is."""
    _refused(document, "is an object")


def test_nesting_is_bounded_when_reading_and_when_writing() -> None:
    """The deepest document that can be signed is the deepest that can be read; no depth breaks the reader."""
    for depth in (15, 16, 17, 100_000):
        nested: Any = 1
        for _ in range(depth - 1):
            nested = [nested]
        document = {**OBJECT, "example:x": nested}
        if depth <= cbor.DEPTH_MAX:
            assert epcis.decode(epcis.encode(document)).document == document
        else:
            with pytest.raises(MalformedError, match="nested"):
                epcis.encode(document)


def test_an_event_is_bounded() -> None:
    """When reading and when writing."""
    with pytest.raises(MalformedError, match="over its size"):
        epcis.decode(bytes(BODY_BYTES_MAX + 1))
    with pytest.raises(MalformedError, match="over its size"):
        epcis.encode({**OBJECT, "example:x": "x" * BODY_BYTES_MAX})


@pytest.mark.parametrize("document", EVENTS)
def test_nothing_odd_in_any_place(document: dict[str, Any]) -> None:
    """Each odd value in each place gives an event that the tables can hold, or MalformedError."""
    for odd in spoiled(document):
        _check(cbor.encode(odd))


@settings(max_examples=300)
@given(bytes_near(*(cbor.encode(event) for event in EVENTS)))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give an event that is JSON and reads again, or MalformedError."""
    _check(data)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """None is an event."""
    with pytest.raises(MalformedError):
        epcis.decode(data)


def _check(data: bytes) -> None:
    try:
        event = epcis.decode(data)
    except MalformedError:
        return
    text = json.dumps(event.document, allow_nan=False)
    assert "\\u0000" not in text
    assert json.loads(text) == event.document
    assert epcis.decode(epcis.encode(event.document)) == event
    assert math.isfinite(event.time)
    uris = (*event.epcs, event.parent, event.read_point, event.biz_location, *(w.device for w in event.sensors))
    assert all(uri is None or (uri.isascii() and 0 < len(uri) <= 1000) for uri in uris)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.floats() | st.integers(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=9,
    )
)
def test_reading_is_total(extra: Any) -> None:
    """Any JSON value beside an event, or in its stead, is taken or gives MalformedError."""
    for document in (extra, {**OBJECT, "example:x": extra}, {**OBJECT, "readPoint": extra}):
        try:
            epcis.encode(document)
        except MalformedError:
            continue
