"""What waits for a chain's next block, between the broker that brings it and the writer that seals it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from gateway.batch import Batcher
from gateway.budget import Share
from gateway.sift import Incoming

IDLE_MS_MAX = 500
PART = 100  # messages: judged while others come, they need not be when the block closes
COUNT_MAX = 5_000
BYTES_MAX = 64 * 1024 * 1024


class Waiting:
    """A chain's queue: bounded by number and by bytes, and no device's alone. For one event loop."""

    def __init__(self) -> None:
        self._batcher = Batcher[Incoming]()
        self._share = Share(COUNT_MAX, BYTES_MAX)
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._batcher)

    def fits(self, message: Incoming) -> bool:
        """Whether there is room for one more of its device."""
        return self._share.fits(message.topic.device, len(message.payload))

    def put(self, message: Incoming, now: float) -> None:
        """Add a message that came `now`, by the monotonic clock; whoever asks `fits` before keeps the bounds."""
        size, batcher = len(message.payload), self._batcher
        self._share.put(message.topic.device, size)
        batcher.add(message, now * 1000, size=size)
        if not self._news.is_set() and (len(batcher) in (1, PART) or batcher.is_full):
            self._news.set()

    async def parts(self) -> AsyncIterator[list[Incoming]]:
        """Parts of the next batch, as they come, until it closes: full, or old enough.

        Or until nothing came for a while, so that the inbox is looked at.
        """
        idle_until = _now_ms() + IDLE_MS_MAX
        while not self._batcher.due(now := _now_ms()):
            until = self._batcher.deadline_ms() or idle_until
            if now >= until:
                break
            if len(self._batcher) >= PART:
                yield self._left(self._batcher.take_part())
                continue
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout((until - now) / 1000):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._news.wait()

    def rest(self) -> list[Incoming]:
        """What the batch has beside its parts; it closes with that."""
        return self._left(self._batcher.take())

    def _left(self, messages: list[Incoming]) -> list[Incoming]:
        for message in messages:
            self._share.get(message.topic.device, len(message.payload))
        return messages


def _now_ms() -> float:
    return time.monotonic() * 1000
