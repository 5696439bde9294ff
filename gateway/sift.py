"""Judging a batch: each message in turn, every admitted one moving its stream's head for those behind it."""

from collections import Counter
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from gateway.budget import cost
from gateway.judge import Admitted, Behind, Head, Opened, Refused, Streams, is_signed, opened, placed
from ledger.birth import Birth
from ledger.errors import MalformedError
from ledger.refusal import Reason
from ledger.registry import Registry
from ledger.statement import StreamKey
from ledger.topic import Topic


class Incoming(NamedTuple):
    """A message from the broker or the inbox. `what` is the topic's last part: `statement` or `birth`.

    `arrived` is when the broker delivered it, in seconds of the monotonic clock.
    """

    topic: Topic
    what: str
    payload: bytes
    arrived: float | None = None


@dataclass
class Batch:
    """What judging a batch came to."""

    admitted: list[Admitted] = field(default_factory=list)
    behind: list[tuple[Incoming, Behind]] = field(default_factory=list)
    refused: list[tuple[Incoming, Refused]] = field(default_factory=list)
    births: list[tuple[Incoming, Birth]] = field(default_factory=list)
    earned: Counter[str] = field(default_factory=Counter)  # what the admitted cost, by the topic's device


@dataclass
class Sieve:
    """A chain's state as judging needs it. `heads` and `known` move on with what is admitted."""

    origin: str
    registry: Registry
    suspended: frozenset[bytes]
    heads: MutableMapping[tuple[bytes, int], Head]
    known: set[StreamKey]

    @cached_property
    def _streams(self) -> Streams:
        return Streams(self.heads, self.known)

    def sift(self, incoming: Iterable[Incoming], batch: Batch | None = None) -> Batch:
        """Judge each message in order, into a batch of its own or into one that was begun."""
        batch, messages = batch or Batch(), list(incoming)
        found = [None if message.what == "birth" else opened(message.payload, self.registry) for message in messages]
        signed = [isinstance(one, Opened) and is_signed(one) for one in found]
        for message, one, holds in zip(messages, found, signed, strict=True):
            if one is None:
                self._birth(message, batch)
            elif isinstance(one, Refused):
                batch.refused.append((message, one))
            elif not holds:
                batch.refused.append((message, Refused(Reason.SIGNATURE)))
            else:
                self._signed(message, one, batch)
        return batch

    def _signed(self, message: Incoming, found: Opened, batch: Batch) -> None:
        verdict = placed(
            found, topic=message.topic, origin=self.origin, suspended=self.suspended, streams=self._streams
        )
        if isinstance(verdict, Admitted):
            statement, tally = verdict.statement, verdict.statement.tally
            self.heads[statement.kid, tally.lane] = Head(tally.stream, tally.seq, statement.hash)
            self.known.add(statement.stream_key)
            batch.admitted.append(verdict)
            batch.earned[message.topic.device] += cost(len(message.payload))
        elif isinstance(verdict, Behind):
            batch.behind.append((message, verdict))
        else:
            batch.refused.append((message, verdict))

    def _birth(self, message: Incoming, batch: Batch) -> None:
        try:
            birth = Birth.decode(message.payload)
        except MalformedError:
            batch.refused.append((message, Refused(Reason.MALFORMED)))
            return
        key = self.registry.key(birth.kid)
        if key is None or key.name != message.topic.device:
            batch.refused.append((message, Refused(Reason.UNKNOWN_KEY)))
        else:
            batch.births.append((message, birth))
