"""Block headers and anchor entries: one encoding each."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ledger import anchor, cbor
from ledger.anchor import Kind
from ledger.block import GENESIS_PREV, Header
from ledger.errors import MalformedError
from tests.cast import ORIGIN
from tests.hostile import NASTY, briefly, bytes_near, spoiled

ROOT, PREV = bytes([1] * 32), bytes([2] * 32)
LAST = 2**63 - 1
FIRST_BLOCK = Header(ORIGIN, 0, 0, 3, ROOT, GENESIS_PREV, 1_700_000_000_000, (1, ROOT))
LATER_BLOCK = Header(ORIGIN, 7, 3, 9, ROOT, PREV, 0, (0, ROOT))
FIELDS = cbor.decode(LATER_BLOCK.encode())


@pytest.mark.parametrize(
    "header", [FIRST_BLOCK, LATER_BLOCK, Header("o", LAST, LAST - 1, LAST, ROOT, PREV, LAST, (LAST, ROOT))]
)
def test_a_header_reads_back(header: Header) -> None:
    """Writing and reading are inverse, to the ends of the ranges."""
    assert Header.decode(header.encode()) == header


def test_a_header_is_a_map_by_name_and_its_hash_is_of_its_bytes() -> None:
    """As the design lists its fields."""
    assert FIELDS == {
        "origin": ORIGIN,
        "height": 7,
        "first": 3,
        "size": 9,
        "root": ROOT,
        "prev": PREV,
        "time_ms": 0,
        "registry": [0, ROOT],
    }
    assert LATER_BLOCK.hash == hashlib.sha256(LATER_BLOCK.encode()).digest()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"size": 3}, "at least one entry"),
        ({"size": 2}, "at least one entry"),
        ({"origin": ""}, "an origin"),
        ({"height": -1}, "from 0 to"),
        ({"first": -1}, "from 0 to"),
        ({"size": 2**63}, "from 0 to"),
        ({"time_ms": -1}, "from 0 to"),
        ({"time_ms": 2**64 - 1}, "from 0 to"),
        ({"registry": (-1, ROOT)}, "from 0 to"),
        ({"height": True}, "from 0 to"),
        ({"first": True}, "from 0 to"),
        ({"registry": (False, ROOT)}, "from 0 to"),
        ({"time_ms": 1.0}, "from 0 to"),
        ({"root": ROOT[:31]}, "32 bytes"),
        ({"prev": PREV + b"\0"}, "32 bytes"),
        ({"registry": (0, b"")}, "32 bytes"),
        ({"height": 0}, "a chain's first header"),
        ({"first": 0}, "a chain's first header"),
        ({"prev": GENESIS_PREV}, "a chain's first header"),
        ({"height": 0, "first": 0}, "a chain's first header"),
        ({"height": 0, "prev": GENESIS_PREV}, "a chain's first header"),
        ({"first": 0, "prev": GENESIS_PREV}, "a chain's first header"),
    ],
)
def test_a_header_out_of_its_ranges_is_refused(changes: dict[str, Any], complaint: str) -> None:
    """Each field has one, and the first block is the first in every way; True is not 1."""
    with pytest.raises(MalformedError, match=complaint):
        Header.decode(replace(LATER_BLOCK, **changes).encode())


def _check_header(data: bytes) -> None:
    try:
        header = Header.decode(data)
    except MalformedError:
        return
    assert header.encode() == data
    assert 0 <= header.first < header.size
    assert type(header.height) is type(header.time_ms) is type(header.registry[0]) is int


def test_nothing_odd_in_any_place_of_a_header() -> None:
    """Each odd value in each place, and each field too few or too many, is refused or within its range."""
    for odd in spoiled(FIELDS):
        _check_header(cbor.encode(odd))
    for field in FIELDS:
        with pytest.raises(MalformedError, match="eight fields"):
            Header.decode(cbor.encode({name: value for name, value in FIELDS.items() if name != field}))
    with pytest.raises(MalformedError, match="eight fields"):
        Header.decode(cbor.encode({**FIELDS, "more": 1}))


@given(bytes_near(FIRST_BLOCK.encode(), LATER_BLOCK.encode()))
def test_decoding_a_header_is_total(data: bytes) -> None:
    """Any bytes give a header that re-encodes to them, or MalformedError."""
    _check_header(data)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("data", [b"", LATER_BLOCK.encode()])
def test_an_anchor_entry_reads_back(kind: Kind, data: bytes) -> None:
    """CBOR [kind, bytes]."""
    assert anchor.decode(anchor.encode(kind, data)) == (kind, data)
    assert cbor.decode(anchor.encode(kind, data)) == [int(kind), data]


@pytest.mark.parametrize(
    "entry", [[True, b""], [False, b""], [2, b""], [-1, b""], [0, ""], [0], [0, b"", 1], {}, 0, [0.0, b""]]
)
def test_what_is_no_anchor_entry_is_refused(entry: Any) -> None:
    """An unknown kind too: whoever wrote it knew more."""
    with pytest.raises(MalformedError, match=r"\[kind, bytes\]"):
        anchor.decode(cbor.encode(entry))


@given(bytes_near(anchor.encode(Kind.CHECKPOINT, b"x")))
def test_decoding_an_anchor_entry_is_total(data: bytes) -> None:
    """Any bytes give an entry that re-encodes to them, or MalformedError."""
    try:
        found = anchor.decode(data)
    except MalformedError:
        return
    assert anchor.encode(*found) == data


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """None is a header or an entry."""
    for decode in (Header.decode, anchor.decode):
        with pytest.raises(MalformedError):
            decode(data)
