"""Sections: hidden by their salt, and nobody else's."""

import hashlib
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor
from ledger.errors import MalformedError
from ledger.section import SECTION_BYTES_MAX, ContentFormat, Line, Privacy, Section, is_named, matching
from tests.cast import DEVICE, NEIGHBOUR
from tests.hostile import NASTY, briefly, bytes_near, spoiled

SECTION = Section(bytes(range(16)), b"a body")
LINE = SECTION.line(kid=DEVICE.kid, privacy=Privacy.PARTNERS, content_format=ContentFormat.SENML_CBOR)


def test_a_digest_is_over_what_the_design_says() -> None:
    """SHA-256 of CBOR [name, kid, privacy, content format, salt, body], written out by hand."""
    written_out = b"\x86" + b"\x74tallystick-section/1" + b"\x58\x20" + DEVICE.kid + b"\x01" + b"\x18\x70"
    written_out += b"\x50" + SECTION.salt + b"\x46" + SECTION.body
    assert LINE.digest == hashlib.sha256(written_out).digest()


def test_a_digest_binds_everything() -> None:
    """Another key, privacy, content format, salt or body has another digest."""
    sections = [Section(salt, body) for salt, body in product([bytes(16), bytes(15) + b"\1"], [b"", b"\0", b"a"])]
    digests = {
        section.digest(kid=kid, privacy=privacy, content_format=content_format)
        for section, kid, privacy, content_format in product(
            sections, (DEVICE.kid, NEIGHBOUR.kid), Privacy, (0, 112, 65001)
        )
    }
    assert len(digests) == len(sections) * 2 * 3 * 3


def test_equal_bodies_have_unequal_salts() -> None:
    """So low-entropy content cannot be guessed from its digest."""
    assert Section.new(b"21.5").salt != Section.new(b"21.5").salt
    assert len(Section.new(b"").salt) == 16


def test_a_section_reads_back() -> None:
    """Writing and reading are inverse."""
    for body in (b"", b"x", bytes(70_000)):
        section = Section.new(body)
        assert Section.decode(section.encode()) == section


def test_a_section_fits_its_line_only() -> None:
    """Nobody can claim another's section, or relabel it."""
    data = SECTION.encode()
    assert matching(LINE, data, kid=DEVICE.kid) == SECTION
    assert matching(LINE, data, kid=NEIGHBOUR.kid) is None
    assert matching(Line(Privacy.PUBLIC, LINE.content_format, LINE.digest), data, kid=DEVICE.kid) is None
    assert matching(Line(LINE.privacy, 113, LINE.digest), data, kid=DEVICE.kid) is None
    assert matching(Line(LINE.privacy, LINE.content_format, bytes(32)), data, kid=DEVICE.kid) is None


@pytest.mark.parametrize("data", [None, b"", SECTION.encode()[:-1], SECTION.encode() + b"\0", *NASTY], ids=briefly)
def test_what_did_not_arrive_whole_fits_no_line(data: bytes | None) -> None:
    """Missing and damaged are one thing: it is sent again."""
    assert matching(LINE, data, kid=DEVICE.kid) is None


def test_a_section_is_bounded() -> None:
    """The largest is read; one byte more is not."""
    overhead = len(Section(bytes(16), bytes(100_000)).encode()) - 100_000
    largest = Section(bytes(16), bytes(SECTION_BYTES_MAX - overhead))
    assert Section.decode(largest.encode()) == largest
    with pytest.raises(MalformedError, match="over its size"):
        Section.decode(Section(bytes(16), largest.body + b"\0").encode())


def test_a_section_has_one_form() -> None:
    """Something odd in any place is refused, or is another body or salt."""
    for odd in spoiled([SECTION.salt, SECTION.body]):
        try:
            section = Section.decode(cbor.encode(odd))
        except MalformedError:
            continue
        assert len(section.salt) == 16
        assert section.encode() == cbor.encode(odd)


@given(bytes_near(SECTION.encode()))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give a section that re-encodes to them, or MalformedError."""
    try:
        section = Section.decode(data)
    except MalformedError:
        return
    assert section.encode() == data


@given(st.binary(max_size=64))
def test_any_body_is_carried(body: bytes) -> None:
    """A section does not look into its body."""
    assert Section.decode(Section.new(body).encode()).body == body


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 65_535, 65_536, SECTION_BYTES_MAX - 23, SECTION_BYTES_MAX])
def test_what_is_named_is_what_matches(size: int) -> None:
    """Without a look inside: the same answer for every length of body, and for its other encodings."""
    data = Section(bytes(16), bytes(size)).encode()
    body = bytes(size)
    others = [b"\x82\x50" + bytes(16) + head + body for head in (b"\x58\x05", b"\x5a" + size.to_bytes(4), b"\x40")]
    for held in (data, data[:-1], data + b"\0", *others):
        head = cbor.encode(["tallystick-section/1", DEVICE.kid, 2, 112, 0, 0])[:-2]
        line = Line(Privacy.PRIVATE, 112, hashlib.sha256(head + held[1:]).digest())
        assert is_named(line, held, kid=DEVICE.kid) == (matching(line, held, kid=DEVICE.kid) is not None)
        assert not is_named(line, held, kid=NEIGHBOUR.kid)
