"""The agent: reads sensors, signs, sends, and lets go of what is proven.

One thread owns the spool and all state. `turn` does whatever is due at a moment and says when it wants to be called
again; `take` acts on what came from the broker. Neither sleeps: `edge.service` does.
"""

import logging
import os
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge import confirm, log_keys, window
from edge.clock import Moment
from edge.config import Config
from edge.confirm import Ahead, Behind, Device, Flaw, Ignored, NoStream, Proven
from edge.publisher import Arrived, Connected, Happening, Lost, Post
from edge.sensors import Pack, Sensor
from edge.signer import SECTIONS_BYTES_MAX, Content, Signer, SpoolFullError, stopped_reason
from edge.spool import Spool, Stream
from edge.status import Receipt, Trouble, remember_broker, remember_receipt
from ledger import senml
from ledger.birth import NONCE_BYTES, Birth
from ledger.errors import MalformedError, TrustError
from ledger.section import ContentFormat, Privacy
from ledger.senml import RELATIVE_BELOW, Reading
from ledger.statement import EVENTS, LANES, TELEMETRY
from ledger.topic import Topic

OFFLINE_MS = 10_000  # after this long without an answer, an agent that starts opens new streams
HOLD_MS = 1_000  # how long a new connection waits for the answer to its birth before it sends
REST_MS = 1_000  # how long a sensor that failed, or a connection that takes no more, is left alone
PROBE_MS = 600_000  # how often a refused device asks again
ASK_MS = 60_000  # how often, at most, a device asks for the log's keys when it meets one that it does not know
CONFIRM_LOW_SHARE = 0.9  # of the spool: below this, evictions are over for now, and are signed for

log = logging.getLogger("tallystick.edge")

_LANE_NAMES = {EVENTS: "events", TELEMETRY: "telemetry"}


@dataclass
class Mouth:
    """A sensor that the agent reads, and what it gave that is not signed yet: a section's body and a cursor."""

    name: str
    privacy: Privacy
    sensor: Sensor
    pack: tuple[bytes, str | None] | None = None
    is_failing: bool = False
    rest_until_ms: int = 0

    def due_ms(self) -> int | None:
        """When it is to be read; one that failed gets a rest."""
        due_ms = self.sensor.due_ms
        return None if due_ms is None else max(due_ms, self.rest_until_ms)


@dataclass(frozen=True, slots=True)
class Asked:
    """What had been proven of a lane's open stream when the gateway was asked: no honest answer tells of less."""

    stream: bytes
    first_unproven: int
    receipt_size: int


@dataclass
class Lane:
    """What the agent knows of a lane beside the spool."""

    flight: window.Flight = field(default_factory=window.Flight)
    is_answered: bool = False  # since it was last asked
    asked: Asked | None = None
    waiting: tuple[int, ...] | None = None  # numbers in the spool; None: to be read anew


