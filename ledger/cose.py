"""COSE_Sign1, tagged, with an empty unprotected header or one that its caller allows (RFC 9052, 4.2)."""

from dataclasses import dataclass
from typing import Any, Protocol

from ledger import cbor, ed25519
from ledger.cbor_reader import Reader
from ledger.errors import MalformedError, SignatureError

ALG, CONTENT_TYPE, KID, CWT_CLAIMS = 1, 3, 4, 15
EDDSA, ED25519 = -8, -19  # RFC 9864 prefers -19; today's tools read -8
ALGORITHMS = (EDDSA, ED25519)
ISS, SUB, AUD, IAT = 1, 2, 3, 6  # RFC 8392, 4

_TAG_18, _EMPTY, _NULL, _SIGNATURE_HEAD = b"\xd2", b"\xa0", b"\xf6", b"\x58\x40"

Parts = tuple[bytes, dict[Any, Any], bytes | None, bytes]  # protected header (encoded), unprotected, payload, signature


class Signs(Protocol):
    """Whatever holds a secret Ed25519 key."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`."""


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1: the protected header both as its signed bytes and decoded; a detached payload is None."""

    protected_bytes: bytes
    protected: dict[Any, Any]
    unprotected: dict[Any, Any]
    payload: bytes | None
    signature: bytes

    @classmethod
    def decode(cls, data: bytes) -> "Sign1":
        """Read a tagged COSE_Sign1 in its one encoding, or raise MalformedError."""
        head, unprotected, payload, signature = split(data)
        protected = cbor.decode_canonical(head)
        if not isinstance(protected, dict) or not protected:
            raise MalformedError("a COSE_Sign1's protected header is a map, and never empty")
        return cls(head, protected, unprotected, payload, signature)

    def encode(self) -> bytes:
        """The tagged COSE_Sign1 in its one encoding."""
        return join(self.protected_bytes, self.unprotected, self.payload, self.signature)

    def verify(self, public_key: bytes, detached: bytes | None = None) -> None:
        """Check the signature over the payload, or over `detached` where none is carried; raises SignatureError."""
        payload = self.payload if detached is None else detached
        if payload is None or None not in (self.payload, detached):
            raise SignatureError("a signature is over one payload: the one carried, or else a detached one")
        ed25519.verify(public_key, self.signature, to_be_signed(self.protected_bytes, payload))


def sign1(
    key: Signs,
    protected: dict[Any, Any],
    payload: bytes,
    *,
    unprotected: dict[Any, Any] | None = None,
    detached: bool = False,
) -> Sign1:
    """Sign `payload` under `protected`; a detached payload is signed but not carried (RFC 9052, 4.1)."""
    head = cbor.encode(protected)
    signature = key.sign(to_be_signed(head, payload))
    return Sign1(head, protected, unprotected or {}, None if detached else payload, signature)


def split(data: bytes) -> Parts:
    """The four parts of a tagged COSE_Sign1 in its one encoding, the protected header still encoded.

    Raises MalformedError if `data` is none. What the protected header encodes is its reader's to check.
    """
    if data[:1] != _TAG_18:
        raise MalformedError("not a tagged COSE_Sign1")
    reader = Reader(data)
    reader.expect(_TAG_18 + b"\x84", "not the four parts of a COSE_Sign1")
    head, unprotected = reader.bytes(), _unprotected(reader)
    payload = None if reader.skips(_NULL) else reader.bytes()
    reader.expect(_SIGNATURE_HEAD, "a COSE_Sign1 with a signature that is not 64 bytes")
    signature = reader.take(64)
    reader.end()
    return head, unprotected, payload, signature


def _unprotected(reader: Reader) -> dict[Any, Any]:
    if reader.skips(_EMPTY):
        return {}
    header = cbor.decode_first(reader.rest)
    cbor.require_plain(header)
    if not isinstance(header, dict):
        raise MalformedError("not the four parts of a COSE_Sign1")
    reader.expect(cbor.encode(header), "a COSE_Sign1's unprotected header is not in its one encoding")
    return header


def join(protected: bytes, unprotected: dict[Any, Any], payload: bytes | None, signature: bytes) -> bytes:
    """The one encoding of a tagged COSE_Sign1 of these parts: what `split` reads."""
    middle = cbor.encode(unprotected) if unprotected else _EMPTY
    carried = _NULL if payload is None else cbor.bytes_head(len(payload)) + payload
    end = cbor.bytes_head(len(signature)) + signature
    return b"".join((_TAG_18, b"\x84", cbor.bytes_head(len(protected)), protected, middle, carried, end))


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of a COSE_Sign1 without external data (RFC 9052, 4.4)."""
    # CBOR ["Signature1", protected, b"", payload], put together by hand: every statement needs it once.
    head = cbor.bytes_head(len(protected))
    return b"".join((b"\x84\x6aSignature1", head, protected, b"\x40", cbor.bytes_head(len(payload)), payload))
