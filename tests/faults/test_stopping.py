"""The gateway stops when it is told to, whatever it is doing."""

import asyncio
import time

from gateway.sift import Incoming
from gateway.waiting import Waiting
from ledger.topic import Topic


def test_a_chain_that_is_cancelled_while_something_arrives_stops() -> None:
    """At whichever step between a message's arrival and its place in the batch the task is cancelled, it ends."""

    async def collect(queue: Waiting) -> list[list[Incoming]]:
        return [part async for part in queue.parts()]

    async def cancel_after(steps: int) -> bool:
        queue = Waiting()
        task = asyncio.ensure_future(collect(queue))
        await asyncio.sleep(0.005)
        queue.put(Incoming(Topic("production", "press-1"), "statement", b""), time.monotonic())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert [asyncio.run(cancel_after(steps)) for steps in range(6)] == [True] * 6
