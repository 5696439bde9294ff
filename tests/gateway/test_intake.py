"""The connection to a broker that does what no real one does, and its end."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from gateway.chain_service import ChainService
from gateway.intake import GOODBYE_S_MAX, Intake
from gateway.logs import Faults
from gateway.record import ChainRecord, Taken
from gateway.replies import Publication
from gateway.sift import Incoming
from ledger.refusal import Reason
from ledger.settings import BrokerAddress
from tests.gateway.fake_broker import DISCONNECT, FakeBroker, publish

CHAIN = "production"
STATEMENT = b"tallystick/v1/production/press-1/statement"
# More than the kernel takes for a broker that reads nothing.
MUCH = [Publication("tallystick/v1/production/press-1/receipt/0", bytes(256 * 1024)) for _ in range(64)]


class Chain:
    """A chain without a database: it answers whatever it gets with `answers`."""

    def __init__(self, answers: Sequence[Publication] = ()) -> None:
        self.taken, self._answers = Taken(0), answers
        self.got, self.closed_at = list[Incoming](), 0.0

    def ages_now(self) -> dict[str, float]:
        return {}

    def judge(self, incoming: Sequence[Incoming]) -> None:
        self.got += incoming

    def take(self, incoming: Sequence[Incoming]) -> Sequence[Publication]:
        self.got += incoming
        return self._answers if incoming else ()

    def close(self) -> None:
        self.closed_at = time.monotonic()


def service(chain: Chain, address: BrokerAddress, heard: Callable[[], None] = lambda: None) -> ChainService:
    """One that serves `chain`, and has a record of its own."""
    open_chain: Any = lambda: chain  # noqa: E731
    return ChainService(
        CHAIN,
        open_chain=open_chain,
        broker=address,
        record=ChainRecord(),
        faults=Faults(),
        opened=lambda: None,
        heard=heard,
        took=lambda taken: None,
    )


async def until(claim: Callable[[], bool]) -> None:
    """Wait until `claim` holds; raises TimeoutError if it does not come to."""
    async with asyncio.timeout(5):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run it; what waits for ever is a failure."""

    async def bounded() -> None:
        await asyncio.wait_for(test, 15)

    asyncio.run(bounded())


async def end(task: "asyncio.Task[None]") -> float:
    """Cancel it; returns the seconds until it has ended."""
    began = time.monotonic()
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.done(), "it does not end"
    return time.monotonic() - began


def test_a_topic_that_is_not_utf8_is_counted_and_listening_goes_on() -> None:
    """It is refused as no topic of ours, and what comes behind it on the same connection is taken."""

    async def test() -> None:
        says = publish(STATEMENT[:-1] + b"\xff", b"") + publish(STATEMENT, b"whole")
        async with FakeBroker.listening(says=says) as (broker, address):
            chain = Chain()
            served = service(chain, address)
            task = asyncio.create_task(served.run())
            await until(lambda: [message.payload for message in chain.got] == [b"whole"])
            assert served._record.refused == {Reason.TOPIC: 1}
            assert broker.connected == 1
            await end(task)

    run(test())


def test_a_fault_of_ours_is_traced_once_and_listening_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever nobody foresaw is in the record and in the log, and the chain is listened for again."""
    tries = list[float]()

    def heard() -> None:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise ZeroDivisionError("nobody foresaw this")

    async def test() -> None:
        async with FakeBroker.listening() as (_, address):
            served = service(Chain(), address, heard)
            task = asyncio.create_task(served.run())
            await until(lambda: "nobody foresaw this" in served._record.broker_fault)
            await until(lambda: len(tries) == 3)
            assert not served._record.broker_fault
            await end(task)

    run(test())
    assert caplog.text.count("Traceback") == 1


def test_a_chain_that_nobody_listens_for_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the listening end for whatever reason, the chain is closed, and whoever runs it is told why."""

    async def ends(_: ChainService) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    async def test() -> None:
        chain = Chain()
        with pytest.raises(RuntimeError) as raised:
            await asyncio.wait_for(service(chain, BrokerAddress("127.0.0.1", 1, None, None)).run(), 5)
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        assert chain.closed_at

    monkeypatch.setattr(ChainService, "_keep_listening", ends)
    run(test())


def test_a_broker_that_reads_nothing_holds_up_no_end() -> None:
    """With answers that it does not take, the chain is closed at once, and the connection soon after."""

    async def test() -> None:
        async with FakeBroker.listening(says=publish(STATEMENT, b""), reads_on=False) as (_, address):
            chain = Chain(MUCH)
            served = service(chain, address)
            task = asyncio.create_task(served.run())
            await until(lambda: served._intake is not None and len(served._intake._waiting.get_all()) == len(MUCH))
            began = time.monotonic()
            assert await end(task) < GOODBYE_S_MAX + 1
            assert chain.closed_at - began < GOODBYE_S_MAX / 2

    run(test())


def test_a_heartbeat_that_is_lost_is_an_end() -> None:
    """Although the broker reads nothing, and much of what was sent still waits."""

    async def test() -> None:
        async with (
            FakeBroker.listening(reads_on=False) as (_, address),
            Intake.connect(address, CHAIN, lambda topic, payload: None) as intake,
        ):
            intake.publish(MUCH)
            connection: Any = intake._client._connection
            connection._last_data_in -= 3 * connection.keepalive
            connection._keep_connection()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(intake.closed(), GOODBYE_S_MAX + 2)

    run(test())


def test_what_is_written_last_is_sent() -> None:
    """What is published right before the end reaches the broker, and then the goodbye."""

    async def test() -> None:
        async with FakeBroker.listening() as (broker, address):
            async with Intake.connect(address, CHAIN, lambda topic, payload: None) as intake:
                intake.publish(MUCH[:3])
            await until(broker.ended.is_set)
            assert broker.published() == 3
            assert broker.heard[-1] == DISCONNECT

    run(test())
