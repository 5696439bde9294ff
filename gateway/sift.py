"""Judging a batch: each message in turn, every admitted one moving its stream's head for those behind it."""

from collections import Counter
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.budget import cost
from gateway.judge import Admitted, Behind, Head, Refused, Streams, judge
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

    def sift(self, incoming: Iterable[Incoming], batch: Batch | None = None) -> Batch:
        """Judge each message in order, into a batch of its own or into one that was begun."""
        batch, streams = batch or Batch(), Streams(self.heads, self.known)
        for message in incoming:
            if message.what == "birth":
                self._birth(message, batch)
            else:
                self._statement(message, batch, streams)
        return batch

    def _statement(self, message: Incoming, batch: Batch, streams: Streams) -> None:
        verdict = judge(
            message.payload,
            topic=message.topic,
            origin=self.origin,
            registry=self.registry,
            suspended=self.suspended,
            streams=streams,
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
