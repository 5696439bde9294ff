"""SenML-CBOR packs: RFC 8428's own, every edge of a number, and nothing unresolved."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import cbor, senml
from ledger.errors import MalformedError
from ledger.senml import BN, BT, BU, BV, BVER, RELATIVE_BELOW, TIME_MAX, VB, VD, VS, N, Reading, S, T, U, V
from tests.cast import NOW, URN
from tests.hostile import NASTY, briefly, bytes_near, spoiled

BASE = f"{URN}:"

# RFC 8428, section 6: the pack of 5.1.3 in CBOR, as printed there.
RFC_PACK = bytes.fromhex(
    "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b0010622361412005006776"
    "6f6c7461676501615602fb405e066666666666a3006763757272656e74062402fb3ff3333333333333a3006763757272656e"
    "74062302fb3ff4cccccccccccda3006763757272656e74062202fb3ff6666666666666a3006763757272656e74062102f93e"
    "00a3006763757272656e74062002fb3ff999999999999aa3006763757272656e74060002fb3ffb333333333333"
)


def _decode(*records: Any, now: float = NOW) -> list[Reading]:
    return list(senml.decode(cbor.encode(list(records)), now=now))


def test_the_rfcs_cbor_pack() -> None:
    """Seven readings, resolved as the RFC's section 5.1.4 resolves its like."""
    readings = senml.decode(RFC_PACK, now=0)
    time = 1276020076.001
    device = "urn:dev:ow:10e2073a0108006:"
    assert readings == (
        Reading(f"{device}voltage", "V", time, 120.1),
        Reading(f"{device}current", "A", time - 5, 1.2),
        Reading(f"{device}current", "A", time - 4, 1.3),
        Reading(f"{device}current", "A", time - 3, 1.4),
        Reading(f"{device}current", "A", time - 2, 1.5),
        Reading(f"{device}current", "A", time - 1, 1.6),
        Reading(f"{device}current", "A", time, 1.7),
    )


def test_the_rfcs_pack_of_many_types() -> None:
    """RFC 8428, 5.1.7: a number, a text, a truth value and bytes, under one base name."""
    readings = _decode(
        {BN: "urn:dev:ow:10e2073a01080063:", N: "temp", U: "Cel", V: 23.1},
        {N: "label", VS: "Machine Room"},
        {N: "open", VB: False},
        {N: "nfc-reader", VD: bytes.fromhex("8098e66f7628")},
    )
    assert [reading.value for reading in readings] == [23.1, "Machine Room", False, bytes.fromhex("8098e66f7628")]
    assert {reading.name.rpartition(":")[0] for reading in readings} == {"urn:dev:ow:10e2073a01080063"}
    assert {reading.time for reading in readings} == {float(NOW)}


def test_base_fields_hold_until_the_next() -> None:
    """Each base field is for its own record and those after it (RFC 8428, 4.1)."""
    readings = _decode(
        {BN: "a", BU: "V", BT: NOW, BV: 10, N: "x", V: 1},
        {V: 2, T: 1},
        {BN: "b", V: 3},
        {BU: "A", BV: -1, BT: NOW + 100, V: 4},
    )
    assert readings == [
        Reading("ax", "V", NOW, 11.0),
        Reading("a", "V", NOW + 1, 12.0),
        Reading("b", "V", NOW, 13.0),
        Reading("b", "A", NOW + 100, 3.0),
    ]


def test_a_base_value_is_for_numbers_only() -> None:
    """A text, a truth value and bytes stay what they are."""
    readings = _decode({BN: "a", BV: 10, VS: "x"}, {VB: True}, {VD: b"x"}, {V: 0})
    assert [reading.value for reading in readings] == ["x", True, b"x", 10.0]


@pytest.mark.parametrize(
    ("time", "resolved"),
    [
        (0, NOW),
        (-1, NOW - 1),
        (-0.5, NOW - 0.5),
        (60, NOW + 60),
        (RELATIVE_BELOW - 1, NOW + RELATIVE_BELOW - 1),
        (RELATIVE_BELOW, RELATIVE_BELOW),
        (RELATIVE_BELOW + 0.5, RELATIVE_BELOW + 0.5),
        (NOW, NOW),
        (TIME_MAX, TIME_MAX),
        (-NOW, 0),
    ],
)
def test_times_below_2_to_the_28_are_relative(time: float, resolved: float) -> None:
    """Relative to when the statement was signed; the others since 1970 (RFC 8428, 4.5.3)."""
    assert [reading.time for reading in _decode({N: "a", T: time, V: 1})] == [resolved]
    assert [reading.time for reading in _decode({N: "a", BT: time, V: 1})] == [resolved]
    assert [reading.time for reading in _decode({N: "a", BT: time - 1, T: 1, V: 1})] == [resolved]


