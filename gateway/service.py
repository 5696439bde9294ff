"""The running gateway: a task for each chain, and one for the anchor. Whatever fails in one, the others go on.

What a task holds it gives up when it fails, and then opens anew. A chain that another process holds is stood by for.
"""

import asyncio
import gc
import logging
import re
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

import psycopg

from gateway.anchor_chain import AnchorChain
from gateway.chain import GatewayChain
from gateway.chain_service import ChainService
from gateway.check import DATABASE, ClockWatch
from gateway.in_thread import in_thread
from gateway.logs import Faults, say
from gateway.record import Record, Taken
from ledger.database import is_servers_fault
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import ANCHOR
from ledger.seal import ChainLocked
from ledger.settings import BrokerAddress

log = logging.getLogger("gateway")

PAUSE_S, PAUSE_S_MAX = 0.1, 5.0
ANCHOR_S = 1.0  # between two looks at what is not anchored yet
STANDBY_S_MAX = 2.0  # between two looks at a chain that another process holds: its receipts go on soon after
YIELD_S = 3.0  # so long a process leaves the chains that others prefer to them


def now_ms() -> int:
    """The wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def calm_collector() -> None:
    """Let the cyclic collector look seldom: a block is many objects that live for a moment, and none is in a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


class Service:
    """Runs until cancelled.

    It serves `chains` and the anchor; those among them that it `prefers` (all, if nothing is said) it takes at once,
    the others after a while, if they are free. `ready` is called when it holds and hears all that it prefers.
    """

    def __init__(
        self,
        *,
        dsn: str,
        broker: BrokerAddress,
        folder: LedgerFolder,
        chains: Sequence[str],
        prefers: Collection[str] | None = None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._dsn, self._broker, self._folder, self._chains = dsn, broker, folder, chains
        self._prefers = {*chains, ANCHOR} if prefers is None else {*prefers}
        self._awaited, self._ready = set(self._prefers), ready
        self._standing_by: set[str] = set()
        self.record, self._faults = Record.of([*chains, ANCHOR], time.monotonic()), Faults()

    async def run(self) -> None:
        """Serve; returns only by cancellation."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat())
                group.create_task(self._keep(self._run_anchor, ANCHOR))
                for name in self._chains:
                    group.create_task(self._keep(self._chain_service(name).run, name))
        finally:
            self._faults.due(time.monotonic(), all_of_it=True)

    async def _keep(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Run again whenever it fails, after a pause that grows while it keeps failing. A fault of ours is traced."""
        await asyncio.sleep(0 if name in self._prefers else YIELD_S)
        pause = PAUSE_S
        while True:
            began, pause_max = time.monotonic(), PAUSE_S_MAX
            try:
                await run()
            except ChainLocked as error:
                pause_max = STANDBY_S_MAX
                self._stand_by(name, error)
            except (psycopg.Error, UserError, OSError) as error:
                self._failed(name, error)
            except Exception as error:  # whatever one chain meets, the others go on
                if self._failed(name, error):
                    log.exception("%s: a fault of ours", name)
            pause = PAUSE_S if time.monotonic() - began > PAUSE_S_MAX else min(pause * 2, pause_max)
            await asyncio.sleep(pause)

    def _chain_service(self, name: str) -> ChainService:
        def open_chain() -> GatewayChain:
            return GatewayChain(self._dsn, chain=name, folder=self._folder, now_ms=now_ms)

        return ChainService(
            name,
            open_chain=open_chain,
            broker=self._broker,
            record=self.record.chains[name],
            faults=self._faults,
            opened=lambda: self._opened(name),
            heard=lambda: self._is_ready(name),
            took=lambda taken: self._took(name, taken),
        )

    def _open_anchor(self) -> AnchorChain:
        return AnchorChain(self._dsn, folder=self._folder, now_ms=now_ms)

    async def _run_anchor(self) -> None:
        chain = await in_thread(self._open_anchor, AnchorChain.close)
        try:
            self.record.chains[ANCHOR].opened(time.monotonic(), size=chain.size)
            self._opened(ANCHOR)
            self._is_ready(ANCHOR)
            while True:
                await in_thread(chain.take)
                self._took(ANCHOR, Taken(chain.size))
                await asyncio.sleep(ANCHOR_S)
        finally:
            chain.close()

    # What is told outside

    async def _beat(self) -> None:
        watch = ClockWatch(time.time(), time.monotonic())
        while True:
            now = self.record.beat_at = time.monotonic()
            self._faults.due(now)
            if by := watch.jump(time.time(), now):
                text = f"the clock was set {'back' if by < 0 else 'on'} by {abs(by):.1f} s"
                say(logging.WARNING, "clock", text, by=by)
            await asyncio.sleep(1)

    def _failed(self, name: str, error: Exception) -> bool:
        """Record it; whether the log has told of it, rather than of its like a moment ago."""
        text, now = re.sub(r"^\[Errno \d+\] ", "", " ".join(str(error).split())) or repr(error), time.monotonic()
        self.record.chains[name].failed(text, now)
        part = DATABASE if is_servers_fault(error) else name  # one fault, however many chains meet it
        return self._faults.failing(part, text, getattr(error, "hint", ""), now)

    def _stand_by(self, name: str, error: ChainLocked) -> None:
        """Another process writes the chain: say so once, not at every try."""
        self.record.chains[name].failed(str(error), time.monotonic(), is_standby=True)
        if not self._standing_by:
            say(logging.INFO, "standby", "another gateway writes these chains: standing by, to take over when it ends")
        self._standing_by.add(name)

    def _opened(self, name: str) -> None:
        if name in self._standing_by:
            self._standing_by.discard(name)
            say(logging.INFO, "taken-over", f"{name}: taken over", chain=name)

    def _took(self, name: str, taken: Taken) -> None:
        now = time.monotonic()
        self._faults.well(name, now)
        self._faults.well(DATABASE, now)
        self.record.chains[name].took(taken, now)
        for reason, count in taken.refused.items():
            self._faults.counted("refused", reason, count, f"{name}/{taken.examples[reason]}", now)

    def _is_ready(self, name: str) -> None:
        if self._awaited:
            self._awaited.discard(name)
            if not self._awaited:
                self._ready()
