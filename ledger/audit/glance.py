"""Reading statements of the common form at a glance: what an audit does for each of millions.

Nearly all are alike: of a speaker who was read before, with one line in the manifest. Such a one is read by one
pattern, which asks for its one encoding as `Statement.decode` does, at a quarter of the cost. All others are read
there; what is read, and what is refused, is the same.
"""

import re
from typing import NamedTuple

from ledger.section import Line, Privacy
from ledger.statement import KID_AT, NO_PREVIOUS, Statement

_BEGIN = b"\xd2\x84\x58"  # a tagged COSE_Sign1, whose protected header has 24 to 255 bytes
_BEGUN_AT = len(_BEGIN) + 1
_KID_FIRST, _KID_END = _BEGUN_AT + KID_AT, _BEGUN_AT + KID_AT + 32
# What follows a speaker: iat and tally; the unprotected header; a manifest of one line; the signature. Each number in
# its shortest form, each length as the line's content format makes it (RFC 8949, 3).
_REST = re.compile(
    rb"\x1a(?!\x00\x00).{4}\x65tally\x86\x01([\x00\x01])\x48(.{8})"
    rb"([\x00-\x17]|\x18[\x18-\xff]|\x19(?!\x00).{2}|\x1a(?!\x00\x00).{4})"
    rb"\x58\x20(.{32})[\x00-\x03]()"
    rb"\xa0\x58(\x26\x81\x83[\x00-\x02][\x00-\x17]|\x27\x81\x83[\x00-\x02]\x18[\x18-\xff]"
    rb"|\x28\x81\x83[\x00-\x02]\x19(?!\x00).{2})\x58\x20(.{32})\x58\x40(.{64})",
    re.DOTALL,
)


_new = tuple.__new__  # makes a named tuple at a third of what its own constructor costs
SPEAKERS_KEPT = 16_384


class Speaker(NamedTuple):
    """Who says it, and to which chain; `begun` is what the protected header begins with."""

    kid: bytes
    issuer: str
    subject: str
    audience: str
    begun: bytes


class Glance(NamedTuple):
    """A statement, as far as an audit looks at it; `signed` is what `signature` is over."""

    speaker: Speaker
    lane: int
    stream: bytes
    seq: int
    prev: bytes
    lines: tuple[Line, ...]
    signature: bytes
    signed: bytes


class Glances:
    """Reads statements, and remembers their speakers."""

    def __init__(self) -> None:
        self._speakers: dict[bytes, Speaker] = {}
        self._kinds: dict[bytes, tuple[Privacy, int]] = {}  # by what a manifest of one line begins with

    def read(self, data: bytes) -> Glance:
        """Read one; any bytes give a Glance or MalformedError, as `Statement.decode` does."""
        speaker = self._speakers.get(data[_KID_FIRST:_KID_END])
        if speaker is None or not data.startswith(speaker.begun, _BEGUN_AT):
            return self._read(data)
        found = _REST.fullmatch(data, _BEGUN_AT + len(speaker.begun))
        if found is None or not data.startswith(_BEGIN):
            return self._read(data)
        lane, stream, number, prev, _, kind, digest, signature = found.groups()
        end = found.end(5)
        seq = number[0] if len(number) == 1 else int.from_bytes(number[1:])
        if data[3] != end - _BEGUN_AT or (seq == 0) != (prev == NO_PREVIOUS):
            return self._read(data)
        privacy, content_format = self._kinds.get(kind) or self._kind(kind)
        signed = b"\x84\x6aSignature1" + data[2:end] + b"\x40" + data[end + 1 : -66]  # RFC 9052, 4.4
        lines = (_new(Line, (privacy, content_format, digest)),)
        return _new(Glance, (speaker, lane[0], stream, seq, prev, lines, signature, signed))

    def _kind(self, head: bytes) -> tuple[Privacy, int]:
        content_format = head[4] if len(head) == 5 else int.from_bytes(head[5:])
        kind = self._kinds[head] = Privacy(head[3]), content_format
        return kind

    def _read(self, data: bytes) -> Glance:
        read = Statement.decode(data)
        speaker = Speaker(read.kid, read.issuer, read.subject, read.audience, read.begun)
        if len(self._speakers) >= SPEAKERS_KEPT:
            self._speakers.clear()
        self._speakers[read.kid] = speaker
        tally = read.tally
        return Glance(
            speaker, tally.lane, tally.stream, tally.seq, tally.prev, read.manifest, read.signature, read.signed
        )
