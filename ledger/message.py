"""The message on the wire: a statement and its sections, one slot a manifest line."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cbor2

from ledger import cbor
from ledger.errors import MalformedError
from ledger.statement import LINES_MAX

MESSAGE_BYTES_MAX = 256 * 1024
_SLOTS = frozenset({bytes, type(None)})


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
    match cbor.decode_first(data):
        case [bytes(statement), list(sections)] if len(sections) <= LINES_MAX and _SLOTS.issuperset(
            map(type, sections)
        ):
            if encode(statement, sections) != data:
                raise MalformedError("a message that is not in its one encoding")
            return Message(statement, tuple(sections))
    raise MalformedError("a message is [statement, [section or null, …]]")


def _are_slots(sections: list[Any]) -> bool:
    return _SLOTS.issuperset(map(type, sections))
