"""Who is sending a picture: so many at once, each at a pace, so that nobody's silence keeps others out for long.

A sender has a deadline, which moves with each piece that comes. Where all places are taken, whoever has been sending
for a while, and slowly, makes room for the next.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.types import Message


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a body must come: as a whole, without a longer silence, and so many bytes a second after some grace.

    Whoever was there for `settled_s` and sends less than `room_rate` bytes a second makes room when others wait.
    """

    whole_s: float = 60.0
    silence_s: float = 5.0
    grace_s: float = 5.0
    rate: float = 8 * 1024
    settled_s: float = 2.0
    room_rate: float = 32 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What has come of a body: since when it comes, when its last piece came, and how many bytes."""

    began_s: float
    heard_s: float
    received: int = 0

    def and_piece(self, size: int, now_s: float) -> "Sent":
        """The same with one more piece; an empty one is none."""
        return replace(self, heard_s=now_s, received=self.received + size) if size else self

    def deadline_s(self, pace: Pace) -> float:
        """When it ends unless more comes."""
        by_rate = self.began_s + pace.grace_s + self.received / pace.rate
        return min(self.began_s + pace.whole_s, self.heard_s + pace.silence_s, by_rate)

    def rate(self, now_s: float) -> float:
        """Bytes a second so far."""
        return self.received / max(now_s - self.began_s, 1e-9)


def slowest(sent: Iterable[Sent], pace: Pace, now_s: float) -> Sent | None:
    """Who makes room: the slowest of those that have settled and are slow; None if all are new or fast."""
    slow = [one for one in sent if now_s - one.began_s >= pace.settled_s and one.rate(now_s) < pace.room_rate]
    return min(slow, key=lambda one: (one.rate(now_s), one.heard_s), default=None)


class NoPlace(Exception):
    """All places are taken, and nobody makes room in time."""


class TooSlow(Exception):
    """A body does not come at the pace, or its place was wanted by others."""


@dataclass
class _Sender:
    sent: Sent
    timeout: asyncio.Timeout
    leaves: bool = False


class Senders:
    """The places of those who are sending now, in one event loop."""

    def __init__(self, places: int, *, wait_s: float = 3.0, waiting_max: int = 64, pace: Pace | None = None) -> None:
        self._places, self._wait_s, self._waiting_max, self._pace = places, wait_s, waiting_max, pace or Pace()
        self._senders: list[_Sender] = []
        self._waiting = 0
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def receiving(self, request: Request) -> AsyncIterator[Request]:
        """A place, and the request to read there; raises NoPlace, or in the block's stead TooSlow."""
        if len(self._senders) >= self._places:
            await self._wait()
        now_s = asyncio.get_running_loop().time()
        sent = Sent(now_s, now_s)
        try:
            async with asyncio.timeout_at(sent.deadline_s(self._pace)) as timeout:
                sender = _Sender(sent, timeout)
                self._senders.append(sender)
                try:
                    yield self._heard(request, sender)
                finally:
                    self._senders.remove(sender)
                    self._freed.set()
        except TimeoutError as error:
            raise TooSlow from error

    def _heard(self, request: Request, sender: _Sender) -> Request:
        """The request, with each of its pieces noted."""

        async def receive() -> Message:
            message = await request.receive()
            sender.sent = sender.sent.and_piece(len(message.get("body", b"")), asyncio.get_running_loop().time())
            if not sender.leaves:
                sender.timeout.reschedule(sender.sent.deadline_s(self._pace))
            return message

        return Request(request.scope, receive)

    async def _wait(self) -> None:
        """Until a place is free."""
        if self._waiting >= self._waiting_max:
            raise NoPlace
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                while len(self._senders) >= self._places:
                    await self._room()
        except TimeoutError as error:
            raise NoPlace from error
        finally:
            self._waiting -= 1

    async def _room(self) -> None:
        """Have the slowest leave, if one may; then wait until somebody has, or has become slow."""
        now_s = asyncio.get_running_loop().time()
        staying = [sender for sender in self._senders if not (sender.leaves or sender.timeout.expired())]
        chosen = slowest((sender.sent for sender in staying), self._pace, now_s)
        if chosen is not None and len(staying) == len(self._senders):  # one at a time
            leaver = next(sender for sender in staying if sender.sent is chosen)
            leaver.leaves = True
            leaver.timeout.reschedule(now_s)
        self._freed.clear()
        try:
            async with asyncio.timeout(self._pace.settled_s / 10):
                await self._freed.wait()
        except TimeoutError:
            return
