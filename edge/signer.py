"""Signing: each change of a stream, and its statements, in one transaction of the spool.

Nothing is ever signed at a seq that may have been used before. A stream is signed into only while it is cleared: it
was opened by this process, or the ledger has shown that it knows no more of it. Else a new stream is opened.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.clock import Moment
from edge.spool import Held, Spool, Stream, is_evictable
from ledger import stream as stream_sections
from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.message import MESSAGE_BYTES_MAX
from ledger.refusal import Reason, Refusal
from ledger.section import ContentFormat, Line, Privacy, Section
from ledger.statement import EVENTS, STREAM_BYTES, TELEMETRY, Statement, Tally

SECTIONS_BYTES_MAX = MESSAGE_BYTES_MAX - 4_096  # the rest is for the statement and the message around it
EVICTED_AT_ONCE = 1_000
_ROOM = 2_048  # bytes that an opening and a statement take, roughly
# Refused for where they stood, not for what they are: they are signed again elsewhere.
_MISPLACED = (Reason.CLOSED_STREAM, Reason.LINK)

Previous = tuple[bytes, int, bytes]


@dataclass(frozen=True, slots=True)
class Content:
    """A section to be: who may see it, what its body is, the body."""

    privacy: Privacy
    content_format: ContentFormat
    body: bytes


class SpoolFullError(Exception):
    """The spool is full, and nothing in it may give way: telemetry waits."""


class StoppedError(UserError):
    """The ledger takes nothing from this key at present, so nothing is signed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the ledger has refused this device: {reason}",
            "ask the ledger's operator; the agent goes on by itself once the device is registered and good",
        )