class Agent:
    """An agent that holds the folder's locks and has taken its spool over. It sends by `post`."""

    def __init__(
        self,
        config: Config,
        *,
        spool: Spool,
        signer: Signer,
        device: Device,
        post: Post,
        mouths: list[Mouth],
        now: Moment,
    ) -> None:
        self._config, self._topic = config, config.topic
        self._spool, self._signer, self._device, self._post = spool, signer, device, post
        self._mouths = mouths
        self._lanes = {lane: Lane() for lane in LANES}
        self._offline_ms = now.ticks_ms + OFFLINE_MS
        self._is_connected, self._trouble = False, ""
        self._nonce, self._birth_attempts, self._birth_due_ms = b"", 0, 0
        self._probe_due_ms, self._send_due_ms, self._ask_due_ms = 0, 0, 0
        self._is_full = False
        self.counts: Counter[str] = Counter()
        self.refused_since_start = False

    # What is due

    def turn(self, now: Moment) -> int:
        """Do what is due; returns the monotonic time (ms) of what is due next."""
        if self._spool.changed_elsewhere():
            self._reread()
        if self.stopped is None:
            self._read_sensors(now)
            self._sign_for_evicted(now)
        if self._is_connected:
            self._announce_again(now)
            self._send(now)
        return self._next_due_ms(now)

    @property
    def stopped(self) -> str | None:
        """Why the ledger refuses this device, or None."""
        return stopped_reason(self._spool)

    @property
    def is_drained(self) -> bool:
        """Whether all sensors are done, and all that was signed is proven, with all its sections."""
        if any(mouth.pack or mouth.due_ms() is not None for mouth in self._mouths):
            return False
        return not any(self._waiting(lane) for lane in LANES) and not self._spool.evicted(1)

    def _next_due_ms(self, now: Moment) -> int:
        due = [now.ticks_ms + OFFLINE_MS]
        if self._is_connected:
            flights = [lane.flight for lane in self._lanes.values()]
            due += [max(flight.due_ms, self._send_due_ms) for flight in flights if flight.due_ms is not None]
            due += [self._birth_due_ms] if self._awaited() else []
        if self.stopped is not None:
            return self._probe_due_ms if self._is_connected else due[0]
        if self._may_sign(TELEMETRY, now):
            due += [due_ms for mouth in self._mouths if (due_ms := mouth.due_ms()) is not None and not mouth.pack]
        else:
            due.append(self._offline_ms)
        return min(due)

    def _reread(self) -> None:
        for lane in self._lanes.values():
            lane.waiting = None

    def _waiting(self, lane: int) -> tuple[int, ...]:
        state = self._lanes[lane]
        if state.waiting is None:
            state.waiting = self._spool.waiting(lane, self._config.window)
        return state.waiting

    # Sensors

    def _may_sign(self, lane: int, now: Moment) -> bool:
        """Whether the lane's stream is new or cleared, or nobody has answered for so long that a new one must do."""
        stream = self._spool.open_stream(lane)
        return stream is None or stream.is_cleared or now.ticks_ms >= self._offline_ms

    def _read_sensors(self, now: Moment) -> None:
        if not self._may_sign(TELEMETRY, now):
            return
        for mouth in self._mouths:
            due_ms = mouth.due_ms()
            if mouth.pack is None and due_ms is not None and due_ms <= now.ticks_ms:
                mouth.pack = self._read(mouth, now)
            if mouth.pack is not None:
                self._sign_pack(mouth, *mouth.pack, now)

    def _read(self, mouth: Mouth, now: Moment) -> tuple[bytes, str | None] | None:
        try:
            pack = mouth.sensor.read(now)
            body = pack and pack_body(pack, subject=self._device.subject, now=now)
        except (OSError, ValueError) as error:
            if not mouth.is_failing:
                log.warning("sensor %s cannot be read: %s", mouth.name, error)
            mouth.is_failing, mouth.rest_until_ms = True, now.ticks_ms + REST_MS
            return None
        if mouth.is_failing:
            log.info("sensor %s can be read again", mouth.name)
        mouth.is_failing = False
        return (body, pack.cursor) if pack and body else None

    def _sign_pack(self, mouth: Mouth, body: bytes, cursor: str | None, now: Moment) -> None:
        content = Content(mouth.privacy, ContentFormat.SENML_CBOR, body)
        try:
            self._signer.pack(content, now, sensor=mouth.name, cursor=cursor)
        except SpoolFullError:
            if not self._is_full:
                self._alarm("the spool is full and nothing in it may give way: sensors wait", _HINT_FULL)
            self._is_full = True
            return
        self._is_full = False
        mouth.pack = None
        self._lanes[TELEMETRY].waiting = None

    def _sign_for_evicted(self, now: Moment) -> None:
        if not self._spool.evicted(1) or not self._may_sign(TELEMETRY, now):
            return
        if self._spool.bytes_held() < CONFIRM_LOW_SHARE * self._config.spool_bytes_max:
            self._signer.name_evicted(now)
            self._lanes[TELEMETRY].waiting = None

    # Sending

    def _send(self, now: Moment) -> None:
        if self.stopped is not None:
            self._probe(now)
            return
        if now.ticks_ms < self._send_due_ms:
            return
        for number, lane in self._lanes.items():
            was_unanswered = lane.flight.is_unanswered
            numbers, flight = window.to_send(
                lane.flight, self._waiting(number), now_ms=now.ticks_ms, jitter=self._jitter()
            )
            if not all(self._send_one(item) for item in numbers):
                self._send_due_ms = now.ticks_ms + REST_MS  # then the whole of it goes again
                return
            lane.flight = flight
            if flight.is_unanswered and not was_unanswered:
                self._alarm(
                    f"no receipt for {_LANE_NAMES[number]} after sending {flight.attempts} times", _HINT_SILENCE
                )
            if flight.is_unanswered and numbers:  # has it forgotten what they follow?
                self._ask(now)

    def _send_one(self, number: int) -> bool:
        message = self._spool.message(number)
        self.counts["sent"] += 1
        return message is None or self._post.publish(self._topic.statement, message)

    def _probe(self, now: Moment) -> None:
        """Refused: ask again now and then, with the first statement that waits in each lane."""
        if now.ticks_ms < self._probe_due_ms:
            return
        self._probe_due_ms = now.ticks_ms + PROBE_MS
        self._announce(now)
        for lane in LANES:
            for number in self._waiting(lane)[:1]:
                self._send_one(number)

    def _ask(self, now: Moment) -> None:
        """Ask anew what the ledger has of each lane, and remember what we know that it must have."""
        self._nonce, self._birth_attempts = os.urandom(NONCE_BYTES), 0
        for number, lane in self._lanes.items():
            stream = self._spool.open_stream(number)
            lane.is_answered = False
            lane.asked = None
            if stream is not None:
                lane.asked = Asked(stream.name, self._spool.first_unproven(stream), stream.receipt_size)
        self._announce(now)

    def _announce(self, now: Moment) -> None:
        """Publish the birth: the head of each lane, for which we want the current receipt."""
        streams = {lane: self._spool.open_stream(lane) for lane in LANES}
        heads = {
            lane: (stream.name, self._spool.first_unproven(stream))
            for lane, stream in streams.items()
            if stream is not None
        }
        self._post.publish(self._topic.birth, Birth(self._device.kid, self._nonce, heads).encode())
        self._birth_due_ms = now.ticks_ms + window.backoff_ms(self._birth_attempts, self._jitter())
        self._birth_attempts += 1

    def _announce_again(self, now: Moment) -> None:
        if self._awaited() and now.ticks_ms >= self._birth_due_ms and self.stopped is None:
            self._announce(now)

    def _awaited(self) -> bool:
        """Whether a lane with an uncleared stream still waits for the answer to the birth."""
        streams = (self._spool.open_stream(lane) for lane in LANES if not self._lanes[lane].is_answered)
        return any(stream is not None and not stream.is_cleared for stream in streams)

    # What came

    def take(self, happening: Happening, now: Moment) -> None:
        """Act on what came from the broker."""
        match happening:
            case Connected():
                self._on_connected(now)
            case Lost():
                self._on_lost(happening, now)
            case Arrived(topic, payload):
                self._on_message(topic, payload, now)

    def _on_lost(self, lost: Lost, now: Moment) -> None:
        """Say what is wrong when it begins, or becomes something else; not at every attempt."""
        self._is_connected = False
        if lost.reason == self._trouble:
            return
        self._trouble = lost.reason
        log.warning("broker %s:%s: %s", self._config.broker.host, self._config.broker.port, lost.reason)
        log.warning("hint: %s", lost.hint)
        remember_broker(self._spool, Trouble(lost.reason, lost.hint, now.issued_at))

    def _on_connected(self, now: Moment) -> None:
        log.info("connected to the broker %s:%s", self._config.broker.host, self._config.broker.port)
        self._is_connected = True
        if self._trouble:
            self._trouble = ""
            remember_broker(self._spool, None)
        self._nonce, self._probe_due_ms, self._ask_due_ms = os.urandom(NONCE_BYTES), 0, 0
        for lane in self._lanes.values():
            lane.is_answered, lane.asked = False, None
            lane.flight = window.reconnected(lane.flight, now_ms=now.ticks_ms, hold_ms=HOLD_MS)
        if self.stopped is None:
            self._ask(now)

    def _on_message(self, topic: str, payload: bytes, now: Moment) -> None:
        lane, what = _lane_of(topic, self._topic)
        if what == "receipt":
            self._learn(payload)
            self._on_answer(confirm.judge(payload, lane=lane, device=self._device, view=self._spool), lane, now)
        elif what == "refusal":
            self._on_refusal(payload, lane, now)

    def _learn(self, payload: bytes) -> None:
        """The log's key may have changed since our trust file: an answer that tells of it is kept, then believed."""
        try:
            device = confirm.learn(payload, self._device)
        except TrustError as error:
            self.counts["ignored false-keys"] += 1
            log.warning("what an answer says of the log's keys is ignored: %s", error)
            return
        if device is not self._device:
            log_keys.remember(self._spool, device)
            if device.log != self._device.log:
                newest = device.log.keys[-1]
                log.info("the log has a new key, from size %d on: %s", newest.first, newest.verifier.vkey)
            self._device = device

    def _ask_for_keys(self, now: Moment) -> None:
        """A key signs for the log that we have not heard of: the answer to a birth tells of it, if it is true."""
        if self._is_connected and now.ticks_ms >= self._ask_due_ms:
            self._ask_due_ms = now.ticks_ms + ASK_MS
            self._announce(now)

    def _on_answer(self, verdict: confirm.Verdict, lane: int, now: Moment) -> None:
        if _meets_unknown_key(verdict):
            self._ask_for_keys(now)
        match verdict:
            case Ignored(flaw, detail):
                self._ignore(flaw, detail)
                return
            case Behind():
                if not self._is_forgotten(verdict, lane):
                    self._ignore(Flaw.OLDER, f"of size {verdict.size}, seq {verdict.seq}")
                    return
            case Proven():
                self._on_proven(verdict, lane, now)
            case Ahead():
                self._on_proven(verdict.proven, lane, now)
                self._on_ahead(verdict, lane, now)
            case NoStream():
                pass
        if verdict.nonce == self._nonce and verdict.nonce:
            self._on_answered(verdict, lane, now)

    def _ignore(self, flaw: Flaw, detail: str) -> None:
        self.counts[f"ignored {flaw}"] += 1
        level = logging.DEBUG if flaw is Flaw.OLDER else logging.WARNING
        log.log(level, "an answer is ignored: %s: %s", flaw, detail)

    def _on_proven(self, proven: Proven, lane: int, now: Moment) -> None:
        moved = self._spool.confirm(proven)
        state = self._lanes[lane]
        state.waiting = None
        if not moved:
            return
        remember_receipt(self._spool, lane, Receipt(now.issued_at, proven.size, proven.stream.hex(), proven.seq))
        self.counts["proven"] += moved
        if state.flight.is_unanswered:
            log.info("%s: receipts come again", _LANE_NAMES[lane])
        state.flight = window.progressed(state.flight, now_ms=now.ticks_ms, jitter=self._jitter())
        self._quiet()
        if self.stopped is not None and not self._signer.waits_for_refused():
            log.info("the ledger takes this device's statements again")
            self._spool.set_state("stopped", None)

    def _on_answered(self, verdict: Proven | Ahead | Behind | NoStream, lane: int, now: Moment) -> None:
        """The gateway has told, in answer to our birth, what the ledger has of a lane."""
        state = self._lanes[lane]
        state.is_answered = True
        state.flight = window.released(state.flight, now_ms=now.ticks_ms)
        stream = self._spool.open_stream(lane)
        if stream is None or isinstance(verdict, Ahead):
            return
        if self._is_forgotten(verdict, lane):
            self._on_forgotten(verdict, stream, now)
        elif not stream.is_cleared:
            with self._spool.transaction():
                self._spool.clear(stream)

    def _is_forgotten(self, verdict: Proven | Behind | NoStream, lane: int) -> bool:
        """Whether the answer to our birth tells of less than the ledger had proven to us before we asked."""
        asked = self._lanes[lane].asked
        if asked is None or not asked.receipt_size or verdict.nonce != self._nonce or not verdict.nonce:
            return False
        if isinstance(verdict, NoStream) or verdict.size < asked.receipt_size:
            return True
        return verdict.stream != asked.stream or verdict.seq + 1 < asked.first_unproven

    def _on_forgotten(self, verdict: Proven | Behind | NoStream, stream: Stream, now: Moment) -> None:
        """Never sign on at a seq whose predecessors the ledger lacks: it would take none of it."""
        state = self._lanes[stream.lane]
        known = -1 if isinstance(verdict, NoStream) or verdict.stream != stream.name else verdict.seq
        self._signer.go_on(stream, known, now)
        state.asked, state.waiting = None, None
        self._alarm(f"the ledger has forgotten {_LANE_NAMES[stream.lane]} that it has proven", _HINT_FORGOTTEN)

    def _on_ahead(self, verdict: Ahead, lane: int, now: Moment) -> None:
        """The ledger has more than this spool: never sign at a seq that may be used, go on in a new stream."""
        stream = self._spool.open_stream(lane)
        previous = verdict.stream, verdict.seq, verdict.hash
        if stream is None:
            return
        if verdict.is_ours and verdict.stream != stream.name:
            self._signer.salvage(verdict.stream, now)
        elif verdict.is_ours or (verdict.nonce == self._nonce and self._is_superseded(stream.name)):
            log.warning("the ledger has more %s than this spool: going on in a new stream", _LANE_NAMES[lane])
            self._signer.restore(lane, previous, now)
        self._lanes[lane].waiting = None
        self._probe_due_ms = now.ticks_ms

    def _is_superseded(self, name: bytes) -> bool:
        """Whether a stream that the ledger names, and we do not know, can have closed our open one."""
        stream = self._spool.stream(name)
        return stream is not None and (not stream.is_cleared or stream.receipt_size > 0)

    def _on_refusal(self, payload: bytes, lane: int, now: Moment) -> None:
        refusal = confirm.judge_refusal(payload, lane=lane, device=self._device)
        if isinstance(refusal, Ignored):
            self.counts[f"ignored {refusal.flaw}"] += 1
            log.warning("a refusal is ignored: %s: %s", refusal.flaw, refusal.detail)
            if refusal.flaw is confirm.Flaw.LOG_KEY:
                self._ask_for_keys(now)
            return
        if not self._signer.refuse(refusal, now):
            return
        self._reread()
        self.counts["refused"] += 1
        stopped = self.stopped
        if stopped is None:
            log.warning("%s: seq %d is refused for good: %s", _LANE_NAMES[lane], refusal.seq, refusal.reason)
        else:
            self.refused_since_start = True
            self._probe_due_ms = now.ticks_ms + PROBE_MS
            self._alarm(f"the ledger refuses this device: {stopped}", _HINT_REFUSED)

    # Alarms

    def _alarm(self, message: str, hint: str) -> None:
        log.warning("%s", message)
        log.warning("hint: %s", hint)
        self._spool.set_state("alarm", message)

    def _quiet(self) -> None:
        if self._spool.state("alarm") is not None:
            self._spool.set_state("alarm", None)

    def _jitter(self) -> float:
        return random.random()  # noqa: S311 - it spreads load, and hides nothing


