"""Sections: content beside the log, bound to its statement by a salted digest.

The salt hides content that could be guessed; kid and privacy inside the digest keep anyone from claiming
another's section or relabelling how private it is.
"""

import enum
import hashlib
import os
from functools import lru_cache
from typing import NamedTuple

from ledger import cbor
from ledger.cbor_reader import Reader
from ledger.errors import MalformedError

SALT_BYTES = 16
SECTION_BYTES_MAX = 256 * 1024
_SALTED = b"\x82\x50"  # an array of two, and the head of the salt


class Privacy(enum.IntEnum):
    """Who may see a section."""

    PUBLIC = 0
    PARTNERS = 1
    PRIVATE = 2


class ContentFormat(enum.IntEnum):
    """What a section's body is (CoAP content formats, RFC 7252, 12.3; from 65000 on the experimental range)."""

    SENML_CBOR = 112  # RFC 8428
    COSE_ENCRYPT = 96  # RFC 9052; reserved for encrypted bodies
    STREAM = 65000  # a map of ours about the stream itself
    EPCIS = 65001  # an EPCIS 2.0 event: its JSON binding's object, one to one, as CBOR
    REGISTRY = 65002  # a registry entry
    DEFLATED_SENML = 65010  # reserved


class Line(NamedTuple):
    """A manifest's line: how private a section is, what its body is, and its digest (32 bytes)."""

    privacy: Privacy
    content_format: int
    digest: bytes


class Section(NamedTuple):
    """A body and the salt that hides it."""

    salt: bytes
    body: bytes

    @classmethod
    def new(cls, body: bytes) -> "Section":
        """A section with a fresh salt."""
        return cls(os.urandom(SALT_BYTES), body)

    @classmethod
    def decode(cls, data: bytes) -> "Section":
        """Read CBOR `[salt, body]` in its one encoding, or raise MalformedError."""
        if len(data) > SECTION_BYTES_MAX:
            raise MalformedError("a section over its size")
        reader = Reader(data)
        reader.expect(_SALTED, "a section is [salt of 16 bytes, body]")
        section = cls(reader.take(SALT_BYTES), reader.bytes())
        reader.end()
        return section

    def encode(self) -> bytes:
        """CBOR `[salt, body]`."""
        salt, body = self
        return b"".join((b"\x82", cbor.bytes_head(len(salt)), salt, cbor.bytes_head(len(body)), body))

    def digest(self, *, kid: bytes, privacy: int, content_format: int) -> bytes:
        """The digest by which a manifest of the key `kid` names this section: 32 bytes."""
        return _digest(self.encode(), kid, int(privacy), int(content_format))

    def line(self, *, kid: bytes, privacy: Privacy, content_format: int) -> Line:
        """The manifest line for this section."""
        return Line(privacy, content_format, self.digest(kid=kid, privacy=privacy, content_format=content_format))


def _digest(data: bytes, kid: bytes, privacy: int, content_format: int) -> bytes:
    """Of a section's bytes: what follows their head, salt and body, stands last in what is hashed, too."""
    return hashlib.sha256(_digest_head(kid, privacy, content_format) + data[1:]).digest()


@lru_cache(maxsize=4096, typed=True)
def _digest_head(kid: bytes, privacy: int, content_format: int) -> bytes:
    """What is hashed before a section's parts: the same for all sections of its kind that a device makes."""
    return cbor.encode(["tallystick-section/1", kid, privacy, content_format, 0, 0])[:-2]


def matching(line: Line, data: bytes | None, *, kid: bytes) -> Section | None:
    """The section that `data` holds if it is the one that `line` names, else None: it did not arrive whole."""
    if data is None:
        return None
    try:
        section = Section.decode(data)
    except MalformedError:
        return None
    return section if _digest(data, kid, int(line.privacy), line.content_format) == line.digest else None


def is_named(line: Line, data: bytes, *, kid: bytes) -> bool:
    """Whether `data` holds the section that `line` names: as `matching`, for whoever does not look inside."""
    privacy, content_format, digest = line
    if hashlib.sha256(_named_head(kid, privacy, content_format) + data[1:]).digest() != digest:
        return False
    return len(data) <= SECTION_BYTES_MAX and data.startswith(_SALTED) and data.startswith(_body_head(len(data)), 18)


@lru_cache(maxsize=16_384)
def _named_head(kid: bytes, privacy: Privacy, content_format: int) -> bytes:
    return _digest_head(kid, int(privacy), content_format)


@lru_cache(maxsize=4096)
def _body_head(size: int) -> bytes:
    """What stands before the body in a section of `size` bytes; nothing has what a section's size cannot be."""
    heads = (cbor.bytes_head(size - 18 - width) for width in (1, 2, 3, 5) if size >= 18 + width)
    return next((head for head in heads if size == 18 + len(head) + _length(head)), b"\xff")


def _length(head: bytes) -> int:
    return head[0] - 0x40 if len(head) == 1 else int.from_bytes(head[1:])