@dataclass(frozen=True, slots=True)
class Signer:
    """The device's pen: its key, its names, and the spool that everything signed goes into.

    `clock_quality` gives the `clk` of a statement; `may_continue` says, inside a transaction, whether a cleared
    stream may be trusted to be cleared.
    """

    key: SigningKey
    issuer: str
    subject: str
    audience: str
    spool: Spool
    bytes_max: int
    clock_quality: Callable[[int], int]
    may_continue: Callable[[], bool] = lambda: True

    def bind(self) -> None:
        """Make the spool this device's, or raise UserError if it is another's."""
        self.spool.bind(key=self.key.kid.hex(), name=self.subject, ledger=self.audience)

    # Signing content

    def events(self, bodies: Sequence[Content], now: Moment) -> list[Statement]:
        """Sign one statement an event; all of them or, on any error, none. Raises UserError."""
        for body in bodies:
            if len(body.body) > SECTIONS_BYTES_MAX:
                raise UserError(f"an event has {len(body.body)} bytes, over {SECTIONS_BYTES_MAX}", "split it in two")
        with self.spool.transaction():
            self._require_going()
            self._make_room(sum(_ROOM + len(body.body) for body in bodies))
            stream = self._stream_for(EVENTS, now)
            return [self._sign(stream.name, [body], now) for body in bodies]

    def pack(self, content: Content, now: Moment, *, sensor: str, cursor: str | None) -> Statement:
        """Sign a pack of readings and move its sensor's cursor; raises SpoolFullError or StoppedError."""
        with self.spool.transaction():
            self._require_going()
            if not self._make_room(_ROOM + len(content.body)):
                raise SpoolFullError
            stream = self._stream_for(TELEMETRY, now)
            statement = self._sign(stream.name, [content], now)
            if cursor is not None:
                self.spool.set_cursor(sensor, cursor)
            return statement

    def name_evicted(self, now: Moment) -> bool:
        """Sign for what was evicted, if anything was."""
        with self.spool.transaction():
            if not self.spool.evicted(1):
                return False
            self._sign_evicted(self._stream_for(TELEMETRY, now), now)
            return True

    def _require_going(self) -> None:
        stopped = stopped_reason(self.spool)
        if stopped is not None:
            raise StoppedError(stopped)

    def _make_room(self, wanted: int) -> bool:
        """Evict until `wanted` more bytes fit; whether they do."""
        over = self.spool.bytes_held() + wanted - self.bytes_max
        if over > 0 and self.spool.evict(over):
            over = self.spool.bytes_held() + wanted - self.bytes_max
        return over <= 0

    # Streams

    def _stream_for(self, lane: int, now: Moment) -> Stream:
        """The lane's stream, ready to be signed into; what was evicted is named first, by a thousand at a time."""
        stream = self.spool.open_stream(lane)
        if stream is None:
            stream = self._open(lane, "new", None, now)
        elif not (stream.is_cleared and self.may_continue()):
            stream = self._open(lane, "lost", stream.last, now)
        if lane == TELEMETRY and len(self.spool.evicted(EVICTED_AT_ONCE)) == EVICTED_AT_ONCE:
            self._sign_evicted(stream, now)
        return stream

    def _open(self, lane: int, reason: str, previous: Previous | None, now: Moment) -> Stream:
        stream = self.spool.add_stream(lane, os.urandom(STREAM_BYTES), reason)
        body = stream_sections.opening(reason, previous)
        self._sign(stream.name, [Content(Privacy.PUBLIC, ContentFormat.STREAM, body)], now)
        return stream

    def _sign_evicted(self, stream: Stream, now: Moment) -> None:
        lines = self.spool.evicted(EVICTED_AT_ONCE)
        body = stream_sections.evicted(lines)
        self._sign(stream.name, [Content(Privacy.PUBLIC, ContentFormat.STREAM, body)], now)
        self.spool.forget_evicted(lines)

    def restore(self, lane: int, previous: Previous, now: Moment) -> None:
        """The ledger has more of this lane than the spool: go on in a new stream.

        If `previous` names a stream of ours, its statements that cannot be proven are signed anew in the new one.
        """
        with self.spool.transaction():
            target = self._open(lane, "restored", previous, now)
            behind = self.spool.stream(previous[0])
            if behind is not None:
                self._move(self.spool.held(behind, 0), behind, target, now)

    def salvage(self, name: bytes, now: Moment) -> None:
        """The ledger has more of a stream that is closed by now: sign what is left of it anew, in the open one."""
        with self.spool.transaction():
            behind = self.spool.stream(name)
            target = behind and self.spool.open_stream(behind.lane)
            if behind is not None and target is not None and target.id != behind.id:
                self._move(self.spool.held(behind, 0), behind, target, now)

    def go_on(self, stream: Stream, known: int, now: Moment) -> None:
        """The ledger has forgotten what came after seq `known` of our open stream (-1: all of it): go on in a new one.

        Its opening names the last that was signed. What is still here of all that the ledger has not is signed anew.
        """
        with self.spool.transaction():
            earlier = self.spool.unproven_before(stream)
            target = self._open(stream.lane, "lost", stream.last, now)
            for behind in earlier:
                self._move(self.spool.held(behind, 0), behind, target, now)
            self._move(self.spool.kept(stream, known + 1), stream, target, now)

    # Refusals

    def refuse(self, refusal: Refusal, now: Moment) -> bool:
        """Act on a refusal that was found to be good; False if it is of no statement that waits here."""
        with self.spool.transaction():
            stream = self.spool.stream(refusal.stream)
            if stream is None or stream.lane != refusal.lane:
                return False
            held = self.spool.held(stream, refusal.seq)
            if not held or (held[0].seq, held[0].hash) != (refusal.seq, refusal.statement_hash):
                return False
            if _stops(refusal, stream):
                self._stop(refusal, now)
            else:
                self._go_round(held, stream, refusal, now)
            return True

    def _stop(self, refusal: Refusal, now: Moment) -> None:
        """Remember that the ledger refuses this device, since when, and for which statement."""
        stopped = {"reason": str(refusal.reason), "at": now.issued_at}
        self.spool.set_state("stopped", json.dumps({**stopped, "stream": refusal.stream.hex(), "seq": refusal.seq}))

    def waits_for_refused(self) -> bool:
        """Whether the statement for whose refusal we stopped still waits."""
        stopped = json.loads(self.spool.state("stopped") or "{}")
        stream = self.spool.stream(bytes.fromhex(stopped.get("stream", "")))
        return stream is not None and self.spool.is_unproven(stream, stopped["seq"])

    def _go_round(self, held: list[Held], stream: Stream, refusal: Refusal, now: Moment) -> None:
        """Leave the refused statement behind: its bytes go on record, what followed it is signed anew."""
        refused, *rest = held
        target = self.spool.open_stream(stream.lane)
        assert target is not None
        if target.id == stream.id:
            prev = Statement.decode(refused.bytes).tally.prev
            target = self._open(stream.lane, "refused", (stream.name, refused.seq - 1, prev), now)
        body = stream_sections.refused(refused.bytes)
        self._sign(target.name, [Content(Privacy.PRIVATE, ContentFormat.STREAM, body)], now)
        if refusal.reason in _MISPLACED:
            rest = held
        else:
            self.spool.keep_refused(str(refusal.reason), self.spool.message(refused.id) or refused.bytes)
            self.spool.forget_evicted([(stream.name, refused.seq, line) for line in range(refused.lines)])
            self.spool.remove(refused.id)
        self._move(rest, stream, target, now)

    def _move(self, held: Sequence[Held], source: Stream, target: Stream, now: Moment) -> None:
        """Sign manifests anew in another stream. Digests do not depend on the stream: the sections stay as they are."""
        for item in held:
            if item.seq > 0:  # an opening is about its own stream alone
                old = Statement.decode(item.bytes)
                new, statement = self._link(target.name, old.manifest, now, [None] * item.lines)
                here = self.spool.move_sections(item.id, new)
                seq = statement.tally.seq
                self.spool.add_evicted([(target.name, seq, line) for line in range(item.lines) if line not in here])
            self.spool.forget_evicted([(source.name, item.seq, line) for line in range(item.lines)])
            self.spool.remove(item.id)

    # The pen itself

    def _sign(self, stream: bytes, contents: Sequence[Content], now: Moment) -> Statement:
        sections = [(content, Section.new(content.body)) for content in contents]
        manifest = [
            section.line(kid=self.key.kid, privacy=content.privacy, content_format=content.content_format)
            for content, section in sections
        ]
        spooled = [(section.encode(), content.content_format != ContentFormat.STREAM) for content, section in sections]
        return self._link(stream, manifest, now, spooled)[1]

    def _link(
        self, name: bytes, manifest: Sequence[Line], now: Moment, sections: Sequence[tuple[bytes, bool] | None]
    ) -> tuple[int, Statement]:
        """Sign the stream's next link, and spool it with its sections (bytes, whether it is content)."""
        stream = self.spool.stream(name)
        assert stream is not None
        statement = Statement.sign(
            self.key,
            issuer=self.issuer,
            subject=self.subject,
            audience=self.audience,
            issued_at=now.issued_at,
            tally=Tally(stream.lane, name, stream.next_seq, stream.head, self.clock_quality(now.ticks_ms)),
            manifest=manifest,
        )
        spooled = [
            section and (section[0], is_evictable(stream.lane, about_the_stream=not section[1])) for section in sections
        ]
        return self.spool.add(stream, statement, spooled), statement


def _stops(refusal: Refusal, stream: Stream) -> bool:
    """Whether to stop: the key is not good, or what opens a stream is refused, and a further one would be, too."""
    is_first = refusal.seq == 0 or (stream.reason == "refused" and refusal.seq == 1)
    return refusal.reason.stops_the_key or is_first


def stopped_reason(spool: Spool) -> str | None:
    """Why the ledger refuses this device, or None if it does not."""
    stopped = spool.state("stopped")
    return None if stopped is None else str(json.loads(stopped)["reason"])
