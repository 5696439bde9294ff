"""The statement: what a device signs, and the very bytes that become an entry of the log.

A tagged COSE_Sign1 (RFC 9052) that is a SCITT Signed Statement as it stands. Its payload is the *manifest*; its
protected header says who speaks (`kid`, `iss`, `sub`), to which chain (`aud`), when (`iat`) and which link of which
stream this is (`tally`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger import cbor, cose, ed25519
from ledger.errors import MalformedError
from ledger.keys import SigningKey
from ledger.section import Line, Privacy

STATEMENT_BYTES_MAX = 65_535
CONTENT_TYPE = "application/vnd.tallystick+cbor"
TALLY = "tally"
EVENTS, TELEMETRY = 0, 1
LANES = (EVENTS, TELEMETRY)
STREAM_BYTES = 8
NO_PREVIOUS = bytes(32)
UINT63_MAX = 2**63 - 1
NAME_CHARS_MAX = 256
LINES_MAX = 64


StreamKey = tuple[bytes, int, bytes]  # kid, lane, stream: what seq and prev run over, on one chain


@dataclass(frozen=True, slots=True)
class Tally:
    """One link of a stream: lane 0 events, 1 telemetry; seq from 0; prev the SHA-256 of the link before.

    `clock` is the clock's quality: 0 unknown, 1 free-running since a sync, 2 NTP, 3 GNSS.
    """

    lane: int
    stream: bytes
    seq: int
    prev: bytes
    clock: int


@dataclass(frozen=True)
class Statement:
    """A signed statement. `issued_at` is in seconds since 1970 and is the device's claim."""

    kid: bytes
    issuer: str
    subject: str
    audience: str
    issued_at: int
    tally: Tally
    manifest: tuple[Line, ...]
    signature: bytes
    algorithm: int = cose.EDDSA

    @classmethod
    def decode(cls, data: bytes) -> "Statement":
        """Read a statement in its one encoding; any bytes give a Statement or MalformedError."""
        if not isinstance(data, bytes) or len(data) > STATEMENT_BYTES_MAX:
            raise MalformedError("a statement is at most 65,535 bytes")
        envelope = cose.Sign1.decode(data)
        if envelope.unprotected or envelope.payload is None:
            raise MalformedError("a statement has an empty unprotected header and carries its manifest")
        statement = _from_header(envelope.protected, manifest=_manifest(envelope.payload), signature=envelope.signature)
        # What was read is its one encoding: it need not be made again.
        signed = cose.to_be_signed(envelope.protected_bytes, envelope.payload)
        statement.__dict__.update(_data=data, _to_be_signed=signed)
        return statement

    @classmethod
    def sign(
        cls,
        key: SigningKey,
        *,
        issuer: str,
        subject: str,
        audience: str,
        issued_at: int,
        tally: Tally,
        manifest: Sequence[Line],
    ) -> "Statement":
        """A new statement, signed by `key`."""
        unsigned = cls(key.kid, issuer, subject, audience, issued_at, tally, tuple(manifest), bytes(64))
        signature = key.sign(cose.to_be_signed(cbor.encode(unsigned._header), unsigned._payload))
        return cls(key.kid, issuer, subject, audience, issued_at, tally, tuple(manifest), signature)

    def encode(self) -> bytes:
        """The statement's bytes: what is signed for, sent, and put in the leaf."""
        return self._data

    def verify(self, public_key: bytes) -> None:
        """Check the signature under `public_key` (32 bytes), or raise SignatureError."""
        ed25519.verify(public_key, self.signature, self._to_be_signed)

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the statement's bytes: its name, and the next link's `prev`."""
        return hashlib.sha256(self._data).digest()

    @cached_property
    def _data(self) -> bytes:
        head = cbor.encode(self._header)
        return cose.Sign1(head, self._header, {}, self._payload, self.signature).encode()

    @cached_property
    def _to_be_signed(self) -> bytes:
        return cose.to_be_signed(cbor.encode(self._header), self._payload)

    @property
    def stream_key(self) -> StreamKey:
        """Which stream of the chain this is a link of."""
        return self.kid, self.tally.lane, self.tally.stream

    @property
    def _header(self) -> dict[Any, Any]:
        tally = self.tally
        return {
            cose.ALG: self.algorithm,
            cose.CONTENT_TYPE: CONTENT_TYPE,
            cose.KID: self.kid,
            cose.CWT_CLAIMS: {
                cose.ISS: self.issuer,
                cose.SUB: self.subject,
                cose.AUD: self.audience,
                cose.IAT: self.issued_at,
            },
            TALLY: [1, tally.lane, tally.stream, tally.seq, tally.prev, tally.clock],
        }

    @property
    def _payload(self) -> bytes:
        return cbor.encode([[int(line.privacy), line.content_format, line.digest] for line in self.manifest])


def _from_header(header: dict[Any, Any], *, manifest: tuple[Line, ...], signature: bytes) -> Statement:
    match header:
        case {
            cose.ALG: int(algorithm),
            cose.CONTENT_TYPE: str(content_type),
            cose.KID: bytes(kid),
            cose.CWT_CLAIMS: {
                cose.ISS: str(issuer),
                cose.SUB: str(subject),
                cose.AUD: str(audience),
                cose.IAT: int(issued_at),
            } as claims,
            "tally": list(tally),
        } if len(header) == 5 and len(claims) == 4:
            pass
        case _:
            raise MalformedError("the protected header has not exactly a statement's labels")
    if algorithm not in cose.ALGORITHMS or content_type != CONTENT_TYPE or len(kid) != 32:
        raise MalformedError("the protected header's algorithm, content type or kid is not a statement's")
    if not all(0 < len(name) <= NAME_CHARS_MAX for name in (issuer, subject, audience)):
        raise MalformedError("iss, sub and aud are 1 to 256 characters")
    if isinstance(issued_at, bool) or not 0 <= issued_at <= UINT63_MAX:
        raise MalformedError("iat is not a time in seconds")
    return Statement(kid, issuer, subject, audience, issued_at, _tally(tally), manifest, signature, algorithm)


def _tally(value: list[Any]) -> Tally:
    match value:
        case [int(version), int(lane), bytes(stream), int(seq), bytes(prev), int(clock)]:
            pass
        case _:
            raise MalformedError("tally is [1, lane, stream, seq, prev, clock]")
    if any(isinstance(number, bool) for number in (version, lane, seq, clock)):
        raise MalformedError("tally holds a truth value for a number")
    if version != 1 or lane not in LANES or not 0 <= clock <= 3:
        raise MalformedError("tally has an unknown version, lane or clock quality")
    if len(stream) != STREAM_BYTES or len(prev) != 32 or not 0 <= seq <= UINT63_MAX:
        raise MalformedError("tally's stream, seq or prev is out of its range")
    if (seq == 0) != (prev == NO_PREVIOUS):
        raise MalformedError("a stream's first statement, and no other, has a prev of zeros")
    return Tally(lane, stream, seq, prev, clock)


def _manifest(payload: bytes) -> tuple[Line, ...]:
    lines = cbor.decode_canonical(payload, depth_max=3)
    if not isinstance(lines, list) or len(lines) > LINES_MAX:
        raise MalformedError("a manifest is an array of at most 64 lines")
    return tuple(_line(line) for line in lines)


def _line(value: Any) -> Line:
    match value:
        case [int(privacy), int(content_format), bytes(digest)] if not isinstance(privacy, bool):
            pass
        case _:
            raise MalformedError("a manifest's line is [privacy, content format, digest]")
    if privacy not in tuple(Privacy) or isinstance(content_format, bool) or not 0 <= content_format <= 65_535:
        raise MalformedError("a manifest's line has an unknown privacy or content format")
    if len(digest) != 32:
        raise MalformedError("a section's digest is 32 bytes")
    return Line(Privacy(privacy), content_format, digest)