@pytest.mark.parametrize(
    "record",
    [
        {T: TIME_MAX + 1},
        {T: -NOW - 1},
        {T: 2**64 - 1},
        {T: -(2**64)},
        {T: 1.7e308, BT: 1.7e308},
        {T: -1.7e308, BT: -1.7e308},
        {BT: 1.7e308},
        {T: math.nan},
        {T: math.inf},
        {T: -math.inf, BT: math.inf},
        {BT: math.nan},
        {T: True},
        {BT: False},
        {T: None},
        {T: "0"},
        {BT: b""},
        {BT: [0]},
    ],
)
def test_a_time_beyond_any_calendar_is_refused(record: dict[int, Any]) -> None:
    """As is what is no number at all."""
    with pytest.raises(MalformedError):
        _decode({N: "a", V: 1, **record})


@pytest.mark.parametrize("now", [0.0, -1.0, float(2**63), 1e300])
def test_whatever_the_clock_says(now: float) -> None:
    """A claimed signing time of any size gives a time in the calendar or MalformedError."""
    try:
        [reading] = _decode({N: "a", V: 1}, now=now)
    except MalformedError:
        assert not 0 <= now <= TIME_MAX
    else:
        assert reading.time == now


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        (0, 0.0),
        (-1, -1.0),
        (2**53, 2.0**53),
        (2**64 - 1, 2.0**64),
        (-(2**64), -(2.0**64)),
        (1.7976931348623157e308, 1.7976931348623157e308),
        (5e-324, 5e-324),
        (0.1, 0.1),
    ],
)
def test_numbers_become_doubles(value: float, resolved: float) -> None:
    """Integers of any size that CBOR holds, and every finite float."""
    [reading] = _decode({N: "a", V: value})
    assert type(reading.value) is float
    assert reading.value == resolved


@pytest.mark.parametrize(
    "record",
    [
        {V: math.nan},
        {V: math.inf},
        {V: -math.inf},
        {V: 1.7e308, BV: 1.7e308},
        {V: -1.7e308, BV: -1.7e308},
        {V: 1, BV: math.nan},
        {V: 1, BV: math.inf},
        {V: True},
        {V: False},
        {V: None},
        {V: "1"},
        {V: b"1"},
        {V: 1, BV: True},
        {V: 1, BV: "0"},
        {V: [1]},
        {VS: 1},
        {VS: b"x"},
        {VS: None},
        {VB: 0},
        {VB: 1},
        {VB: None},
        {VD: "x"},
        {VD: [1]},
    ],
)
def test_a_value_is_finite_and_of_its_labels_type(record: dict[int, Any]) -> None:
    """Also the sum of two finite numbers; True is not 1."""
    with pytest.raises(MalformedError):
        _decode({N: "a", **record})


def test_a_record_has_one_value_or_a_sum() -> None:
    """RFC 8428, 4.2: exactly one value, and none only beside a sum, which we pass over."""
    assert _decode({N: "a", S: 5}) == []
    assert [reading.value for reading in _decode({N: "a", S: 5, V: 1})] == [1.0]
    for record in ({N: "a"}, {}, {BN: "a"}, {N: "a", V: 1, VS: "x"}, {N: "a", V: 1, VB: True, S: 1}):
        with pytest.raises(MalformedError, match="one value"):
            _decode(record)


@pytest.mark.parametrize("name", ["a", "0", "A", "urn:dev:ow:10e2:", "a-b:c.d/e_f", "x" * 256])
def test_a_name_is_of_the_characters_that_names_have(name: str) -> None:
    """RFC 8428, 4.5.1; base name and name are one text."""
    assert _decode({N: name, V: 1})[0].name == name
    assert _decode({BN: name[:1], N: name[1:], V: 1})[0].name == name
    assert _decode({BN: name, V: 1})[0].name == name


@pytest.mark.parametrize(
    "name",
    ["", "-a", ":a", ".a", "/a", "_a", "a b", "a\x00", "\u00e9", "\u0661", "a\u0661", "a%", "x" * 257, 1, None, b"a"],
)
def test_other_names_are_refused(name: Any) -> None:
    """As is a name that is no text, wherever it stands."""
    for record in ({N: name, V: 1}, {BN: name, V: 1}):
        with pytest.raises(MalformedError, match="SenML name"):
            _decode(record)


@pytest.mark.parametrize("unit", ["x" * 33, "\u00b0C", "a\x00", "a\n", 1, None, b"V", ["V"]])
def test_a_unit_is_a_short_printable_text(unit: Any) -> None:
    """In its record and as a base."""
    for label in (U, BU):
        with pytest.raises(MalformedError, match="SenML unit"):
            _decode({N: "a", V: 1, label: unit})


@pytest.mark.parametrize("version", [11, 26, 2**63, True, 10.0, "10", None, -1])
def test_another_version_is_refused(version: Any) -> None:
    """A pack of a version that we do not know has features that we do not know (RFC 8428, 4.4; RFC 9100)."""
    with pytest.raises(MalformedError, match="version"):
        _decode({BVER: version, N: "a", V: 1})


