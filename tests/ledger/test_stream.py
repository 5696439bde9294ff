"""Sections about streams: opened, evicted, refused."""

from typing import Any

import pytest
from hypothesis import given

from ledger import cbor, stream
from ledger.errors import MalformedError
from ledger.stream import EVICTED_MAX, REASONS, Evicted, Opening, RefusedBytes
from tests.cast import STREAM
from tests.hostile import NASTY, briefly, bytes_near, spoiled

HASH = bytes(range(32))
LAST = 2**63 - 1
BODIES = [
    stream.opening("new", None),
    stream.opening("restored", (STREAM, LAST, HASH)),
    stream.evicted([(STREAM, 0, 0), (STREAM, LAST, 63)]),
    stream.refused(b"statement"),
]


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("previous", [None, (STREAM, 0, HASH), (STREAM, LAST, HASH)])
def test_an_opening_reads_back(reason: str, previous: tuple[bytes, int, bytes] | None) -> None:
    """For each reason, with and without a stream before it."""
    assert stream.decode(stream.opening(reason, previous)) == Opening(reason, previous)


@pytest.mark.parametrize("count", [0, 1, EVICTED_MAX])
def test_evicted_lines_read_back(count: int) -> None:
    """As many as are allowed."""
    lines = [(STREAM, seq, 1) for seq in range(count)]
    assert stream.decode(stream.evicted(lines)) == Evicted(tuple(lines))


def test_too_many_evicted_lines_are_refused() -> None:
    """One more."""
    with pytest.raises(MalformedError, match="not a stream section"):
        stream.decode(stream.evicted([(STREAM, 0, 0)] * (EVICTED_MAX + 1)))


@pytest.mark.parametrize("data", [b"", b"statement", bytes(65_535)])
def test_refused_bytes_read_back(data: bytes) -> None:
    """Whatever they are."""
    assert stream.decode(stream.refused(data)) == RefusedBytes(data)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "open", "reason": "bored", "previous": None},
        {"type": "open", "reason": "new"},
        {"type": "close", "reason": "new", "previous": None},
        {"type": "open", "reason": "new", "previous": []},
        {"type": "open", "reason": "new", "previous": [STREAM, True, HASH]},
        {"type": "open", "reason": "new", "previous": [STREAM, -1, HASH]},
        {"type": "open", "reason": "new", "previous": [STREAM, 2**63, HASH]},
        {"type": "open", "reason": "new", "previous": [STREAM[:7], 1, HASH]},
        {"type": "open", "reason": "new", "previous": [STREAM, 1, HASH[:31]]},
        {"type": "evicted", "lines": [[STREAM, True, 0]]},
        {"type": "evicted", "lines": [[STREAM, 0, False]]},
        {"type": "evicted", "lines": [[STREAM, 2**64 - 1, 0]]},
        {"type": "evicted", "lines": [[STREAM, 0]]},
        {"type": "evicted", "lines": {}},
        {"type": "refused", "statement": "x"},
        {"type": b"open", "reason": "new", "previous": None},
        [],
        None,
    ],
)
def test_what_is_no_stream_section_is_refused(body: Any) -> None:
    """True is not 1, and a seq has 63 bits."""
    with pytest.raises(MalformedError):
        stream.decode(cbor.encode(body))


def _check(data: bytes) -> None:
    try:
        found = stream.decode(data)
    except MalformedError:
        return
    match found:
        case Opening(reason, previous):
            assert stream.decode(stream.opening(reason, previous)) == found
            assert reason in REASONS and (previous is None or cbor.is_count(previous[1]))
        case Evicted(lines):
            assert stream.decode(stream.evicted(lines)) == found
            assert all(len(name) == 8 and cbor.is_count(seq) and cbor.is_count(line) for name, seq, line in lines)
        case RefusedBytes(statement):
            assert stream.decode(stream.refused(statement)) == found


def test_nothing_odd_in_any_place() -> None:
    """Each odd value in each place of each section is refused, or is within its range."""
    for body in BODIES:
        for odd in spoiled(cbor.decode(body)):
            _check(cbor.encode(odd))


@given(bytes_near(*BODIES))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give one of the three, which reads back, or MalformedError."""
    _check(data)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """None is a stream section."""
    with pytest.raises(MalformedError):
        stream.decode(data)
