"""Statements: one encoding, exactly these labels, and a standard COSE_Sign1 for anyone else."""

import hashlib
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from ledger import cbor, cose
from ledger.cose import Sign1
from ledger.errors import MalformedError, SignatureError
from ledger.keys import SigningKey
from ledger.section import Line, Privacy
from ledger.statement import (
    CONTENT_TYPE,
    EVENTS,
    LINES_MAX,
    NO_PREVIOUS,
    STATEMENT_BYTES_MAX,
    TELEMETRY,
    UINT63_MAX,
    Statement,
    Tally,
)
from tests.cast import DEVICE, ISSUER, NEIGHBOUR, NOW, ORIGIN, STREAM, URN, links, sign
from tests.hostile import NASTY, briefly, bytes_near, spoiled

STATEMENT = sign()
DATA = STATEMENT.encode()
HEADER: dict[Any, Any] = {
    1: -8,
    3: "application/vnd.tallystick+cbor",
    4: DEVICE.kid,
    15: {1: ISSUER, 2: URN, 3: ORIGIN, 6: NOW},
    "tally": [1, TELEMETRY, STREAM, 0, bytes(32), 2],
}
MANIFEST = [[2, 112, bytes(32)]]
GOLDEN = "84c3387ecdf9b555d7908853a8a1452020a1f2c28df6d201a2aa40c81fbe9008"


def _data(header: Any = HEADER, manifest: Any = MANIFEST) -> bytes:
    """A statement's bytes, signed well, over whatever header and manifest."""
    return cose.sign1(DEVICE, header, cbor.encode(manifest)).encode()


def test_a_statement_is_these_bytes() -> None:
    """The format is pinned: a statement signed today is what it will always be."""
    assert hashlib.sha256(DATA).hexdigest() == GOLDEN
    assert STATEMENT.hash.hex() == GOLDEN
    assert len(DATA) == 358


def test_anyone_can_read_a_statement_without_us() -> None:
    """cbor2 and libsodium alone, by the words of RFC 9052, 4.4."""
    tag = cbor2.loads(DATA)
    protected, unprotected, payload, signature = tag.value
    assert tag.tag == 18
    assert unprotected == {}
    assert cbor2.loads(protected) == HEADER
    assert cbor2.loads(payload) == MANIFEST
    to_be_signed = cbor2.dumps(["Signature1", protected, b"", payload])
    VerifyKey(DEVICE.public).verify(to_be_signed, signature)


def test_a_statement_is_what_the_design_says() -> None:
    """Exactly these labels, and these bytes."""
    assert _data() == DATA
    assert HEADER[3] == CONTENT_TYPE
    STATEMENT.verify(DEVICE.public)


def test_decoding_gives_every_field_back() -> None:
    """Writing and reading are inverse."""
    found = Statement.decode(DATA)
    assert found == STATEMENT
    assert (found.kid, found.issuer, found.subject, found.audience) == (DEVICE.kid, ISSUER, URN, ORIGIN)
    assert (found.issued_at, found.algorithm) == (NOW, -8)
    assert found.tally == Tally(TELEMETRY, STREAM, 0, NO_PREVIOUS, 2)
    assert found.manifest == (Line(Privacy.PRIVATE, 112, bytes(32)),)
    assert found.stream_key == (DEVICE.kid, TELEMETRY, STREAM)
    assert found.encode() == DATA


def test_a_hash_is_of_the_bytes_and_links_the_next() -> None:
    """prev is the SHA-256 of the statement before."""
    first, second = links(2)
    assert second.tally.prev == first.hash == hashlib.sha256(first.encode()).digest()


def test_verifiers_take_both_numbers_of_the_algorithm() -> None:
    """-19 (RFC 9864) is read as -8 is, and kept as it is; no other number is read."""
    other = Statement.decode(_data({**HEADER, 1: -19}))
    other.verify(DEVICE.public)
    assert other.algorithm == -19
    assert other.encode() != DATA
    for algorithm in (-7, -9, -53, 0, 8, True):
        with pytest.raises(MalformedError, match="algorithm"):
            Statement.decode(_data({**HEADER, 1: algorithm}))


@pytest.mark.parametrize("at", range(len(DATA)))
def test_no_byte_may_change(at: int) -> None:
    """A changed byte anywhere is malformed, or the signature fails."""
    changed = DATA[:at] + bytes([DATA[at] ^ 1]) + DATA[at + 1 :]
    with pytest.raises((MalformedError, SignatureError)):
        Statement.decode(changed).verify(DEVICE.public)


