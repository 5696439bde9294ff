"""The load: devices over a bare MQTT socket, each within its window, sending again what is not proven in time."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge import window
from edge.window import Flight
from ledger.statement import TELEMETRY
from tests.bench.wire import Wire
from tests.faults.half import Half

TURN_S = 0.01
RECONNECT_S = 0.2
RESEND_MS_MAX = 1_500  # an agent waits up to a minute; a round has not so long
HOLD_MS = 500


@dataclass
class Sender:
    """A device on the wire. It signs `rate` statements a second as long as its window lets it, and `signs`."""

    half: Half
    password: str
    rate: float
    window: int = 64
    signs: bool = True
    on_proven: Callable[[Half], None] = lambda half: None
    flight: Flight = field(default_factory=Flight)
    resent: int = 0
    _allowed: float = 0.0
    _wire: Wire | None = None

    async def run(self, port: int, rng: random.Random) -> None:
        """Connect to `port` and go on until cancelled, however often the connection ends."""
        while True:
            with contextlib.suppress(OSError):
                await self._connected(port, rng)
            await asyncio.sleep(RECONNECT_S)

    async def _connected(self, port: int, rng: random.Random) -> None:
        self._wire = wire = await Wire.open(
            port, username=self.half.device.name, password=self.password, received=self._received
        )
        try:
            for topic in (self.half.topic.receipt(TELEMETRY), self.half.topic.refusal(TELEMETRY)):
                wire.subscribe(topic)
            wire.publish(self.half.topic.birth.encode(), self.half.announce())
            self.flight = window.reconnected(self.flight, now_ms=_now_ms(), hold_ms=HOLD_MS)
            while not wire.lost.is_set():
                self._turn(wire, rng)
                await asyncio.sleep(TURN_S)
        finally:
            wire.close()

    def _turn(self, wire: Wire, rng: random.Random) -> None:
        self._allowed = min(self._allowed + self.rate * TURN_S, self.window)
        while self.signs and self._allowed >= 1 and len(self.half.held) < self.window:
            self.half.sign(now=int(time.time()))
            self._allowed -= 1
        before = self.flight.sent
        numbers, self.flight = window.to_send(self.flight, tuple(self.half.held), now_ms=_now_ms(), jitter=rng.random())
        if self.flight.due_ms is not None:
            self.flight = Flight(
                self.flight.sent, self.flight.attempts, min(self.flight.due_ms, _now_ms() + RESEND_MS_MAX)
            )
        for number in numbers:
            wire.publish(self.half.topic.statement.encode(), self.half.held[number])
            self.resent += before is not None and number <= before

    def _received(self, topic: bytes, payload: bytes) -> None:
        if self.half.take(topic.decode(), payload):
            self.flight = window.progressed(self.flight, now_ms=_now_ms(), jitter=random.random())
            self.on_proven(self.half)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Load:
    """All senders. What it holds is only touched in its loop's thread, but numbers may be read from outside."""

    def __init__(self, senders: Sequence[Sender], seed: int) -> None:
        self.senders, self._rng = list(senders), random.Random(seed)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, port: int) -> None:
        """Let all of them connect."""
        self._tasks = [asyncio.create_task(sender.run(port, self._rng)) for sender in self.senders]

    async def stop(self) -> None:
        """Cut all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def sign(self, signs: bool) -> None:
        """Let the devices sign new statements, or only send what waits."""
        for sender in self.senders:
            sender.signs = signs

    @property
    def halves(self) -> list[Half]:
        """What the devices know."""
        return [sender.half for sender in self.senders]

    @property
    def signed(self) -> int:
        """Statements so far."""
        return sum(len(half.said) for half in self.halves)

    @property
    def proven(self) -> int:
        """Statements that a receipt has proven."""
        return sum(len(half.proven) for half in self.halves)

    @property
    def is_drained(self) -> bool:
        """Whether all that was signed is proven whole."""
        return not any(half.held for half in self.halves)

    @property
    def faults(self) -> list[str]:
        """What died in the load itself, which should be nothing."""
        done = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [f"the load itself failed: {task.exception()!r}" for task in done if task.exception()]
