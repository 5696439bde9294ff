"""Claims about reading statements at a glance: nothing is read otherwise, or taken, than by `Statement.decode`."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.audit.glance import _REST, Glance, Glances
from ledger.errors import MalformedError
from ledger.keys import SigningKey
from ledger.section import Line, Privacy
from ledger.statement import NO_PREVIOUS, Statement, Tally
from tests.hostile import bytes_near

KEY = SigningKey.generate()


def statement(seq: int = 7, content_format: int = 112, **changes: object) -> Statement:
    """A statement of the common form."""
    tally = Tally(1, b"12345678", seq, bytes([9]) * 32 if seq else NO_PREVIOUS, 2)
    line = Line(Privacy.PRIVATE, content_format, bytes(32))
    signed = Statement(KEY.kid, "i", "s", "example.com/x", 1_750_000_000, tally, (line,), bytes(64))
    return replace(signed, **changes)  # type: ignore[arg-type]


def said(read: Statement) -> tuple[object, ...]:
    """What a glance should see."""
    tally = read.tally
    return (tally.lane, tally.stream, tally.seq, tally.prev, read.manifest, read.signature, read.signed)


def check(data: bytes) -> Glance | None:
    """Read twice, the second time by a speaker that is known: both are as decoded, or both are refused."""
    glances, usual = Glances(), statement().encode()
    glances.read(usual)
    try:
        expected = Statement.decode(data)
    except MalformedError as error:
        with pytest.raises(MalformedError, match=re.escape(str(error))):
            glances.read(data)
        return None
    for _ in range(2):
        found = glances.read(data)
        speaker = found.speaker
        names = (speaker.kid, speaker.issuer, speaker.subject, speaker.audience)
        assert names == (expected.kid, expected.issuer, expected.subject, expected.audience)
        assert found[1:] == said(expected)
    return found


@pytest.mark.parametrize("seq", [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1])
@pytest.mark.parametrize("content_format", [0, 23, 24, 112, 255, 256, 65_000, 65_535])
def test_every_length_of_number_is_read(seq: int, content_format: int) -> None:
    """Wherever a number's encoding grows by a byte."""
    assert check(statement(seq, content_format).encode()) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"issued_at": 0},
        {"issued_at": 65_535},
        {"issued_at": 2**33},
        {"manifest": ()},
        {"manifest": (Line(Privacy.PUBLIC, 1, bytes(32)),) * 3},
        {"audience": "example.com/y"},
        {"issuer": "x" * 200},
        {"kid": bytes(32)},
        {"algorithm": -19},
    ],
)
def test_what_is_not_of_the_common_form_is_read_as_well(changes: dict[str, object]) -> None:
    """By `Statement.decode` itself."""
    assert check(statement(**changes).encode()) is not None  # type: ignore[arg-type]


def test_the_common_form_is_read_by_its_pattern() -> None:
    """Else a glance would cost as much as a look."""
    usual = statement()
    assert _REST.fullmatch(usual.encode(), 4 + len(usual.begun))


def test_every_bit_counts() -> None:
    """One bit turned over anywhere: read as decoded, or refused with the same words."""
    usual = statement(300).encode()
    for at in range(len(usual) * 8):
        data = bytearray(usual)
        data[at // 8] ^= 1 << at % 8
        check(bytes(data))


@given(st.data())
def test_any_bytes_are_read_as_decoded(data: st.DataObject) -> None:
    """Whatever a few changes make of statements."""
    check(data.draw(bytes_near(statement().encode(), statement(0).encode(), statement(70_000, 65_001).encode())))
