"""One chain's service: hold it, listen for it, seal what comes, answer.

It owns the chain's writer, its queue and its connection to the broker. Without a broker it goes on sealing what waits
in the inbox; without the chain it listens for nothing.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from gateway.budget import Budget, cost
from gateway.chain import GatewayChain
from gateway.check import BROKER
from gateway.check_broker import unknown_name
from gateway.in_thread import in_thread, until_done
from gateway.intake import CLOSED, GOODBYE_S_MAX, Intake
from gateway.logs import Faults
from gateway.record import ChainRecord, Taken
from gateway.replies import Publication
from gateway.sift import Incoming
from gateway.waiting import Waiting
from ledger.errors import MalformedError
from ledger.refusal import Reason
from ledger.settings import BrokerAddress
from ledger.topic import Topic

log = logging.getLogger("gateway")

TOPICS_KEPT = 10_000
PAUSE_S, PAUSE_S_MAX = 0.1, 5.0


class ChainService:
    """Serves the chain `name`, which `open_chain` opens. `opened`, `heard` and `took` are told to whoever runs it."""

    def __init__(
        self,
        name: str,
        *,
        open_chain: Callable[[], GatewayChain],
        broker: BrokerAddress,
        record: ChainRecord,
        faults: Faults,
        opened: Callable[[], None],
        heard: Callable[[], None],
        took: Callable[[Taken], None],
    ) -> None:
        self._name, self._open_chain, self._broker = name, open_chain, broker
        self._record, self._faults = record, faults
        self._opened, self._heard, self._took = opened, heard, took
        self._listening = f"listening for {name}"  # its name in the log
        self._waiting, self._budget = Waiting(), Budget()
        self._topics: dict[str, tuple[Topic, str]] = {}
        self._intake: Intake | None = None
        record.waiting = self._waiting.__len__

    async def run(self) -> None:
        """Serve until something fails; what it raises, the chain's writer raised, or a fault of ours did."""
        chain = await in_thread(self._open_chain, lambda chain: chain.close())
        listening = asyncio.create_task(self._keep_listening())
        try:
            with closing(chain):  # which waits for no broker: another process may stand by for the chain
                self._record.opened(time.monotonic(), size=chain.taken.size, ages=chain.ages_now)
                self._opened()
                self._budget = Budget()  # what it took of devices for messages never judged is not their fault
                await self._seal_beside(chain, listening)
        finally:
            listening.cancel()
            await asyncio.wait([listening], timeout=2 * GOODBYE_S_MAX)

    async def _seal_beside(self, chain: GatewayChain, listening: asyncio.Task[None]) -> None:
        """Seal as long as somebody listens. The chain's thread has done when this ends."""
        sealing = asyncio.create_task(self._seal(chain))
        try:
            await asyncio.wait([sealing, listening], return_when=asyncio.FIRST_COMPLETED)
            if not sealing.done():
                cause = None if listening.cancelled() else listening.exception()
                raise RuntimeError("nobody listens for the chain any more") from cause
        finally:
            sealing.cancel()
            await until_done(sealing)
        sealing.result()

    async def _seal(self, chain: GatewayChain) -> None:
        while True:
            arrived = list[float | None]()
            async for part in self._waiting.parts():
                arrived += [message.arrived for message in part]
                await in_thread(lambda: chain.judge(part))  # noqa: B023
            rest = self._waiting.rest()
            arrived += [message.arrived for message in rest]
            self._publish(await in_thread(lambda: chain.take(rest)))  # noqa: B023
            self._budget.admitted(chain.taken.earned)
            self._took(chain.taken)
            self._record.answered([at for at in arrived if at is not None], time.monotonic())

    def _publish(self, publications: Sequence[Publication]) -> None:
        if publications and self._intake is not None:
            dropped = self._intake.publish(publications)
            if dropped:
                text = f"{dropped} are not published: the broker takes nothing"
                self._faults.failing("replies", text, "devices ask for them again", time.monotonic())
            else:
                self._faults.well("replies", time.monotonic())

    # The broker

    async def _keep_listening(self) -> None:
        pause = PAUSE_S
        while True:
            began = time.monotonic()
            try:
                await self._listen()
            except CLOSED as error:
                self._not_heard(error)
            except Exception as error:  # a chain that nobody listens for must not be held
                self._failed_to_listen(error)
            pause = PAUSE_S if time.monotonic() - began > PAUSE_S_MAX else min(pause * 2, PAUSE_S_MAX)
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        async with Intake.connect(self._broker, self._name, self._receive) as intake:
            self._intake = intake
            try:
                self._record.broker_fault = ""
                self._faults.well(BROKER, time.monotonic())
                self._heard()
                if await intake.lasts(PAUSE_S_MAX):
                    self._faults.well(self._listening, time.monotonic())
                await intake.closed()
            finally:
                self._intake, self._record.broker_fault = None, "not connected"

    def _not_heard(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error) or "it does not answer"
        text = f"{self._broker.host}:{self._broker.port}: {reason}"
        hint = "devices keep what they say until it is back"
        if isinstance(error, socket.gaierror):
            text, hint = unknown_name(self._broker, error)
        self._record.broker_fault = text
        self._faults.failing(BROKER, text, hint, time.monotonic())

    def _failed_to_listen(self, error: Exception) -> None:
        """A fault of ours: traced when it is told of."""
        self._record.broker_fault = f"{self._listening}: {error!r}"
        if self._faults.failing(self._listening, repr(error), "", time.monotonic()):
            log.error("%s: a fault of ours", self._listening, exc_info=error)

    def _receive(self, text: str, payload: bytes) -> None:
        """Take a message from the broker: it waits for the next batch, or is counted for what it is."""
        now = time.monotonic()
        topic, what = self._topics.get(text) or self._learn(text)
        if topic is None:
            return self._refuse(text, now)
        message = Incoming(topic, what, payload, now)
        if not self._waiting.fits(message):
            return self._drop(topic, "queue-full", now)
        if not self._budget.take(topic.device, now * 1000, cost(len(payload))):
            return self._drop(topic, "over-budget", now)
        return self._waiting.put(message, now)

    def _learn(self, text: str) -> tuple[Topic, str] | tuple[None, str]:
        """Whose topic this is, and what it carries; None if it is none that we listen to."""
        try:
            topic, what = Topic.parse(text)
        except MalformedError:
            return None, ""
        if topic.chain != self._name or what not in ("statement", "birth"):
            return None, ""
        if len(self._topics) >= TOPICS_KEPT:
            self._topics.clear()
        self._topics[text] = topic, what
        return topic, what

    def _drop(self, topic: Topic, reason: str, now: float) -> None:
        """Unread; its agent sends it again."""
        self._record.dropped[reason] += 1
        self._faults.counted("dropped", reason, 1, f"{topic.chain}/{topic.device}", now)

    def _refuse(self, text: str, now: float) -> None:
        self._record.refused[Reason.TOPIC] += 1
        self._faults.counted("refused", str(Reason.TOPIC), 1, repr(text[:100]), now)