def test_a_neighbours_key_has_not_signed() -> None:
    """The signature holds under one key."""
    with pytest.raises(SignatureError):
        STATEMENT.verify(NEIGHBOUR.public)


def _agrees(statement: Statement) -> None:
    """Every range that a decoded statement promises."""
    tally = statement.tally
    assert len(statement.kid) == len(tally.prev) == 32 and len(tally.stream) == 8
    numbers = (statement.issued_at, tally.lane, tally.seq, tally.clock)
    assert all(cbor.is_count(number) for number in numbers)
    assert tally.lane in (EVENTS, TELEMETRY) and tally.clock <= 3
    assert all(0 < len(name) <= 256 for name in (statement.issuer, statement.subject, statement.audience))
    assert all(len(line.digest) == 32 and isinstance(line.privacy, Privacy) for line in statement.manifest)
    assert all(cbor.is_count(line.content_format) for line in statement.manifest)


@pytest.mark.parametrize("part", ["header", "manifest"])
def test_nothing_odd_in_any_place(part: str) -> None:
    """Each odd value in each place of header and manifest is refused, or it is a valid field and reads back."""
    valid: Any = HEADER if part == "header" else MANIFEST
    for odd in spoiled(valid):
        try:
            data = _data(**{part: odd})
            statement = Statement.decode(data)
        except MalformedError:
            continue
        assert statement.encode() == data
        _agrees(statement)


def _floats(value: Any) -> Any:
    """The same, each number as the float that equals it."""
    if isinstance(value, dict):
        return {_floats(key): _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) else value


@pytest.mark.parametrize("place", [1, 15, "tally"])
def test_a_number_that_only_equals_is_refused_and_spoils_nothing(place: int | str) -> None:
    """What is kept of one statement must never make another's encoding: a float passes for an equal integer."""
    twin = SigningKey.generate()
    header = {**HEADER, 4: twin.kid}
    odd = cose.sign1(twin, {**header, place: _floats(header[place])}, cbor.encode(MANIFEST)).encode()
    true = cose.sign1(twin, header, cbor.encode(MANIFEST)).encode()
    with pytest.raises(MalformedError):
        Statement.decode(odd)
    assert Statement.decode(true).encode() == true
    with pytest.raises(MalformedError):
        Statement.decode(odd)
    fields: dict[str, Any] = {"algorithm": -8.0, "issued_at": float(NOW)}
    assert replace(sign(), **fields).encode() != DATA
    assert sign().encode() == DATA


def _with(place: str, value: Any) -> dict[Any, Any]:
    """The header with one field of its claims or its tally otherwise."""
    claims, tally = dict(HEADER[15]), list(HEADER["tally"])
    if place in ("iss", "sub", "aud", "iat"):
        claims[{"iss": 1, "sub": 2, "aud": 3, "iat": 6}[place]] = value
    else:
        tally[("version", "lane", "stream", "seq", "prev", "clk").index(place)] = value
        if place == "seq" and value != 0:
            tally[4] = b"\1" * 32
    return {**HEADER, 15: claims, "tally": tally}


@pytest.mark.parametrize(
    ("place", "good", "bad"),
    [
        ("iss", ["x", "x" * 256, "\u6c34" * 256], ["", "x" * 257, b"x", 1, None]),
        ("sub", ["x", "x" * 256], ["", "x" * 257, b"x"]),
        ("aud", ["x", "x" * 256], ["", "x" * 257, b"x", ["x"]]),
        ("iat", [0, NOW, UINT63_MAX], [-1, UINT63_MAX + 1, 2**64 - 1, True, 1.0, "1", None]),
        ("version", [1], [0, 2, True, 1.0, "1"]),
        ("lane", [0, 1], [-1, 2, True, False, 0.0]),
        ("stream", [bytes(8), b"\xff" * 8], [bytes(7), bytes(9), b"", "x" * 8]),
        ("seq", [0, 1, UINT63_MAX], [-1, UINT63_MAX + 1, 2**64 - 1, True, False, 1.0]),
        ("prev", [bytes(32)], [b"\1" * 32, bytes(31), bytes(33), b"", None]),
        ("clk", [0, 1, 2, 3], [-1, 4, True, 2.0]),
    ],
)
def test_the_ends_of_each_range(place: str, good: list[Any], bad: list[Any]) -> None:
    """What is inside is read, what is outside is not; True is not 1."""
    for value in good:
        _agrees(Statement.decode(_data(_with(place, value))))
    for value in bad:
        with pytest.raises(MalformedError):
            Statement.decode(_data(_with(place, value)))


