"""What the gateway publishes: receipts, answers to births, refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway import answers
from gateway.judge import Head, Refused
from gateway.sift import Incoming
from ledger.birth import Birth
from ledger.receipt import Answer
from ledger.refusal import Refusal
from ledger.registry import Key, Registry, Role
from ledger.seal import ChainWriter
from ledger.statement import LANES, StreamKey
from ledger.topic import Topic


@dataclass(frozen=True, slots=True)
class Publication:
    """A message for the broker."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Replies:
    """Writes replies from a chain's state after a block. `root` is what root keys have said, if the log's key changed.

    That goes with the answer to a birth, for which a device asks that meets a key which it does not know.
    """

    writer: ChainWriter
    registry: Registry
    heads: Mapping[tuple[bytes, int], Head]
    root: Sequence[bytes] = ()

    def receipts(
        self, sealed: Mapping[StreamKey, Sequence[answers.Sealed]], repeated: Mapping[StreamKey, int]
    ) -> list[Publication]:
        """One receipt for each stream that moved on or sent again; services read the ledger and want none."""
        replies = []
        for stream in {**sealed, **repeated}:
            key = self.registry.key(stream[0])
            if key is not None and key.role is Role.DEVICE:
                statements = self._since(stream, repeated[stream]) if stream in repeated else sealed[stream]
                replies.append(self._receipt(key, stream, statements))
        return replies

    def welcome(self, source: Incoming, birth: Birth) -> list[Publication]:
        """For each lane the current receipt of the stream that the agent holds for open, and of the one that is."""
        key = self.registry.key(birth.kid)
        assert key is not None  # the sieve has seen to it
        return [reply for lane in LANES for reply in self._welcome_lane(source, birth, key, lane)]

    def refusal(self, source: Incoming, refused: Refused) -> list[Publication]:
        """A signed refusal, if it is one for good."""
        statement = refused.statement
        if statement is None:
            return []
        tally = statement.tally
        refusal = Refusal(
            audience=self.writer.origin,
            kid=statement.kid,
            lane=tally.lane,
            stream=tally.stream,
            seq=tally.seq,
            statement_hash=statement.hash,
            reason=refused.reason,
            size=self.writer.size,
        )
        return [Publication(source.topic.refusal(tally.lane), refusal.sign(self.writer.key))]

    def _welcome_lane(self, source: Incoming, birth: Birth, key: Key, lane: int) -> list[Publication]:
        wanted: dict[StreamKey, int] = {}
        head = self.heads.get((birth.kid, lane))
        if head is not None:
            wanted[birth.kid, lane, head.stream] = head.seq
        if lane in birth.unconfirmed:
            stream, seq = birth.unconfirmed[lane]
            wanted[birth.kid, lane, stream] = seq
        replies = [
            self._receipt(key, stream, self._since(stream, seq), birth.nonce)
            for stream, seq in wanted.items()
            if stream in self.writer.streams
        ]
        if not replies:
            nothing = Answer(None, None, None, (), (), birth.nonce, tuple(self.root))
            replies.append(Publication(source.topic.receipt(lane), nothing.encode()))
        return replies

    def _receipt(
        self, key: Key, stream: StreamKey, statements: Sequence[answers.Sealed], nonce: bytes | None = None
    ) -> Publication:
        root = self.root if nonce is not None else ()
        answer = answers.answer(self.writer, stream, key.subject, statements, nonce=nonce, root=root)
        head = self.heads.get(stream[:2])
        is_open = head is not None and head.stream == stream[2]
        return Publication(Topic(self.writer.chain, key.name).receipt(stream[1]), answer.encode(), retain=is_open)

    def _since(self, stream: StreamKey, seq: int) -> list[answers.Sealed]:
        return answers.since(self.writer.connection, self.writer.streams[stream], seq)
