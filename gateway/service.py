"""The running gateway: a task for the broker, one for each chain, one for the anchor.

A chain's task owns its `GatewayChain` and hands it one batch at a time, in a thread. Whatever fails there, the chain
is closed and opened anew; the others go on.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import psycopg

from gateway.anchor_chain import AnchorChain
from gateway.batch import AGE_MS_MAX, Batcher
from gateway.chain import GatewayChain
from gateway.check import BROKER, DATABASE, ClockWatch
from gateway.intake import CLOSED, Intake
from gateway.logs import Faults, say
from gateway.record import Record, Taken
from gateway.replies import Publication
from gateway.sift import Incoming
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.refusal import Reason
from ledger.registry import ANCHOR
from ledger.seal import ChainLocked
from ledger.settings import BrokerAddress

log = logging.getLogger("gateway")

QUEUE_MAX = 5_000
QUEUE_BYTES_MAX = 64 * 1024 * 1024
BACKOFF_S_MAX = 5.0


class _Closes(Protocol):
    def close(self) -> None: ...


_Chain = TypeVar("_Chain", bound=_Closes)


def now_ms() -> int:
    """The wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Waiting(asyncio.Queue[Incoming]):
    """What waits for a chain's next batch: bounded by number, and by bytes."""

    bytes = 0

    def full(self) -> bool:
        return super().full() or self.bytes >= QUEUE_BYTES_MAX

    def _put(self, item: Incoming) -> None:
        self.bytes += len(item.payload)
        super()._put(item)

    def _get(self) -> Incoming:
        item = super()._get()
        self.bytes -= len(item.payload)
        return item


