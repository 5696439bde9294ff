"""A relay on loopback between a client and its server: what passes may be looked at, changed, held back, or cut."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

CHUNK_BYTES = 256 * 1024
PATIENCE_S = 5.0
Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
_Result = TypeVar("_Result")


class Link:
    """One connection through a relay: `up` has what the client said, `down` what the server said.

    The server's side is closed when the client has gone, unless the link keeps it, and closes it itself.
    """

    keeps_server = False

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client, self.server = client, server

    def up(self, data: bytes) -> None:
        """Pass on to the server."""
        write(self.server, data)

    def down(self, data: bytes) -> None:
        """Pass on to the client."""
        write(self.client, data)

    def cut(self) -> None:
        """End both connections at once, without a word."""
        self.client.transport.abort()
        self.server.transport.abort()


def write(to: asyncio.StreamWriter, data: bytes) -> None:
    """Write, unless the other side has gone."""
    if not to.transport.is_closing():
        to.write(data)


class Relay:
    """Listens on a free loopback port, and makes a `Link` of each connection to what `dial` reaches."""

    def __init__(self, dial: Dial, link: Callable[[asyncio.StreamWriter, asyncio.StreamWriter], Link] = Link) -> None:
        self._dial, self._link = dial, link
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        """Listen; `port` says where."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK_BYTES)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and cut what there is."""
        if self._listener is not None:
            self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # nobody behind us, or the end
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The server, for which the client has to wait while it is down, as if the network were slow."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self._dial()
            except OSError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.05)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._reach()
        link = self._link(writer, far_writer)
        try:
            up = asyncio.create_task(_pump(reader, link.up, far_writer))
            down = asyncio.create_task(_pump(far_reader, link.down, writer))
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        finally:
            if not link.keeps_server:
                far_writer.close()


async def _pump(reader: asyncio.StreamReader, pass_on: Callable[[bytes], None], to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            pass_on(data)
            await to.drain()


class Background:
    """An event loop in a thread of its own, for what must go on while a test does something else."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="background", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result], *, within_s: float = 30) -> _Result:
        """Do `work` in the loop, and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within_s)

    def close(self) -> None:
        """Cancel all that still runs, and end the thread."""
        with contextlib.suppress(CancelledError, TimeoutError):
            self.run(_cancel_all(), within_s=10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
