"""A crowd that opens connections to a service, says half of something, waits, and comes back when it is cut off."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def crowd(url: str, said: bytes, *, size: int, source: str) -> Iterator[None]:
    """So many connections from the address `source` while the block runs, each of which begins by saying `said`."""
    begun, loop = threading.Event(), asyncio.new_event_loop()

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(members)
        loop.close()

    members = loop.create_task(_members(url, said, size, source, begun))
    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(members.cancel)
        thread.join()


async def _members(url: str, said: bytes, size: int, source: str, begun: threading.Event) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(size):
            group.create_task(_member(url, said, source))
        await asyncio.sleep(1)
        begun.set()


async def _member(url: str, said: bytes, source: str) -> None:
    address = urlsplit(url)
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=(source, 0))
            writer.write(said)
            with suppress(OSError):
                await reader.read()
            writer.close()
        await asyncio.sleep(0.5)
