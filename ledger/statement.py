"""The statement: what a device signs, and the very bytes that become an entry of the log.

A tagged COSE_Sign1 (RFC 9052) that is a SCITT Signed Statement as it stands. Its payload is the *manifest*; its
protected header says who speaks (`kid`, `iss`, `sub`), to which chain (`aud`), when (`iat`) and which link of which
stream this is (`tally`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import cbor2

from ledger import cbor, cose, ed25519
from ledger.cbor_reader import Reader
from ledger.errors import MalformedError
from ledger.keys import SigningKey
from ledger.section import Line, Privacy

STATEMENT_BYTES_MAX = 65_535
_READ_BYTES_MAX = 8 * 1024  # the names and lines below take less: what has more is none, and is not looked into
CONTENT_TYPE = "application/vnd.tallystick+cbor"
TALLY = "tally"
EVENTS, TELEMETRY = 0, 1
LANES = (EVENTS, TELEMETRY)
STREAM_BYTES = 8
NO_PREVIOUS = bytes(32)
UINT63_MAX = 2**63 - 1
NAME_CHARS_MAX = 256
LINES_MAX = 64
SPEAKERS_KEPT = 4096
_ONE_LINE_MAX = 48
_PRIVACIES = tuple(Privacy)


StreamKey = tuple[bytes, int, bytes]  # kid, lane, stream: what seq and prev run over, on one chain


class Tally(NamedTuple):
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
        if len(data) > _READ_BYTES_MAX:
            raise MalformedError("no statement of such names and lines has so many bytes")
        head, unprotected, payload, signature = cose.split(data)
        if unprotected or payload is None:
            raise MalformedError("a statement has an empty unprotected header and carries its manifest")
        speaker, issued_at, tally = _read(head)
        statement = cls.__new__(cls)
        # As its constructor would, which sets one at a time; and what is known of it by now.
        statement.__dict__.update(
            kid=speaker.kid,
            issuer=speaker.issuer,
            subject=speaker.subject,
            audience=speaker.audience,
            issued_at=issued_at,
            tally=tally,
            manifest=_manifest(payload),
            signature=signature,
            algorithm=speaker.algorithm,
            hash=hashlib.sha256(data).digest(),
            stream_key=(speaker.kid, tally.lane, tally.stream),
            _data=data,
            _to_be_signed=cose.to_be_signed(head, payload),
        )
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
        signature = key.sign(unsigned._to_be_signed)
        return cls(key.kid, issuer, subject, audience, issued_at, tally, tuple(manifest), signature)

    def encode(self) -> bytes:
        """The statement's bytes: what is signed for, sent, and put in the leaf."""
        return self._data

    def verify(self, public_key: bytes) -> None:
        """Check the signature under `public_key` (32 bytes), or raise SignatureError."""
        ed25519.verify(public_key, self.signature, self._to_be_signed)

    @property
    def signed(self) -> bytes:
        """What the signature is over (RFC 9052, 4.4)."""
        return self._to_be_signed

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the statement's bytes: its name, and the next link's `prev`."""
        return hashlib.sha256(self._data).digest()

    @cached_property
    def _data(self) -> bytes:
        return cose.join(self._head, {}, self._payload, self.signature)

    @cached_property
    def _to_be_signed(self) -> bytes:
        return cose.to_be_signed(self._head, self._payload)

    @cached_property
    def stream_key(self) -> StreamKey:
        """Which stream of the chain this is a link of."""
        return self.kid, self.tally.lane, self.tally.stream

    @property
    def begun(self) -> bytes:
        """The protected header, encoded, up to the value of `iat`: the same in all that a key says to a chain."""
        return _speaker(self.algorithm, self.kid, self.issuer, self.subject, self.audience)

    @property
    def _head(self) -> bytes:
        """The protected header, encoded: labels in the order of their bytes are 1, 3, 4, 15, "tally"."""
        return b"".join((self.begun, cbor2.dumps(self.issued_at), b"\x65tally", cbor2.dumps([1, *self.tally])))

    @property
    def _payload(self) -> bytes:
        lines = [_line_head(line.privacy, line.content_format) + line.digest for line in self.manifest]
        return cbor.array_head(len(lines)) + b"".join(lines)


class _Speaker(NamedTuple):
    """What is the same in all that a device says to a chain: a protected header up to the value of `iat`."""

    algorithm: int
    kid: bytes
    issuer: str
    subject: str
    audience: str


@lru_cache(maxsize=SPEAKERS_KEPT, typed=True)
def _speaker(algorithm: int, kid: bytes, issuer: str, subject: str, audience: str) -> bytes:
    claims = {cose.ISS: issuer, cose.SUB: subject, cose.AUD: audience, cose.IAT: 0}
    header = {cose.ALG: algorithm, cose.CONTENT_TYPE: CONTENT_TYPE, cose.KID: kid, cose.CWT_CLAIMS: claims, TALLY: 0}
    return cbor.encode(header).removesuffix(b"\x00\x65tally\x00")


_heard: dict[bytes, tuple[bytes, _Speaker]] = {}  # by kid: the bytes that were read, and what they say


@lru_cache(maxsize=4096, typed=True)
def _line_head(privacy: Privacy, content_format: int) -> bytes:
    """A manifest's line as far as its digest."""
    return cbor.encode([int(privacy), content_format, bytes(32)])[:-32]


