"""Whose pictures are taken and read: all together weigh so much, and so many are read at once.

No network (`ledger.pace`) keeps the others out: where it is too much, who has most makes room; whose turn is next is of
the network of which fewest are being read.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Message

from ledger.pace import network, who_leaves


class NoRoom(Exception):
    """There are too many just now."""


@dataclass(eq=False)
class Held:
    """A picture that is here, as far as it has come; cut off by `timeout` if it takes the room of others."""

    network: str
    heard_s: float
    size: int = 0
    is_sent: bool = False
    timeout: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))

    @property
    def is_awaited(self) -> bool:
        """Whether more of it is to come, and something would be won if it did not."""
        return self.size > 0 and not self.is_sent


class Room:
    """For so many bytes of pictures, so many of one network among them, from their first until they are read.

    In one event loop.
    """

    def __init__(self, bytes_max: int, of_one: int) -> None:
        self._bytes_max, self._of_one = bytes_max, of_one
        self._held: list[Held] = []

    @asynccontextmanager
    async def holding(self, request: Request) -> AsyncIterator[Held]:
        """A picture's room, while the block runs."""
        held = Held(network(request.client.host if request.client else ""), asyncio.get_running_loop().time())
        self._held.append(held)
        try:
            yield held
        finally:
            self._held.remove(held)

    @asynccontextmanager
    async def receiving(self, request: Request, held: Held) -> AsyncIterator[Request]:
        """The request, to read it there; raises NoRoom in the block's stead, if others need its room more."""

        async def receive() -> Message:
            message = await request.receive()
            piece = message.get("body", b"")
            if piece and held.timeout.when() is None:  # who is cut off weighs nothing more
                held.size, held.heard_s = held.size + len(piece), asyncio.get_running_loop().time()
                self._make_room([one for one in self._held if one.network == held.network], self._of_one)
                self._make_room(self._held, self._bytes_max)
            return message

        try:
            async with held.timeout:
                yield Request(request.scope, receive)
        except TimeoutError as error:
            raise NoRoom from error
        held.is_sent = True

    def _make_room(self, clients: Sequence[Held], bytes_max: int) -> None:
        while sum(held.size for held in clients) > bytes_max:
            leaver = who_leaves(clients)
            if leaver is None:
                return
            leaver.size = 0
            leaver.timeout.reschedule(asyncio.get_running_loop().time())


@dataclass(eq=False)
class _Waiting:
    network: str
    turn: "asyncio.Future[None]"


class Turns:
    """So many at once, so many of one network among them; so many wait, for so long. In one event loop."""

    def __init__(self, at_once: int, of_one: int, waiting_max: int, wait_s: float) -> None:
        self._at_once, self._of_one, self._waiting_max, self._wait_s = at_once, of_one, waiting_max, wait_s
        self._inside = Counter[str]()
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def turn(self, network: str) -> AsyncIterator[None]:
        """The block runs when it is its turn; raises NoRoom if that does not come in time."""
        await self._wait(_Waiting(network, asyncio.get_running_loop().create_future()))
        try:
            yield
        finally:
            self._leave(network)

    async def _wait(self, one: _Waiting) -> None:
        self._waiting.append(one)
        self._next()
        if len(self._waiting) > self._waiting_max:
            last = self._waiting[last_of_most([each.network for each in self._waiting])]
            self._waiting.remove(last)
            last.turn.cancel()
        try:
            await asyncio.wait({one.turn}, timeout=self._wait_s)
        except asyncio.CancelledError:
            if one.turn.done() and not one.turn.cancelled():
                self._leave(one.network)
            raise
        finally:
            if one in self._waiting:
                self._waiting.remove(one)
        if not one.turn.done() or one.turn.cancelled():
            raise NoRoom

    def _leave(self, network: str) -> None:
        self._inside -= Counter((network,))  # who has none inside is forgotten
        self._next()

    def _next(self) -> None:
        while self._inside.total() < self._at_once:
            number = next_turn([one.network for one in self._waiting], self._inside, self._of_one)
            if number is None:
                return
            one = self._waiting.pop(number)
            self._inside[one.network] += 1
            one.turn.set_result(None)


def next_turn(waiting: Sequence[str], inside: Counter[str], of_one: int) -> int | None:
    """Whose turn it is of those that wait, in the order of their coming: of the network that has fewest inside."""
    may = [(inside[network], number) for number, network in enumerate(waiting) if inside[network] < of_one]
    return min(may)[1] if may else None


def last_of_most(waiting: Sequence[str]) -> int:
    """Who of those that wait has to go: the last one of the network of which most wait."""
    many = Counter(waiting)
    return max((many[network], number) for number, network in enumerate(waiting))[1]
