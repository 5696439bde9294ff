"""Claims about the proof bundle's encoding. That it proves something is `test_verify`'s."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor
from ledger.errors import MalformedError
from ledger.proof.bundle import BUNDLE_BYTES_MAX, Anchoring, Bundle, ProvenEntry, RegistryPart

HASH = bytes(range(32))
ENTRY = ProvenEntry(7, b"statement", (b"section", None), (HASH, HASH))
GENESIS = ProvenEntry(0, b"genesis", (b"section",), (HASH,))
BUNDLE = Bundle(
    chain="production",
    entry=ENTRY,
    checkpoint="example.com/tallystick/production\n8\nroot\n\n— signature\n",
    header=b"header",
    consistency=(HASH,),
    anchor=Anchoring(3, (HASH, HASH), "anchor's note"),
    registry=RegistryPart("registry's note", (), (GENESIS,)),
)


def test_a_bundle_reads_as_it_was_written() -> None:
    """Decode is the inverse of encode, anchored or not."""
    for bundle in (BUNDLE, replace(BUNDLE, anchor=None)):
        assert Bundle.decode(bundle.encode()) == bundle


def _with(**fields: Any) -> bytes:
    return cbor.encode({**cbor.decode(BUNDLE.encode()), **fields})


def _without(name: str) -> bytes:
    return cbor.encode({key: value for key, value in cbor.decode(BUNDLE.encode()).items() if key != name})


@pytest.mark.parametrize("name", cbor.decode(BUNDLE.encode()))
def test_each_field_must_be_there(name: str) -> None:
    """A bundle has exactly its eight fields."""
    with pytest.raises(MalformedError, match="map of its eight fields"):
        Bundle.decode(_without(name))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"more": 1}, "eight fields"),
        ({"chain": b"production"}, "eight fields"),
        ({"checkpoint": b"note"}, "a signed note.s text"),
        ({"header": "header"}, "eight fields"),
        ({"tallystick-bundle": 2}, "version 2"),
        ({"tallystick-bundle": True}, "version True"),
        ({"consistency": b""}, "list of at most 128 hashes"),
        ({"consistency": [HASH] * 129}, "list of at most 128 hashes"),
        ({"consistency": [HASH[1:]]}, "not a hash of 32 bytes"),
        ({"entry": [7, b"", []]}, "entry is"),
        ({"entry": [7, b"", [1], []]}, "section is bytes or null"),
        ({"entry": [7, b"", [None] * 65, []]}, "entry is"),
        ({"entry": [7, bytes(65_536), [], []]}, "over its size"),
        ({"entry": [-1, b"", [], []]}, "index is a number"),
        ({"entry": [2**63, b"", [], []]}, "index is a number"),
        ({"entry": [True, b"", [], []]}, "index is a number"),
        ({"anchor": 1}, "anchor is null or a map"),
        ({"anchor": {}}, "anchor is null or a map"),
        ({"anchor": {"index": 1, "path": [], "checkpoint": "", "more": 0}}, "anchor is null or a map"),
        ({"registry": None}, "registry is a map"),
        ({"registry": {"checkpoint": "", "consistency": [], "entries": [[0]]}}, "entry is"),
        ({"registry": {"checkpoint": "", "consistency": [], "entries": [[0, b"", [], []]] * 1001}}, "at most 1000"),
    ],
)
def test_what_is_no_bundle_is_refused(fields: dict[str, Any], complaint: str) -> None:
    """Each field has one type and a bounded size."""
    with pytest.raises(MalformedError, match=complaint):
        Bundle.decode(_with(**fields))


def test_a_bundle_has_one_encoding() -> None:
    """Bytes behind it, or a longer form of a number, are refused."""
    data = BUNDLE.encode()
    with pytest.raises(MalformedError, match="after the end"):
        Bundle.decode(data + b"\x00")
    longer = data.replace(b"\x84\x07", b"\x84\x18\x07", 1)
    assert longer != data
    with pytest.raises(MalformedError, match="one encoding"):
        Bundle.decode(longer)


def test_a_bundle_is_bounded() -> None:
    """A bundle over 4 MiB is not even looked into."""
    with pytest.raises(MalformedError, match="at most 4194304 bytes"):
        Bundle.decode(bytes(BUNDLE_BYTES_MAX + 1))


def test_nesting_is_bounded() -> None:
    """What is nested without end is refused, not followed."""
    with pytest.raises(MalformedError, match="not plain CBOR"):
        Bundle.decode(b"\x81" * 100_000)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_bundle_or_malformed(data: bytes) -> None:
    """Decode is total."""
    with contextlib.suppress(MalformedError):
        assert Bundle.decode(data).encode() == data


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=33) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(cbor.decode(BUNDLE.encode()))), _VALUES)
def test_any_value_in_any_field_is_a_bundle_or_malformed(name: str, value: Any) -> None:
    """Decode is total for what is nearly a bundle, too."""
    data = _with(**{name: value})
    with contextlib.suppress(MalformedError):
        assert Bundle.decode(data).encode() == data
