"""CBOR at the border: total, strict, and one encoding a value."""

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger import cbor
from ledger.errors import MalformedError
from tests.hostile import NASTY, briefly, bytes_near, plain

# RFC 8949, appendix A: its examples of plain values in their preferred encoding.
APPENDIX_A: list[tuple[Any, str]] = [
    (0, "00"),
    (1, "01"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (0.0, "f90000"),
    (-0.0, "f98000"),
    (1.0, "f93c00"),
    (1.1, "fb3ff199999999999a"),
    (1.5, "f93e00"),
    (65504.0, "f97bff"),
    (100000.0, "fa47c35000"),
    (3.4028234663852886e38, "fa7f7fffff"),
    (1.0e300, "fb7e37e43c8800759c"),
    (5.960464477539063e-8, "f90001"),
    (0.00006103515625, "f90400"),
    (-4.0, "f9c400"),
    (-4.1, "fbc010666666666666"),
    (math.inf, "f97c00"),
    (math.nan, "f97e00"),
    (-math.inf, "f9fc00"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ([], "80"),
    ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    (
        {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"},
        "a56161614161626142616361436164614461656145",
    ),
]

# The rest of appendix A: tags, other simple values, indefinite lengths.
NOT_PLAIN = [
    "c249010000000000000000", "c349010000000000000000", "f7", "f0", "f8ff",
    "c074323031332d30332d32315432303a30343a30305a", "c11a514b67b0", "c1fb41d452d9e8200000", "d74401020304",
    "d818456449455446", "d82076687474703a2f2f7777772e6578616d706c652e636f6d", "5f42010243030405ff",
    "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff", "83018202039f0405ff", "bf61610161629f0203ffff",
    "826161bf61626163ff", "bf6346756ef563416d7421ff",
]  # fmt: skip


@pytest.mark.parametrize(("value", "encoded"), APPENDIX_A)
def test_the_rfcs_examples(value: Any, encoded: str) -> None:
    """RFC 8949's plain examples encode and decode as printed there, type for type."""
    assert cbor.encode(value).hex() == encoded
    found = cbor.decode_canonical(bytes.fromhex(encoded))
    assert repr(found) == repr(value)


@pytest.mark.parametrize("encoded", NOT_PLAIN)
def test_the_rfcs_examples_of_what_is_not_plain(encoded: str) -> None:
    """Tags, undefined, simple values and indefinite lengths are refused."""
    with pytest.raises(MalformedError):
        cbor.decode(bytes.fromhex(encoded))


def test_keys_are_in_the_order_of_their_bytes() -> None:
    """The example of RFC 8949, 4.2.1: not shorter keys first, as RFC 7049 had it."""
    keys = [10, 100, -1, "z", "aa"]
    encoded = cbor.encode(dict.fromkeys(reversed(keys), 0))
    assert encoded.hex() == "a50a001864002000617a0062616100"
    assert list(cbor.decode_canonical(encoded)) == keys
    with pytest.raises(MalformedError, match="one encoding"):
        cbor.decode_canonical(bytes.fromhex("a50a00200018640061" + "7a0062616100"))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("1800", 0),
        ("190018", 24),
        ("1a00000018", 24),
        ("1b0000000000000001", 1),
        ("3800", -1),
        ("5801ff", b"\xff"),
        ("780161", "a"),
        ("9800", []),
        ("b800", {}),
        ("fa3f800000", 1.0),
        ("fb3ff0000000000000", 1.0),
        ("a2616200616100", {"a": 0, "b": 0}),
    ],
)
def test_longer_forms_are_read_but_are_not_the_one_encoding(encoded: str, value: Any) -> None:
    """`decode` takes what `decode_canonical` refuses, if only the form differs."""
    with pytest.raises(MalformedError, match="one encoding"):
        cbor.decode_canonical(bytes.fromhex(encoded))
    assert cbor.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize("encoded", ["f97e01", "f9fe00", "fa7fc00000", "fb7ff8000000000000", "fb7ff0000000000001"])
def test_there_is_one_nan(encoded: str) -> None:
    """A NaN's payload could carry what nobody sees; only the half-precision quiet one is canonical."""
    assert math.isnan(cbor.decode(bytes.fromhex(encoded)))
    with pytest.raises(MalformedError, match="one encoding"):
        cbor.decode_canonical(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    ("encoded", "complaint"),
    [
        ("a201000100", "Duplicate"),
        ("a20100180100", "Duplicate"),
        ("a2616100616100", "Duplicate"),
        ("a26161007801610" + "0", "Duplicate"),
        ("a20100f500", "Duplicate"),
        ("a20100f93c0000", "Duplicate"),
        ("a20000f400", "Duplicate"),
        ("81a201000100", "Duplicate"),
        ("a1f500", "key"),
        ("a1f400", "key"),
        ("a1f600", "key"),
        ("a1f93c0000", "key"),
        ("a1f97e0000", "key"),
        ("a1800" + "0", "key"),
        ("a1a000", "key"),
        ("81a1f500", "key"),
    ],
)
def test_one_key_once_and_no_key_that_equals_another(encoded: str, complaint: str) -> None:
    """Two keys that Python, or the CBOR data model, would take for one are refused; so is what is no name."""
    with pytest.raises(MalformedError, match=complaint):
        cbor.decode(bytes.fromhex(encoded))


@pytest.mark.parametrize("encoded", ["0000", "8000", "a0f6", "40" + "00" * 5000, "6161ff"])
def test_all_bytes_are_consumed(encoded: str) -> None:
    """What follows the item is refused, near or far."""
    with pytest.raises(MalformedError, match="after the end"):
        cbor.decode(bytes.fromhex(encoded))


@pytest.mark.parametrize("depth", range(1, 20))
@pytest.mark.parametrize(("opens", "closes"), [(b"\x81", b"\x00"), (b"\xa1\x00", b"\x00")])
def test_nesting_is_bounded(depth: int, opens: bytes, closes: bytes) -> None:
    """As many arrays or maps inside each other as `depth_max` says, and no more."""
    cbor.decode_canonical(opens * depth + closes, depth_max=depth)
    for bound in (depth - 1, 1):
        if bound < depth:
            with pytest.raises(MalformedError, match="depth"):
                cbor.decode(opens * depth + closes, depth_max=bound)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """Lengths beyond memory, nesting beyond the stack, cycles, bad text: a value or MalformedError."""
    try:
        cbor.decode_canonical(data)
    except MalformedError:
        return
    assert data in (b"\xf6", bytes.fromhex("3bffffffffffffffff"), bytes.fromhex("f97e00"))


@given(bytes_near(*(bytes.fromhex(encoded) for _, encoded in APPENDIX_A)))
@example(b"\x9b\x00\x00\x00\x01\x00\x00\x00\x00")
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give a value whose one encoding reads back as itself, or MalformedError."""
    try:
        value = cbor.decode(data)
    except MalformedError:
        return
    encoded = cbor.encode(value)
    assert len(encoded) <= len(data)
    assert cbor.encode(cbor.decode_canonical(encoded)) == encoded


@given(bytes_near(*(bytes.fromhex(encoded) for _, encoded in APPENDIX_A)))
def test_a_canonical_item_re_encodes_to_its_bytes(data: bytes) -> None:
    """Two byte strings are never one value."""
    try:
        value = cbor.decode_canonical(data)
    except MalformedError:
        return
    assert cbor.encode(value) == data


@given(plain)
def test_encoding_and_decoding_are_inverse(value: Any) -> None:
    """Every plain value has an encoding, and comes back with its types."""
    assert repr(cbor.decode_canonical(cbor.encode(value))) == repr(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=cbor.encode)}
    return value


@given(st.integers(-(2**70), 2**70))
def test_a_count_is_what_postgresql_and_sqlite_hold(value: int) -> None:
    """A count is an integer from 0 to 2**63 - 1."""
    assert cbor.is_count(value) == (0 <= value <= 2**63 - 1)


@pytest.mark.parametrize("value", [True, False, None, 0.0, 1.0, "1", b"1", [], {}])
def test_nothing_else_is_a_count(value: Any) -> None:
    """Least of all a bool."""
    assert not cbor.is_count(value)


@pytest.mark.parametrize("key", ["x" * 100_000, b"x" * 100_000])
def test_long_keys_are_not_remembered(key: str | bytes) -> None:
    """Encodings of short keys are kept, for ours are few; garbage with long ones takes no memory that stays."""
    data = cbor.encode({"known": 1})
    kept = cbor._encoded_key.cache_info().currsize
    for number in range(10):
        cbor.decode_canonical(cbor.encode({key[number:]: {"known": 1}}))
    assert cbor._encoded_key.cache_info().currsize == kept
    assert cbor.decode_canonical(data) == {"known": 1}
