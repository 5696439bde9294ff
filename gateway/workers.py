"""Several gateway processes on one machine: they share the chains, each held by one, and one that dies is replaced.

A worker takes the chains that are its own by their order, and stands by for the others: when a worker dies, its chains
are taken over by the rest within seconds, and the worker that replaces it stands by in its turn. A worker ends when
this process does, however that ends: its standard input is a pipe from here, and closes.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.logs import say
from ledger.errors import UserError

READY = b"ready\n"
PAUSE_S, PAUSE_S_MAX, LIVED_S_MIN = 0.5, 10.0, 20.0
STOP_S_MAX = 15.0


@dataclass(frozen=True, slots=True)
class Worker:
    """Worker `number` of `count`, numbered from 0."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Worker":
        """Read `NUMBER/COUNT`; raises ValueError."""
        number, count = map(int, text.split("/"))
        if not 0 <= number < count:
            raise ValueError(f"there is no worker {text}")
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def own(self, chains: Sequence[str]) -> list[str]:
        """The chains that it prefers: each is preferred by one worker."""
        return list(chains[self.number :: self.count])

    def port(self, first: int) -> int:
        """Its own, where the first worker has this one; 0 is any that is free, for each."""
        return first + self.number if first else 0


async def keep(arguments: Sequence[str], environment: Mapping[str, str], count: int, ready: Callable[[], None]) -> None:
    """Keep `count` workers running, each `tallystick gateway run` with these arguments; `ready` when all are.

    Returns only by cancellation. Raises UserError if a worker ends before it was ever ready, or cannot be started.
    """
    waiting, failed = set(range(count)), list[UserError]()

    def is_ready(number: int) -> None:
        if number in waiting:
            waiting.discard(number)
            if not waiting:
                ready()

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                start = partial(_start, arguments, environment, Worker(number, count))
                group.create_task(_keep_one(number, start, is_ready))
    except* UserError as errors:
        failed += [error for error in errors.exceptions if isinstance(error, UserError)]
    if failed:  # of several, each worker has said what it met
        raise failed[0]


_Start = Callable[[], Coroutine[Any, Any, asyncio.subprocess.Process]]


async def _keep_one(number: int, start: _Start, is_ready: Callable[[int], None]) -> None:
    was_ready, pause = False, PAUSE_S

    def ready() -> None:
        nonlocal was_ready
        was_ready = True
        is_ready(number)

    while True:
        began, code = time.monotonic(), None
        try:
            code = await _run(start, ready)
            ended = f"ended with code {code}"
        except OSError as error:
            if not was_ready:
                raise UserError.of_system(f"worker {number} cannot be started", error) from error
            ended = f"cannot be started ({error.strerror or error})"
        if not was_ready:
            raise UserError(f"worker {number} ended before it was ready", "what it said stands above")
        pause = PAUSE_S if time.monotonic() - began > LIVED_S_MIN else min(2 * pause, PAUSE_S_MAX)
        text = f"worker {number} {ended}: its chains are taken over, it starts anew"
        say(logging.WARNING, "worker-ended", text, worker=number, code=code)
        await asyncio.sleep(pause)


async def _run(start: _Start, ready: Callable[[], None]) -> int:
    """Run a worker to its end, or end it; returns its exit code. Raises OSError if it cannot be started."""
    process = await start()
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            if line == READY:
                ready()
        return await process.wait()
    finally:
        await _stop(process)


async def _start(
    arguments: Sequence[str], environment: Mapping[str, str], worker: Worker
) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "tallystick", "gateway", "run", *arguments, "--worker", str(worker)]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End it, if it has not ended, and read its pipes to their end: one left open outlives the loop, and complains."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
    try:
        async with asyncio.timeout(STOP_S_MAX):
            await process.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
