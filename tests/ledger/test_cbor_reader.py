"""The strict reader, held against the deterministic encoder: it reads what that writes, and nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor
from ledger.cbor_reader import Reader
from ledger.errors import MalformedError

NUMBERS = [n + d for n in (0, 24, 2**8, 2**16, 2**32) for d in (-1, 0, 1) if n + d >= 0] + [2**64 - 1]
READ: dict[str, Callable[[Reader], object]] = {
    "uint": Reader.uint,
    "bytes": Reader.bytes,
    "text": Reader.text,
    "array": Reader.array,
}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_read_in_its_shortest_form_alone(number: int) -> None:
    """Each longer head of the same number is refused."""
    data = cbor.encode(number)
    reader = Reader(data)
    assert reader.uint() == number
    reader.end()
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        longer = bytes([info]) + (number % 2 ** (8 * size)).to_bytes(size)
        if longer != data:
            with pytest.raises(MalformedError):
                Reader(longer if number < 2 ** (8 * size) else b"").uint()


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 65_535, 65_536])
def test_strings_and_arrays_of_every_head(size: int) -> None:
    """Read whole, and refused when cut anywhere near their end."""
    for value in (bytes(size), "x" * size):
        data = cbor.encode(value)
        kind = "bytes" if isinstance(value, bytes) else "text"
        assert READ[kind](Reader(data)) == value
        for cut in {1, size, len(data)} - {0}:
            with pytest.raises(MalformedError):
                READ[kind](Reader(data[:-cut]))
    assert Reader(cbor.encode([None] * size)).array() == size


@given(st.binary(max_size=40), st.sampled_from(sorted(READ)))
def test_reading_is_total_and_strict(data: bytes, kind: str) -> None:
    """Any bytes give a value whose one encoding they begin with, or MalformedError."""
    reader = Reader(data)
    try:
        value = READ[kind](reader)
    except MalformedError:
        return
    encoded = cbor.array_head(value) if kind == "array" and isinstance(value, int) else cbor.encode(value)
    assert data.startswith(encoded) and reader.rest == data[len(encoded) :]


@pytest.mark.parametrize("kind", READ)
def test_another_type_is_refused(kind: str) -> None:
    """Each of every other major type, and an indefinite length."""
    wanted = {"uint": 0, "bytes": 2, "text": 3, "array": 4}[kind]
    for first in range(256):
        if first >> 5 != wanted or first & 31 > 27:
            with pytest.raises(MalformedError):
                READ[kind](Reader(bytes([first]) + b"\xff" * 9))


def test_what_is_expected_comes_or_is_named() -> None:
    """The error says what should have stood there; what is only skipped may be missing."""
    reader = Reader(b"\x82\xf6\x01")
    reader.expect(b"\x82", "a pair")
    assert not reader.skips(b"\x40") and reader.skips(b"\xf6")
    with pytest.raises(MalformedError, match="a null"):
        reader.expect(b"\xf6", "a null")
    with pytest.raises(MalformedError, match="after the end"):
        reader.end()
    assert reader.take(1) == b"\x01"
    reader.end()
    with pytest.raises(MalformedError, match="too early"):
        reader.take(1)
