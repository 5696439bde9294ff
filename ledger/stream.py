"""Sections about a stream itself: its opening, what was evicted from it, what was refused (content format 65000)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger import cbor
from ledger.errors import MalformedError

REASONS = ("new", "lost", "restored", "rotated", "refused")
EVICTED_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Opening:
    """Why a stream begins, and the last that was known of the one before: (stream, seq, hash), or None."""

    reason: str
    previous: tuple[bytes, int, bytes] | None


@dataclass(frozen=True, slots=True)
class Evicted:
    """Lines whose sections gave way to newer ones when the spool was full: (stream, seq, line)."""

    lines: tuple[tuple[bytes, int, int], ...]


@dataclass(frozen=True, slots=True)
class RefusedBytes:
    """A statement that the gateway refused for good, for the record."""

    statement: bytes


def opening(reason: str, previous: tuple[bytes, int, bytes] | None) -> bytes:
    """The body of the section with which a stream opens, at seq 0."""
    return cbor.encode({"type": "open", "reason": reason, "previous": list(previous) if previous else None})


def evicted(lines: Sequence[tuple[bytes, int, int]]) -> bytes:
    """The body that names evicted lines."""
    return cbor.encode({"type": "evicted", "lines": [list(line) for line in lines]})


def refused(statement: bytes) -> bytes:
    """The body that carries a refused statement's bytes."""
    return cbor.encode({"type": "refused", "statement": statement})


def decode(body: bytes) -> Opening | Evicted | RefusedBytes:
    """Read a stream section's body; any bytes give one of the three or MalformedError."""
    match cbor.decode(body, depth_max=4):
        case {"type": "open", "reason": str(reason), "previous": previous} if reason in REASONS:
            return Opening(reason, _previous(previous))
        case {"type": "evicted", "lines": list(lines)} if len(lines) <= EVICTED_MAX:
            return Evicted(tuple(_line(line) for line in lines))
        case {"type": "refused", "statement": bytes(statement)}:
            return RefusedBytes(statement)
    raise MalformedError("not a stream section")


def _previous(value: Any) -> tuple[bytes, int, bytes] | None:
    match value:
        case None:
            return None
        case [bytes(stream), seq, bytes(hash_)] if len(stream) == 8 and len(hash_) == 32 and cbor.is_count(seq):
            return stream, seq, hash_
    raise MalformedError("previous is null or [stream, seq, hash]")


def _line(value: Any) -> tuple[bytes, int, int]:
    match value:
        case [bytes(stream), seq, line] if len(stream) == 8 and cbor.is_count(seq) and cbor.is_count(line):
            return stream, seq, line
    raise MalformedError("an evicted line is [stream, seq, line]")
