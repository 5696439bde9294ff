"""How things are told to a person."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import words
from ledger import epcis


def event(kind: str = "ObjectEvent", action: str = "OBSERVE", **fields: Any) -> epcis.Event:
    """An event about a thing."""
    about = {"epcList": ["urn:x:1"]} if kind == "ObjectEvent" else {"parentID": "urn:x:2", "childEPCs": ["urn:x:1"]}
    times = {"eventTime": "2026-07-02T22:30:00Z", "eventTimeZoneOffset": "-08:00"}
    return epcis.read({"type": kind, "action": action, **times, **about, **fields})


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (event(bizStep="commissioning", action="ADD"), "Made"),
        (event(bizStep="https://ref.gs1.org/cbv/BizStep-shipping"), "Shipped"),
        (event(bizStep="urn:epcglobal:cbv:bizstep:receiving"), "Received"),
        (event(bizStep="cycle_counting"), "Cycle counting"),
        (event(bizStep="https://example.com/steps:freeze_drying"), "Freeze drying"),
        (event("AssociationEvent", "ADD", bizStep="installing"), "Sensor attached"),
        (event("AssociationEvent", "DELETE"), "Sensor taken off"),
        (event("AggregationEvent", "ADD"), "Packed"),
        (event("AggregationEvent", "DELETE"), "Unpacked"),
        (event(), "Seen"),
    ],
)
def test_a_step_has_a_plain_word(of: epcis.Event, told: str) -> None:
    """The CBV's word, however it is written, or what the event does."""
    assert words.title(of) == told


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"readPoint": {"id": "urn:x:1", "name": "Dock"}}, ("Dock", "urn:x:1")),
        ({"readPoint": {"id": "urn:x:1", "tallystick:place": "Dock"}}, ("Dock", "urn:x:1")),
        ({"bizLocation": {"id": "urn:x:1"}, "tallystick:place": "Dock"}, ("Dock", "urn:x:1")),
        ({"bizLocation": {"id": "urn:x:1", "name": ["Dock"]}}, ("", "urn:x:1")),
        ({"readPoint": "Dock"}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_a_place_has_a_name_and_an_identifier(document: dict[str, Any], told: tuple[str, str]) -> None:
    """The name where the event gives one, and always the identifier."""
    assert words.place(document) == told


def test_a_moment_is_told_where_it_happened() -> None:
    """In the event's own zone, which is named."""
    assert words.moment(1_783_031_400.0, "-08:00") == "2 Jul 2026, 14:30 (UTC\N{MINUS SIGN}08:00)"
    assert words.moment(1_783_031_400.0) == "2 Jul 2026, 22:30 (UTC)"
    assert words.iso(1_783_031_400.5) == "2026-07-02T22:30:00.500Z"


def test_a_span_names_its_clock_once() -> None:
    """Both ends on one clock."""
    told = words.span(1_783_031_400.0, 1_783_035_000.0, "+05:30")
    assert told == "3 Jul 2026, 04:00 to 3 Jul 2026, 05:00 (UTC+05:30)"
    assert words.span(0.0, 3600.0, "+00:00") == "1 Jan 1970, 00:00 to 1 Jan 1970, 01:00 (UTC)"


def test_when_a_replay_was_recorded_is_told_as_all_times_are() -> None:
    """On the recorder's clock; a note of any other form stands as it was signed."""
    note = "recorded 2010-07-01T00:00-08:00 to 2010-07-02T23:00-08:00 by NOAA, Seattle; replayed"
    told = "recorded 1 Jul 2010, 00:00 to 2 Jul 2010, 23:00 (UTC\N{MINUS SIGN}08:00) by NOAA, Seattle; replayed"
    assert words.replayed(note) == told
    for other in (
        "recorded 2010 by NOAA; replayed",
        note.replace("-07-02", "-13-02"),
        note.replace("-08:00", "-99:00"),
        note.replace("-08:00", "-08:00", 1).replace("23:00-08:00", "23:00-07:00"),
    ):
        assert words.replayed(other) == other


def test_identifiers_are_told_as_gs1_has_them_read() -> None:
    """A key and its value; what is not GS1's stands as it is."""
    assert words.thing("https://id.gs1.org/00/095060001343520017") == "(00) 095060001343520017"
    assert words.kind("https://id.gs1.org/00/095060001343520017") == "shipping unit"
    assert words.thing("urn:x:1") == "urn:x:1" and words.kind("urn:x:1") == "container"


@given(st.text())
def test_outside_text_stays_on_its_line(text: str) -> None:
    """No control character, line break or change of direction passes, and no length."""
    told = words.clipped(text)
    assert told.isprintable() and len(told) <= words.TEXT_MAX


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["+14:00", "-13:59", "+00:00"]))
def test_any_moment_can_be_told(time: float, offset: str) -> None:
    """Even beyond the calendar."""
    assert words.moment(time, offset) and words.iso(time)