def test_a_first_statement_and_no_other_has_no_predecessor() -> None:
    """A prev of zeros belongs to seq 0."""
    with pytest.raises(MalformedError, match="prev of zeros"):
        Statement.decode(_data({**HEADER, "tally": [1, 1, STREAM, 1, bytes(32), 2]}))
    with pytest.raises(MalformedError, match="prev of zeros"):
        Statement.decode(_data({**HEADER, "tally": [1, 1, STREAM, 0, b"\1" * 32, 2]}))


def test_nothing_unprotected_and_nothing_detached() -> None:
    """What no signature covers is not there to be changed."""
    payload = cbor.encode(MANIFEST)
    headers: list[dict[Any, Any]] = [{4: DEVICE.kid}, {394: []}, {396: {}}, {"": None}]
    for unprotected in headers:
        with pytest.raises(MalformedError, match="unprotected"):
            Statement.decode(cose.sign1(DEVICE, HEADER, payload, unprotected=unprotected).encode())
    with pytest.raises(MalformedError, match="carries its manifest"):
        Statement.decode(cose.sign1(DEVICE, HEADER, payload, detached=True).encode())


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x80\x00", b"\x98\x00", cbor.encode(MANIFEST) + b"\0", b"\x9f\xff", cbor.encode([[2, 112.0, b""]])],
)
def test_a_manifest_has_one_encoding(payload: bytes) -> None:
    """Inside its byte string as outside."""
    with pytest.raises(MalformedError):
        Statement.decode(cose.sign1(DEVICE, HEADER, payload).encode())


@pytest.mark.parametrize("count", [0, 1, 2, LINES_MAX, LINES_MAX + 1])
def test_a_manifest_has_so_many_lines(count: int) -> None:
    """From none to 64; with the longest names all of it fits the size."""
    name = "\U00010151" * 256
    manifest = tuple(Line(Privacy.PUBLIC, 65_535, bytes(32)) for _ in range(count))
    data = sign(issuer=name, subject=name, audience=name, manifest=manifest).encode()
    assert len(data) < STATEMENT_BYTES_MAX
    if count <= LINES_MAX:
        assert Statement.decode(data).manifest == manifest
    else:
        with pytest.raises(MalformedError, match="at most 64 lines"):
            Statement.decode(data)


def test_a_statement_is_bounded() -> None:
    """Before anything is parsed."""
    with pytest.raises(MalformedError, match="65,535"):
        Statement.decode(bytes(STATEMENT_BYTES_MAX + 1))
    with pytest.raises(MalformedError, match="65,535"):
        Statement.decode(None)  # type: ignore[arg-type]


@settings(max_examples=300)
@given(bytes_near(DATA, sign(seq=3, prev=b"\1" * 32).encode()))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give a statement that re-encodes to them, or MalformedError."""
    try:
        statement = Statement.decode(data)
    except MalformedError:
        return
    assert statement.encode() == data
    assert statement.hash == hashlib.sha256(data).digest()
    _agrees(statement)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """Bare, as the header and as the manifest."""
    for hostile in (data, _wrapped(data, cbor.encode(MANIFEST)), _wrapped(cbor.encode(HEADER), data)):
        with pytest.raises(MalformedError):
            Statement.decode(hostile)


def _wrapped(protected: bytes, payload: bytes) -> bytes:
    return Sign1(protected, {}, {}, payload, bytes(64)).encode()


@given(
    names=st.tuples(*[st.text(min_size=1, max_size=256)] * 3),
    issued_at=st.integers(0, UINT63_MAX),
    seq=st.integers(1, UINT63_MAX),
    lane=st.sampled_from([EVENTS, TELEMETRY]),
    lines=st.lists(
        st.builds(Line, st.sampled_from(Privacy), st.integers(0, 65_535), st.binary(min_size=32, max_size=32)),
        max_size=4,
    ),
)
def test_every_statement_that_can_be_signed_is_read(
    names: tuple[str, str, str], issued_at: int, seq: int, lane: int, lines: list[Line]
) -> None:
    """The ranges of writing and reading are the same."""
    issuer, subject, audience = names
    statement = sign(
        issuer=issuer, subject=subject, audience=audience, issued_at=issued_at, seq=seq, prev=b"\1" * 32, lane=lane,
        manifest=lines,
    )  # fmt: skip
    assert Statement.decode(statement.encode()) == statement
    statement.verify(DEVICE.public)