_HINT_SILENCE = (
    "is the gateway up? is the device registered, by this name and key, for this chain, and a user of the broker by it?"
)
_HINT_FULL = "the ledger has not answered for long: see 'tallystick edge status', or raise bytes_max in [spool]"
_HINT_REFUSED = "ask the ledger's operator; the spool is kept, and the agent asks again every ten minutes"
_HINT_FORGOTTEN = "tell the ledger's operator: its database may be an old copy. What is here goes on in a new stream"


def _meets_unknown_key(verdict: confirm.Verdict) -> bool:
    match verdict:
        case Ignored(flaw, _):
            return flaw is confirm.Flaw.LOG_KEY
        case Proven():
            return verdict.has_unknown_key
        case Ahead():
            return verdict.proven.has_unknown_key
    return False


def pack_body(pack: Pack, *, subject: str, now: Moment) -> bytes:
    """The SenML-CBOR of a pack; ValueError if it is too large.

    A clock that is not set gives times relative to the signing (RFC 8428, 4.5.3).
    """
    is_set = all(reading.time >= RELATIVE_BELOW for reading in pack.readings)
    readings = pack.readings if is_set else tuple(_relative(reading, now) for reading in pack.readings)
    body = senml.encode(readings, base_name=f"{subject}:")
    if len(body) > SECTIONS_BYTES_MAX:
        raise ValueError(f"a pack of {len(body)} bytes is over {SECTIONS_BYTES_MAX}")
    return body


def _relative(reading: Reading, now: Moment) -> Reading:
    return Reading(reading.name, reading.unit, min(0.0, round(reading.time - now.wall_s, 3)), reading.value)


def _lane_of(topic: str, ours: Topic) -> tuple[int, str]:
    """The lane and kind of a topic; lane -1 if it is none of ours."""
    try:
        found, what = Topic.parse(topic)
    except MalformedError:
        return -1, ""
    kind, _, lane = what.partition("/")
    lanes: Mapping[str, int] = {str(number): number for number in LANES}
    return (lanes[lane], kind) if found == ours and lane in lanes else (-1, "")