def _read(head: bytes) -> tuple[_Speaker, int, Tally]:
    """Read a protected header: its labels, in the order of their bytes, are 1, 3, 4, 15 and "tally"."""
    reader = Reader(head)
    begun, speaker = _heard.get(head[KID_AT : KID_AT + 32], (b"", None))
    if speaker is None or not reader.skips(begun):
        speaker = _read_speaker(reader)
        if len(_heard) >= SPEAKERS_KEPT:
            _heard.clear()
        _heard[speaker.kid] = head[: len(head) - len(reader.rest)], speaker
    issued_at = reader.uint()
    if issued_at > UINT63_MAX:
        raise MalformedError("iat is not a time in seconds")
    reader.expect(b"\x65tally", _LABELS)
    tally = _tally(reader)
    reader.end()
    return speaker, issued_at, tally


def _read_speaker(reader: Reader) -> _Speaker:
    reader.expect(b"\xa5\x01", _LABELS)
    algorithm = _ALGORITHMS.get(reader.take(1))
    if algorithm is None:
        raise MalformedError("the protected header's algorithm is not a statement's")
    reader.expect(_TYPE_AND_KID, "the protected header's content type or kid is not a statement's")
    kid = reader.take(32)
    reader.expect(b"\x0f\xa4\x01", _LABELS)
    issuer = reader.text()
    reader.expect(b"\x02", _LABELS)
    subject = reader.text()
    reader.expect(b"\x03", _LABELS)
    audience = reader.text()
    lengths = len(issuer), len(subject), len(audience)
    if not 0 < min(lengths) <= max(lengths) <= NAME_CHARS_MAX:
        raise MalformedError("iss, sub and aud are 1 to 256 characters")
    reader.expect(b"\x06", _LABELS)
    return _Speaker(algorithm, kid, issuer, subject, audience)


_LABELS = "the protected header has not exactly a statement's labels, each in its one encoding"
_ALGORITHMS = {cbor.encode(number): number for number in cose.ALGORITHMS}  # of one byte each
_TYPE_AND_KID = b"\x03" + cbor.encode(CONTENT_TYPE) + b"\x04" + cbor.bytes_head(32)
KID_AT = 3 + len(_TYPE_AND_KID)  # in a protected header


def _tally(reader: Reader) -> Tally:
    reader.expect(b"\x86\x01", "tally is [1, lane, stream, seq, prev, clock]")
    lane = reader.uint()
    reader.expect(b"\x48", "tally's stream is not 8 bytes")
    stream, seq = reader.take(STREAM_BYTES), reader.uint()
    reader.expect(b"\x58\x20", "tally's prev is not 32 bytes")
    prev, clock = reader.take(32), reader.uint()
    if lane not in LANES or clock > 3 or seq > UINT63_MAX:
        raise MalformedError("tally has an unknown lane or clock quality, or a seq out of its range")
    if (seq == 0) != (prev == NO_PREVIOUS):
        raise MalformedError("a stream's first statement, and no other, has a prev of zeros")
    return Tally(lane, stream, seq, prev, clock)


def _manifest(payload: bytes) -> tuple[Line, ...]:
    if len(payload) <= _ONE_LINE_MAX and (kind := _only_line(payload[:-32])) is not None:
        return (Line(*kind, payload[-32:]),)
    return _lines(payload)


@lru_cache(maxsize=4096)  # most have one line, of few kinds
def _only_line(head: bytes) -> tuple[Privacy, int] | None:
    """What stands before the digest in a manifest of one line; None if it is none."""
    try:
        [line] = _lines(head + bytes(32))
    except (MalformedError, ValueError):
        return None
    return line.privacy, line.content_format


def _lines(payload: bytes) -> tuple[Line, ...]:
    reader = Reader(payload)
    count = reader.array()
    if count > LINES_MAX:
        raise MalformedError("a manifest is an array of at most 64 lines")
    lines = tuple([_line(reader) for _ in range(count)])
    reader.end()
    return lines


def _line(reader: Reader) -> Line:
    reader.expect(b"\x83", "a manifest's line is [privacy, content format, digest]")
    privacy, content_format = reader.uint(), reader.uint()
    reader.expect(b"\x58\x20", "a section's digest is 32 bytes")
    if privacy >= len(_PRIVACIES) or content_format > 65_535:
        raise MalformedError("a manifest's line has an unknown privacy or content format")
    return Line(_PRIVACIES[privacy], content_format, reader.take(32))
