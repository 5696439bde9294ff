"""The message on the wire: a statement and its sections."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor, message
from ledger.errors import MalformedError
from ledger.message import MESSAGE_BYTES_MAX, Message
from ledger.statement import LINES_MAX
from tests.cast import sign
from tests.hostile import NASTY, briefly, bytes_near, spoiled

STATEMENT = sign().encode()
VALID = message.encode(STATEMENT, [b"section", None, b""])


def test_a_message_reads_back() -> None:
    """Every slot, sent or not."""
    assert message.decode(VALID) == Message(STATEMENT, (b"section", None, b""))
    assert message.decode(message.encode(b"", [])) == Message(b"", ())


@given(st.binary(max_size=50), st.lists(st.none() | st.binary(max_size=9), max_size=LINES_MAX))
def test_writing_and_reading_are_inverse(statement: bytes, sections: list[bytes | None]) -> None:
    """A message does not look into what it carries."""
    assert message.decode(message.encode(statement, sections)) == Message(statement, tuple(sections))


def test_a_message_has_at_most_a_slot_for_each_line_that_can_be() -> None:
    """64."""
    message.decode(message.encode(b"", [None] * LINES_MAX))
    with pytest.raises(MalformedError, match="a message is"):
        message.decode(message.encode(b"", [None] * (LINES_MAX + 1)))


def test_a_message_is_bounded() -> None:
    """256 KiB, or what the caller says; more is refused before it is parsed."""
    overhead = len(message.encode(b"", [bytes(100_000)])) - 100_000
    largest = message.encode(b"", [bytes(MESSAGE_BYTES_MAX - overhead)])
    assert len(largest) == MESSAGE_BYTES_MAX
    message.decode(largest)
    longer = message.encode(b"", [bytes(MESSAGE_BYTES_MAX - overhead + 1)])
    with pytest.raises(MalformedError, match="at most 262144 bytes"):
        message.decode(longer)
    message.decode(longer, bytes_max=len(longer))
    with pytest.raises(MalformedError, match="at most 3 bytes"):
        message.decode(VALID, bytes_max=3)


@pytest.mark.parametrize("data", [None, "text", bytearray(VALID)])
def test_only_bytes_are_read(data: Any) -> None:
    """A broker's client may hand over anything."""
    with pytest.raises(MalformedError):
        message.decode(data)


def test_a_message_has_one_form() -> None:
    """Something odd in any place is refused, or is other bytes in their place."""
    for odd in spoiled([STATEMENT, [b"section", None]]):
        try:
            found = message.decode(cbor.encode(odd))
        except MalformedError:
            continue
        assert message.encode(found.statement, found.sections) == cbor.encode(odd)
        assert isinstance(found.statement, bytes)
        assert all(isinstance(section, bytes | None) for section in found.sections)


@given(bytes_near(VALID))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give a message that re-encodes to them, or MalformedError."""
    try:
        found = message.decode(data)
    except MalformedError:
        return
    assert message.encode(found.statement, found.sections) == data


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """No length, depth or cycle gets further than MalformedError."""
    with pytest.raises(MalformedError):
        message.decode(data)
