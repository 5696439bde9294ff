"""Births: an agent asks for its receipts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor
from ledger.birth import BIRTH_BYTES_MAX, Birth
from ledger.errors import MalformedError
from tests.cast import DEVICE, STREAM
from tests.hostile import NASTY, briefly, bytes_near, spoiled

NONCE = bytes(16)
BIRTH = Birth(DEVICE.kid, NONCE, {0: (STREAM, 0), 1: (STREAM, 2**63 - 1)})

_heads = st.tuples(st.binary(min_size=8, max_size=8), st.integers(0, 2**63 - 1))


@given(st.dictionaries(st.sampled_from([0, 1]), _heads), st.binary(min_size=16, max_size=16))
def test_a_birth_reads_back(heads: dict[int, tuple[bytes, int]], nonce: bytes) -> None:
    """With a stream in no lane, in one, or in both."""
    birth = Birth(DEVICE.kid, nonce, heads)
    assert Birth.decode(birth.encode()) == birth


@pytest.mark.parametrize(
    "value",
    [
        [DEVICE.kid[:31], NONCE, {}],
        [DEVICE.kid, NONCE[:15], {}],
        [DEVICE.kid, NONCE, {2: [STREAM, 0]}],
        [DEVICE.kid, NONCE, {-1: [STREAM, 0]}],
        [DEVICE.kid, NONCE, {"0": [STREAM, 0]}],
        [DEVICE.kid, NONCE, {b"\0": [STREAM, 0]}],
        [DEVICE.kid, NONCE, {0: [STREAM, -1]}],
        [DEVICE.kid, NONCE, {0: [STREAM, 2**63]}],
        [DEVICE.kid, NONCE, {0: [STREAM, True]}],
        [DEVICE.kid, NONCE, {0: [STREAM, 1.0]}],
        [DEVICE.kid, NONCE, {0: [STREAM[:7], 0]}],
        [DEVICE.kid, NONCE, {0: None}],
        [DEVICE.kid, NONCE, []],
        [DEVICE.kid, NONCE],
        [DEVICE.kid, NONCE, {}, 1],
    ],
)
def test_what_is_no_birth_is_refused(value: Any) -> None:
    """Another lane, a seq that cannot be, a name of another length; True is not 1."""
    with pytest.raises(MalformedError, match="a birth"):
        Birth.decode(cbor.encode(value))


@pytest.mark.parametrize("key", [b"\xf4", b"\xf5", b"\xf9\x00\x00", b"\xf9\x3c\x00"])
def test_a_lane_is_no_bool_and_no_float(key: bytes) -> None:
    """Though Python would find them equal."""
    head = cbor.encode([STREAM, 0])
    with pytest.raises(MalformedError):
        Birth.decode(b"\x83" + cbor.encode(DEVICE.kid) + cbor.encode(NONCE) + b"\xa1" + key + head)


def test_a_birth_is_bounded() -> None:
    """Before it is parsed."""
    for data in (bytes(BIRTH_BYTES_MAX + 1), None, "x"):
        with pytest.raises(MalformedError, match="over its size"):
            Birth.decode(data)  # type: ignore[arg-type]


def _check(data: bytes) -> None:
    try:
        birth = Birth.decode(data)
    except MalformedError:
        return
    assert Birth.decode(birth.encode()) == birth
    assert all(type(lane) is int and cbor.is_count(seq) for lane, (_, seq) in birth.unconfirmed.items())


def test_nothing_odd_in_any_place() -> None:
    """Each odd value in each place is refused, or within its range."""
    for odd in spoiled(cbor.decode(BIRTH.encode())):
        _check(cbor.encode(odd))


@given(bytes_near(BIRTH.encode()))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give a birth that reads back, or MalformedError."""
    _check(data)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """None is a birth."""
    with pytest.raises(MalformedError):
        Birth.decode(data)
