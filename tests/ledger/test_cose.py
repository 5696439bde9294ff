"""COSE_Sign1: one encoding, one payload, and the working group's own example."""

import hashlib
from typing import Any

import cbor2
import pytest
from hypothesis import given

from ledger import cbor, cose
from ledger.cose import Sign1
from ledger.errors import MalformedError, SignatureError
from ledger.keys import SigningKey
from tests.cast import DEVICE, NEIGHBOUR
from tests.hostile import NASTY, briefly, bytes_near, spoiled

# The COSE working group's example eddsa-sig-01: key, Sig_structure and message.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
TO_BE_SIGNED = bytes.fromhex("846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e")
EXAMPLE = bytes.fromhex(
    "d28445a201270300a10442313154546869732069732074686520636f6e74656e742e58407142fd2ff96d56db85bee905a76ba1d0"
    "b7321a95c8c4d3607c5781932b7afb8711497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d"
)
CONTENT = b"This is the content."
HEADER = {cose.ALG: cose.EDDSA, cose.CONTENT_TYPE: 0}
SIGNED = cose.sign1(DEVICE, HEADER, CONTENT)
DETACHED = cose.sign1(DEVICE, HEADER, CONTENT, detached=True)


def test_the_working_groups_example_is_read_and_verified() -> None:
    """eddsa-sig-01 decodes, re-encodes and verifies."""
    envelope = Sign1.decode(EXAMPLE)
    assert envelope.protected == HEADER
    assert envelope.unprotected == {cose.KID: b"11"}
    assert envelope.payload == CONTENT
    assert envelope.encode() == EXAMPLE
    envelope.verify(PUBLIC)


def test_the_working_groups_example_is_what_we_would_sign() -> None:
    """The same key and content give the same bytes (Ed25519 is deterministic)."""
    assert cose.to_be_signed(bytes.fromhex("a201270300"), CONTENT) == TO_BE_SIGNED
    assert cose.sign1(SigningKey(SEED), HEADER, CONTENT, unprotected={cose.KID: b"11"}).encode() == EXAMPLE


@pytest.mark.parametrize("at", range(len(EXAMPLE)))
def test_no_byte_of_what_is_signed_may_change(at: int) -> None:
    """A changed byte is malformed or spoils the signature, unless it is in the unprotected header."""
    changed = EXAMPLE[:at] + bytes([EXAMPLE[at] ^ 1]) + EXAMPLE[at + 1 :]
    try:
        envelope = Sign1.decode(changed)
    except MalformedError:
        return
    assert envelope.encode() == changed
    if envelope.unprotected != {cose.KID: b"11"}:
        assert (envelope.protected_bytes, envelope.payload) == (bytes.fromhex("a201270300"), CONTENT)
        return
    with pytest.raises(SignatureError):
        envelope.verify(PUBLIC)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (EXAMPLE[1:], "not a tagged"),
        (b"\xd1" + EXAMPLE[1:], "not a tagged"),
        (b"\xd8\x12" + EXAMPLE[1:], "not a tagged"),
        (b"\xd2" + EXAMPLE, "four parts"),
        (b"\xd9\xd9\xf7" + EXAMPLE, "not a tagged"),
        (EXAMPLE + b"\x00", "after the end"),
        (EXAMPLE[:-1], "not plain"),
        (b"\xd2\x84\x58\x05" + EXAMPLE[3:], "one encoding"),
        (b"\xd2" + cbor.encode([b"\xa2\x03\x00\x01\x27", {}, CONTENT, bytes(64)]), "one encoding"),
        (b"\xd2" + cbor.encode([b"\xa1\x01\x38\x07", {}, CONTENT, bytes(64)]), "one encoding"),
        (b"\xd2" + cbor.encode([b"\xa2\x01\x27\x01\x27", {}, CONTENT, bytes(64)]), "Duplicate"),
        (b"\xd2" + cbor.encode([b"\xa0", {}, CONTENT, bytes(64)]), "never empty"),
        (b"\xd2" + cbor.encode([b"", {}, CONTENT, bytes(64)]), "not plain"),
        (b"\xd2" + cbor.encode([b"\x80", {}, CONTENT, bytes(64)]), "is a map"),
        (b"\xd2" + cbor.encode([b"\xa1\x01\x27", {}, CONTENT, bytes(63)]), "64 bytes"),
        (b"\xd2" + cbor.encode([b"\xa1\x01\x27", {}, CONTENT, bytes(65)]), "64 bytes"),
    ],
)
def test_what_is_no_sign1_in_its_one_encoding_is_refused(data: bytes, complaint: str) -> None:
    """One message has one encoding, inside the protected header too."""
    with pytest.raises(MalformedError, match=complaint):
        Sign1.decode(data)


