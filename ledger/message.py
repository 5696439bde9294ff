"""The message on the wire: a statement and its sections, one slot a manifest line."""

from collections.abc import Sequence
from typing import NamedTuple

import cbor2

from ledger.cbor_reader import Reader
from ledger.errors import MalformedError
from ledger.statement import LINES_MAX

MESSAGE_BYTES_MAX = 256 * 1024
_PAIR, _NULL = b"\x82", b"\xf6"
_WHAT = "a message is [statement, [section or null, …]]"


class Message(NamedTuple):
    """A statement's bytes and its sections' bytes; None where a section is not sent along."""

    statement: bytes
    sections: tuple[bytes | None, ...]


def encode(statement: bytes, sections: Sequence[bytes | None]) -> bytes:
    """CBOR `[statement, [section or null, …]]`."""
    return cbor2.dumps([statement, list(sections)])  # no map and no number: its shortest form is the one encoding


def decode(data: bytes, *, bytes_max: int = MESSAGE_BYTES_MAX) -> Message:
    """Read a message of at most `bytes_max`; any bytes give a Message or MalformedError."""
    if not isinstance(data, bytes) or len(data) > bytes_max:
        raise MalformedError(f"a message is at most {bytes_max} bytes")
    reader = Reader(data)
    reader.expect(_PAIR, _WHAT)
    statement, count = reader.bytes(), reader.array()
    if count > LINES_MAX:
        raise MalformedError(_WHAT)
    sections = tuple([None if reader.skips(_NULL) else reader.bytes() for _ in range(count)])
    reader.end()
    return Message(statement, sections)