def test_what_must_be_understood_and_is_not() -> None:
    """A label that ends in an underscore stops the reading; any other is passed over."""
    assert len(_decode({N: "a", V: 1, "ct": "60", 99: [1], 7: 5, -6: 1})) == 1
    with pytest.raises(MalformedError, match="must be understood"):
        _decode({N: "a", V: 1, "ct_": "60"})


@pytest.mark.parametrize("pack", [None, 1, {}, "x", b"", {N: "a", V: 1}, [[]], [1], [None], [{N: "a", V: 1}, "x"]])
def test_a_pack_is_an_array_of_maps(pack: Any) -> None:
    """Nothing else is."""
    with pytest.raises(MalformedError, match="SenML"):
        senml.decode(cbor.encode(pack), now=NOW)


def test_nothing_odd_in_any_place() -> None:
    """Each odd value in each place gives readings within their ranges, or MalformedError."""
    records = [{BN: BASE, BT: NOW, BU: "V", BV: 1, BVER: 10, N: "a", V: 1, T: 2}, {N: "b", VB: True, U: "A"}]
    for odd in spoiled(records):
        _check(cbor.encode(odd))


@settings(max_examples=300)
@given(bytes_near(RFC_PACK, cbor.encode([{BN: BASE, BT: NOW, BV: 1.7e308, N: "a", V: 1}])))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give readings that the tables can hold, or MalformedError."""
    _check(data)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """Bare, and as a record."""
    _check(data)
    _check(b"\x81" + data)


def _check(data: bytes) -> None:
    try:
        readings = senml.decode(data, now=NOW)
    except MalformedError:
        return
    for reading in readings:
        assert 0 <= reading.time <= TIME_MAX
        assert 0 < len(reading.name) <= 256 and reading.name.isascii()
        assert len(reading.unit) <= 32
        assert type(reading.value) in (float, str, bool, bytes)
        assert not isinstance(reading.value, float) or math.isfinite(reading.value)


def test_a_pack_of_one_device_is_small() -> None:
    """Its name, its time and its units are said once; an integral value takes a byte."""
    readings = [Reading(f"{BASE}t", "Cel", NOW + n, float(n)) for n in range(3)]
    body = senml.encode(readings, base_name=BASE)
    assert cbor.decode_canonical(body) == [
        {BN: BASE, BT: NOW, N: "t", U: "Cel", V: 0},
        {N: "t", U: "Cel", T: 1, V: 1},
        {N: "t", U: "Cel", T: 2, V: 2},
    ]
    assert senml.decode(body, now=0) == tuple(readings)


def test_a_pack_of_nothing_is_empty() -> None:
    """And reads back."""
    assert senml.decode(senml.encode([], base_name=BASE), now=0) == ()


def test_a_device_without_a_clock_gives_offsets() -> None:
    """Times at or before the signing come back relative to it."""
    readings = [Reading("t", "", -2.5, 1.0), Reading("t", "", 0.0, 2.0)]
    body = senml.encode(readings, base_name=BASE)
    assert [reading.time for reading in senml.decode(body, now=NOW)] == [NOW - 2.5, NOW]


@pytest.mark.parametrize(
    "reading",
    [
        Reading("t", "", NOW, math.nan),
        Reading("t", "", NOW, math.inf),
        Reading("t", "", math.nan, 1.0),
        Reading("t", "", math.inf, 1.0),
        Reading("t", "", 1e15, 1.0),
        Reading("t", "", NOW, 2**64),
        Reading("t t", "", NOW, 1.0),
        Reading("temp\u00e9rature", "", NOW, 1.0),
        Reading("t", "\u00b0C", NOW, 1.0),
    ],
)
def test_what_could_not_be_read_is_not_signed(reading: Reading) -> None:
    """Encoding refuses what decoding would."""
    with pytest.raises(MalformedError):
        senml.encode([Reading("ok", "", NOW, 1.0), reading], base_name=BASE)


_times = st.integers(RELATIVE_BELOW * 8, TIME_MAX * 8).map(lambda eighths: eighths / 8)
_values = st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.booleans() | st.binary()
_readings = st.builds(
    Reading,
    st.from_regex("[a-zA-Z0-9:./_-]{0,20}", fullmatch=True).map(BASE.__add__),
    st.sampled_from(["", "Cel", "%RH", "V"]),
    _times,
    _values,
)


@given(st.lists(_readings, max_size=5))
def test_encoding_and_decoding_are_inverse(readings: list[Reading]) -> None:
    """Every reading comes back: its name, unit, time, and value with its type."""
    found = senml.decode(senml.encode(readings, base_name=BASE), now=NOW)
    assert [(r.name, r.unit, r.time, r.value, type(r.value)) for r in found] == [
        (r.name, r.unit, r.time, r.value, type(r.value)) for r in readings
    ]