class Service:
    """Runs until cancelled."""

    def __init__(
        self,
        *,
        dsn: str,
        broker: BrokerAddress,
        folder: LedgerFolder,
        chains: Sequence[str],
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._dsn, self._broker, self._folder, self._chains = dsn, broker, folder, chains
        self._queues = {name: Waiting(QUEUE_MAX) for name in chains}
        self._waiting, self._ready = {*chains, ANCHOR, BROKER}, ready
        self._intake: Intake | None = None
        self._standing_by: set[str] = set()  # chains that another gateway writes
        self.record, self._faults = Record.of([*chains, ANCHOR], time.monotonic()), Faults()
        for name, queue in self._queues.items():
            self.record.chains[name].waiting = queue.qsize

    async def run(self) -> None:
        """Serve; returns only by cancellation."""
        try:
            await self._run()
        finally:
            self._faults.due(time.monotonic(), all_of_it=True)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat())
            group.create_task(self._keep(self._connect, BROKER))
            group.create_task(self._keep(self._run_anchor, ANCHOR))
            for chain in self._chains:
                group.create_task(self._keep(lambda chain=chain: self._run_chain(chain), chain))  # type: ignore[misc]

    async def _keep(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Run again whenever it fails, after a pause that grows while it keeps failing. A fault of ours is traced."""
        pause = 0.1
        while True:
            began = time.monotonic()
            try:
                await run()
            except (psycopg.Error, UserError, OSError, *CLOSED) as error:
                self._failed(name, error)
            except Exception as error:  # whatever one chain meets, the others go on
                if self._failed(name, error):
                    log.exception("%s: a fault of ours", name)
            pause = 0.1 if time.monotonic() - began > BACKOFF_S_MAX else min(pause * 2, BACKOFF_S_MAX)
            await asyncio.sleep(pause)

    # What is told outside

    async def _beat(self) -> None:
        watch = ClockWatch(time.time(), time.monotonic())
        while True:
            now = self.record.beat_at = time.monotonic()
            self._faults.due(now)
            if by := watch.jump(time.time(), now):
                say(
                    logging.WARNING,
                    "clock",
                    f"the clock was set {'back' if by < 0 else 'on'} by {abs(by):.1f} s",
                    by=by,
                )
            await asyncio.sleep(1)

    def _failed(self, name: str, error: Exception) -> bool:
        """Record it; whether the log has told of it, rather than of its like a moment ago."""
        text, now = re.sub(r"^\[Errno \d+\] ", "", " ".join(str(error).split())) or repr(error), time.monotonic()
        if name == BROKER:
            self.record.broker_fault = text = f"{self._broker.host}:{self._broker.port}: {text}"
            return self._faults.failing(name, text, "devices keep what they say until it is back", now)
        self.record.chains[name].failed(text, now, is_standby=isinstance(error, ChainLocked))
        if isinstance(error, ChainLocked):
            return self._stand_by(name)
        part = DATABASE if _is_databases(error) else name
        return self._faults.failing(part, text, getattr(error, "hint", ""), now)

    def _stand_by(self, name: str) -> bool:
        """Another gateway writes the chain: say so once, not at every try."""
        if not self._standing_by:
            say(logging.INFO, "standby", "another gateway writes these chains: standing by, to take over when it ends")
        self._standing_by.add(name)
        return True

    def _took(self, name: str, taken: Taken, batch: Sequence[Incoming]) -> None:
        chain, now = self.record.chains[name], time.monotonic()
        self._faults.well(name, now)
        self._faults.well(DATABASE, now)
        chain.took(taken, now)
        chain.answered([message.arrived for message in batch if message.arrived is not None], now)
        for reason, count in taken.refused.items():
            self._faults.counted("refused", reason, count, f"{name}/{taken.examples[reason]}", now)

    # The broker

    async def _connect(self) -> None:
        async with Intake.connect(self._broker, self._chains) as intake:
            self._intake = intake
            try:
                self.record.broker_fault = ""
                self._faults.well(BROKER, time.monotonic())
                self._is_ready(BROKER)
                await intake.read(self._hand_on, self._refuse)
            finally:
                self._intake, self.record.broker_fault = None, "not connected"

    def _hand_on(self, message: Incoming) -> None:
        queue = self._queues.get(message.topic.chain)
        if queue is None or message.what not in ("statement", "birth"):
            self._refuse(str(message.topic), message.payload)
        elif queue.full():
            self._drop(message, "queue-full")
        else:
            queue.put_nowait(message)

    def _drop(self, message: Incoming, reason: str) -> None:
        """Unread; its agent sends it again."""
        self.record.chains[message.topic.chain].dropped[reason] += 1
        self._faults.counted("dropped", reason, 1, f"{message.topic.chain}/{message.topic.device}", time.monotonic())

    def _refuse(self, topic: str, payload: bytes) -> None:
        self.record.topics_refused += 1
        self._faults.counted("refused", str(Reason.TOPIC), 1, repr(topic[:100]), time.monotonic())

    async def _publish(self, publications: Sequence[Publication]) -> None:
        if publications and self._intake is not None:
            failed = await self._intake.publish(publications)
            if failed:
                text = f"not all are published: {failed[0]}"
                self._faults.failing("replies", text, "devices ask for them again", time.monotonic())
            else:
                self._faults.well("replies", time.monotonic())

    # The chains

    async def _run_chain(self, name: str) -> None:
        chain = await asyncio.to_thread(GatewayChain, self._dsn, chain=name, folder=self._folder, now_ms=now_ms)
        try:
            self.record.chains[name].opened(
                time.monotonic(), size=chain.taken.size, ages=lambda: chain.ages.seconds(now_ms())
            )
            self._is_ready(name)
            while True:
                batch = await _collect(self._queues[name])
                await self._publish(await _in_thread(chain, lambda: chain.take(batch)))  # noqa: B023
                self._took(name, chain.taken, batch)
        finally:
            chain.close()

    async def _run_anchor(self) -> None:
        chain = await asyncio.to_thread(AnchorChain, self._dsn, folder=self._folder, now_ms=now_ms)
        try:
            self.record.chains[ANCHOR].opened(time.monotonic(), size=chain.size)
            self._is_ready(ANCHOR)
            while True:
                await _in_thread(chain, chain.take)
                self._took(ANCHOR, Taken(chain.size), [])
                await asyncio.sleep(AGE_MS_MAX / 1000)
        finally:
            chain.close()

    def _is_ready(self, name: str) -> None:
        if name in self._standing_by:
            self._standing_by.discard(name)
            say(logging.INFO, "taken-over", f"{name}: taken over", chain=name)
        if self._waiting:
            self._waiting.discard(name)
            if not self._waiting:
                self._ready()


def _is_databases(error: Exception) -> bool:
    """Whether the server is at fault: that is one fault, however many chains meet it."""
    return isinstance(error, psycopg.OperationalError) or isinstance(error.__cause__, psycopg.OperationalError)


_Result = TypeVar("_Result")


async def _in_thread(chain: _Closes, run: Callable[[], _Result]) -> _Result:
    """Run in a thread, and never leave it running behind: a cancelled caller waits for it, however often cancelled."""
    work = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        raise


async def _collect(queue: Waiting) -> list[Incoming]:
    """The next batch: full, or old enough, or empty after a while, so that the inbox is looked at."""
    batcher = Batcher[Incoming]()
    until = time.monotonic() * 1000 + AGE_MS_MAX
    while True:
        now = time.monotonic() * 1000
        if batcher.due(now) or now >= until:
            return batcher.take()
        try:
            item = await asyncio.wait_for(queue.get(), (until - now) / 1000)
        except TimeoutError:
            continue
        batcher.add(item, time.monotonic() * 1000, size=len(item.payload))
        while not queue.empty() and not batcher.is_full:
            item = queue.get_nowait()
            batcher.add(item, time.monotonic() * 1000, size=len(item.payload))
        until = batcher.deadline_ms() or until