def test_no_part_may_be_anything_else() -> None:
    """Something odd in any place of the four is refused, or reads back as itself."""
    parts = [b"\xa1\x01\x27", {4: b"11"}, CONTENT, bytes(64)]
    for odd in spoiled(parts):
        data = b"\xd2" + cbor.encode(odd)
        try:
            envelope = Sign1.decode(data)
        except MalformedError:
            continue
        assert envelope.encode() == data
        assert isinstance(envelope.payload, bytes | None)
        assert isinstance(envelope.unprotected, dict)


def test_a_signature_is_over_what_is_carried() -> None:
    """A payload that is carried cannot be replaced by a detached one, and one that is missing is not empty."""
    SIGNED.verify(DEVICE.public)
    with pytest.raises(SignatureError, match="one payload"):
        SIGNED.verify(DEVICE.public, detached=CONTENT)
    with pytest.raises(SignatureError, match="one payload"):
        DETACHED.verify(DEVICE.public)
    empty = cose.sign1(DEVICE, HEADER, b"", detached=True)
    with pytest.raises(SignatureError, match="one payload"):
        empty.verify(DEVICE.public)
    empty.verify(DEVICE.public, detached=b"")


def test_a_detached_payload_is_signed_but_not_carried() -> None:
    """It is null on the wire, and must be the signed one."""
    assert cbor2.loads(DETACHED.encode()).value[2] is None
    assert DETACHED.signature == SIGNED.signature
    DETACHED.verify(DEVICE.public, detached=CONTENT)
    with pytest.raises(SignatureError):
        DETACHED.verify(DEVICE.public, detached=CONTENT + b"!")


def test_another_key_has_not_signed() -> None:
    """The signature holds under one key."""
    with pytest.raises(SignatureError):
        SIGNED.verify(NEIGHBOUR.public)
    with pytest.raises(SignatureError):
        SIGNED.verify(b"")


def test_the_protected_header_is_verified_as_its_bytes() -> None:
    """Decoding changes nothing of what was signed."""
    header: dict[Any, Any] = {cose.ALG: cose.EDDSA, "x": 1, 15: {2: "b", 1: "a"}}
    envelope = Sign1.decode(cose.sign1(DEVICE, header, CONTENT).encode())
    assert envelope.protected == header
    assert hashlib.sha256(envelope.protected_bytes).digest() == hashlib.sha256(cbor.encode(header)).digest()
    envelope.verify(DEVICE.public)


@given(bytes_near(EXAMPLE, SIGNED.encode(), DETACHED.encode()))
def test_decoding_is_total(data: bytes) -> None:
    """Any bytes give a Sign1 that re-encodes to them, or MalformedError; verifying gives SignatureError at most."""
    try:
        envelope = Sign1.decode(data)
    except MalformedError:
        return
    assert envelope.encode() == data
    try:
        envelope.verify(DEVICE.public)
    except SignatureError:
        return
    assert envelope.payload == CONTENT


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """Also behind our tag, and inside the protected header."""
    for hostile in (data, b"\xd2" + data, b"\xd2" + cbor.encode([data, {}, b"", bytes(64)])):
        with pytest.raises(MalformedError):
            Sign1.decode(hostile)
