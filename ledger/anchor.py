"""Entries of the anchor, the log of logs: `[kind, bytes]`."""

import enum

from ledger import cbor
from ledger.errors import MalformedError


class Kind(enum.IntEnum):
    """What an anchor entry holds."""

    HEADER = 0  # a block header of one of our chains
    CHECKPOINT = 1  # a partner's checkpoint


def encode(kind: Kind, data: bytes) -> bytes:
    """An anchor entry's bytes."""
    return cbor.encode([int(kind), data])


def decode(entry: bytes) -> tuple[Kind, bytes]:
    """Read an anchor entry; any bytes give (kind, bytes) or MalformedError."""
    match cbor.decode_canonical(entry, depth_max=2):
        case [int(kind), bytes(data)] if not isinstance(kind, bool) and kind in tuple(Kind):
            return Kind(kind), data
    raise MalformedError("an anchor entry is [kind, bytes]")
