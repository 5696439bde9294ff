"""Judging one message: is it the next link of its stream, a repeat, or refused, and why.

In three steps, `opened`, `is_signed` and `placed`: many signatures one after the other take less than each for itself.
Pure: bytes, the registry and the stream heads come in, a verdict goes out. What is admitted depends on the envelope
alone, never on the content, so that a stream in the ledger has no holes by construction.
"""

from collections.abc import Container, Mapping
from itertools import zip_longest
from typing import NamedTuple

from ledger import message
from ledger.errors import MalformedError, SignatureError
from ledger.message import MESSAGE_BYTES_MAX, Message
from ledger.refusal import Reason
from ledger.registry import Key, Registry, Status
from ledger.section import Section, matching
from ledger.statement import Statement, StreamKey
from ledger.topic import Topic

OVERSIZED_READ_MAX = 4 * MESSAGE_BYTES_MAX  # beyond this not even a refusal is worth the work


class Head(NamedTuple):
    """The newest link of a lane's open stream."""

    stream: bytes
    seq: int
    hash: bytes


class Streams(NamedTuple):
    """What the writer of a chain knows of its streams: the open one of each (kid, lane), and all that there were."""

    heads: Mapping[tuple[bytes, int], Head]
    known: Container[StreamKey]


class Admitted(NamedTuple):
    """The next link of its stream. A section is None where it did not arrive whole."""

    statement: Statement
    data: bytes
    sections: tuple[Section | None, ...]


class Behind(NamedTuple):
    """A link at or before its stream's head: a repeat if the ledger has the same statement there, else a fork."""

    statement: Statement
    data: bytes
    sections: tuple[Section | None, ...]


class Refused(NamedTuple):
    """Not admitted. With a statement it is refused for good and answered; without one it is never answered."""

    reason: Reason
    statement: Statement | None = None
    data: bytes = b""


Verdict = Admitted | Behind | Refused


class Opened(NamedTuple):
    """A statement whose signature is not checked yet, the key that it names, the message, and that one's size."""

    statement: Statement
    key: Key
    sent: Message
    size: int


def opened(payload: bytes, registry: Registry) -> Opened | Refused:
    """What a message says that it is: readable, and by a key that is known."""
    try:
        sent = message.decode(payload, bytes_max=OVERSIZED_READ_MAX)
        statement = Statement.decode(sent.statement)
    except MalformedError:
        return Refused(Reason.OVERSIZED if len(payload) > MESSAGE_BYTES_MAX else Reason.MALFORMED)
    key = registry.key(statement.kid)
    return Refused(Reason.UNKNOWN_KEY) if key is None else Opened(statement, key, sent, len(payload))


def is_signed(found: Opened) -> bool:
    """Whether its key has signed it."""
    try:
        found.statement.verify(found.key.public_key)
    except SignatureError:
        return False
    return True


def placed(
    found: Opened, *, topic: Topic, origin: str, suspended: frozenset[bytes] = frozenset(), streams: Streams
) -> Verdict:
    """Judge what is signed: may its key say so, and where does it stand?"""
    statement, key, sent, size = found
    reason = _reason_against(statement, key, topic, origin, suspended)
    if reason is None and size > MESSAGE_BYTES_MAX:
        reason = Reason.OVERSIZED
    if reason is not None:
        return Refused(reason, statement, sent.statement)
    return _place(statement, sent, streams)


def _reason_against(
    statement: Statement, key: Key, topic: Topic, origin: str, suspended: frozenset[bytes]
) -> Reason | None:
    """Why a validly signed statement is refused for good, or None."""
    if key.status is Status.REVOKED:
        return Reason.REVOKED
    if key.status is Status.SUSPENDED or key.kid in suspended:
        return Reason.SUSPENDED
    spoken = (statement.issuer, statement.subject, statement.audience, topic.device)
    if spoken != (key.issuer, key.subject, origin, key.name):
        return Reason.ENVELOPE  # nobody speaks for a neighbour, or replays into another chain
    return None if topic.chain in key.chains else Reason.ROLE


def _place(statement: Statement, sent: Message, streams: Streams) -> Verdict:
    """Where the statement stands in its stream."""
    tally, lane = statement.tally, (statement.kid, statement.tally.lane)
    known = statement.stream_key in streams.known
    head = streams.heads.get(lane)
    if not known:
        return Refused(Reason.GAP) if tally.seq else Admitted(statement, sent.statement, _whole(statement, sent))
    if head is None or head.stream != tally.stream or tally.seq <= head.seq:
        return Behind(statement, sent.statement, _whole(statement, sent))
    if tally.seq > head.seq + 1:
        return Refused(Reason.GAP)
    if tally.prev != head.hash:
        return Refused(Reason.LINK, statement, sent.statement)
    return Admitted(statement, sent.statement, _whole(statement, sent))


def _whole(statement: Statement, sent: Message) -> tuple[Section | None, ...]:
    """The sections that are what their manifest lines name; slots that fit no line are passed over."""
    slots = zip_longest(statement.manifest, sent.sections[: len(statement.manifest)])
    return tuple([matching(line, data, kid=statement.kid) for line, data in slots])
