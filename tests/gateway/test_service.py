"""The running gateway with a real broker of either kind and a real PostgreSQL."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from gateway.budget import UNITS_MAX, UNITS_PER_S
from gateway.chain import GatewayChain
from gateway.cli import CHAINS
from gateway.in_thread import in_thread
from gateway.judge import OVERSIZED_READ_MAX
from gateway.replies import Publication
from gateway.service import Service
from gateway.sift import Incoming
from gateway.waiting import BYTES_MAX, PART, Waiting
from ledger import cbor, operate
from ledger.author import Content, compose
from ledger.database import connect
from ledger.message import MESSAGE_BYTES_MAX
from ledger.receipt import Answer, Receipt
from ledger.refusal import Reason, Refusal
from ledger.registry import ANCHOR
from ledger.section import ContentFormat, Privacy
from ledger.settings import BrokerAddress
from ledger.statement import TELEMETRY, Statement
from ledger.topic import Topic
from tests.running import RunningBroker, eventually
from tests.world import Device, World, opening


@contextmanager
def serving(world: World, address: BrokerAddress, *, await_ready: bool = True) -> Iterator[Service]:
    """The gateway of `world`, in a thread of its own, until the block ends."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    service = Service(dsn=world.dsn, broker=address, folder=world.folder, chains=CHAINS, ready=ready.set)
    task = loop.create_task(service.run())

    def run() -> None:
        try:
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert not await_ready or ready.wait(20), "the gateway holds its chains and is subscribed"
        yield service
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)


class Line:
    """A device's line to the broker: publishes, and keeps the newest seq that a receipt proved."""

    def __init__(self, world: World, device: Device, address: BrokerAddress) -> None:
        self._world, self._device = world, device
        self._topic = Topic("production", device.name)
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(address.username or "", address.password)
        self.client.on_connect = self._subscribe
        self.client.on_message = lambda client, userdata, message: self._answers.put(bytes(message.payload))
        self.client.reconnect_delay_set(1, 1)
        self.client.connect(address.host, address.port)
        self.client.loop_start()

    def _subscribe(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe([(self._topic.receipt(TELEMETRY), 1), (self._topic.refusal(TELEMETRY), 1)])

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def next(self) -> bytes:
        """The device's next message."""
        first = ("production", TELEMETRY) not in self._device.heads
        tally = self._device.next_tally("production", TELEMETRY)
        content = opening() if first else self._device.readings(tally.seq)
        origin = self._world.trust.log("production").origin
        statement, payload = compose(self._device.author, origin=origin, tally=tally, contents=[content], now=0)
        self._device.heads["production", TELEMETRY] = statement
        return payload

    def send(self, payload: bytes) -> None:
        self.client.publish(self._topic.statement, payload, qos=1)

    def next_answer(self) -> bytes:
        """The gateway's next receipt or refusal."""
        return self._answers.get(timeout=20)

    def await_receipt(self, seq: int, *, within_s: float = 20, again: bytes | None = None) -> None:
        """Wait for a receipt of `seq`; send `again` every second, as an agent does."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                answer = Answer.decode(self._answers.get(timeout=1))
            except Empty:
                if again is not None:
                    self.send(again)
                continue
            if answer.receipt and Receipt.decode(answer.receipt).seq >= seq:
                return
        raise AssertionError(f"no receipt of seq {seq}")


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


def test_statements_are_receipted_beside_a_flood_of_garbage(world: World, broker: RunningBroker) -> None:
    """What one device sends is receipted while another sends nothing but garbage."""
    press, noise = Device("press-1"), Device("noise-1")
    with serving(world, broker.gateway()):
        operate.post(world.folder, world.dsn, [press.registration, noise.registration], timeout_s=15)
        line, loud = Line(world, press, broker.device("press-1")), Line(world, noise, broker.device("noise-1"))
        for number in range(20):
            line.send(line.next())
            for _ in range(20):
                loud.send(b"\x82\xff" + bytes(number))
        line.await_receipt(19)
        # The noise came by another connection, and may be behind.
        eventually(lambda: ask(world, "select n from quarantine_count where reason = 'malformed'") == [(400,)])
        line.close()
        loud.close()
    assert ask(world, "select count(*) from entry where entry_id >> 40 = 1") == [(20,)]


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_a_flood_of_bad_signatures_is_not_verified(world: World, broker: RunningBroker) -> None:
    """Of 10,000 so many are verified as the device's budget has; what others send meanwhile is receipted."""
    press, noise = Device("press-1"), Device("noise-1")
    with serving(world, broker.gateway()) as service:
        operate.post(world.folder, world.dsn, [press.registration, noise.registration], timeout_s=15)
        line, loud = Line(world, press, broker.device("press-1")), Line(world, noise, broker.device("noise-1"))
        began, forged = time.monotonic(), loud.next().replace(cbor.encode(noise.urn), cbor.encode(press.urn))
        for number in range(10_000):
            loud.send(forged)
            if number % 1_000 == 0:
                line.send(line.next())
        line.await_receipt(9)
        seen = service.record.chains["production"]
        eventually(lambda: seen.refused.total() + seen.dropped.total() == 10_000, within_s=20)
        verified = seen.refused["signature"]
        assert 0 < verified <= UNITS_MAX + UNITS_PER_S * (time.monotonic() - began)
        assert seen.dropped["over-budget"] > 5_000
        line.close()
        loud.close()


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1, OVERSIZED_READ_MAX])
def test_an_oversized_statement_is_refused_through_the_broker(world: World, broker: RunningBroker, size: int) -> None:
    """What is too large, and not by far, reaches the gateway, which answers with a signed refusal and counts it."""
    press = Device("press-1")
    tally = press.next_tally("production", TELEMETRY)

    def sign(body: int) -> tuple[Statement, bytes]:
        return world.sign(press, [Content(Privacy.PRIVATE, ContentFormat.SENML_CBOR, bytes(body))], tally=tally)

    statement, payload = sign(2 * size - len(sign(size)[1]))
    assert len(payload) == size
    with serving(world, broker.gateway()):
        operate.post(world.folder, world.dsn, [press.registration], timeout_s=15)
        line = Line(world, press, broker.device("press-1"))
        line.send(payload)
        refusal = Refusal.open(line.next_answer(), world.trust.log("production").public_key)
        line.close()
    assert (refusal.reason, refusal.statement_hash) == (Reason.OVERSIZED, statement.hash)
    assert ask(world, "select reason, n from quarantine_count") == [("oversized", 1)]


def ask(world: World, query: str) -> list[tuple[object, ...]]:
    with connect(world.dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_gateway_outlives_the_broker(world: World, broker: RunningBroker) -> None:
    """A broker that is killed and comes back finds the gateway again; what it lost is sent again."""
    press = Device("press-1")
    with serving(world, broker.gateway()):
        operate.post(world.folder, world.dsn, [press.registration], timeout_s=15)
        line = Line(world, press, broker.device("press-1"))
        line.send(line.next())
        line.await_receipt(0)
        broker.kill()
        payload = line.next()
        line.await_receipt(1, again=payload)
        line.close()


def test_what_waits_is_bounded_by_bytes() -> None:
    """Few very large messages fill a chain's queue as many small ones do; taking them makes room."""

    async def run() -> None:
        waiting, large = Waiting(), bytes(BYTES_MAX // 8)
        noise, press = (Incoming(Topic("production", name), "statement", large) for name in ("noise-1", "press-1"))
        while waiting.fits(noise):
            waiting.put(noise, 0.0)
        assert len(waiting) == 7
        assert waiting.fits(press)  # one device never fills it
        waiting.put(press, 0.0)
        assert not waiting.fits(press)
        assert waiting.rest() == [noise]
        assert waiting.fits(press)

    asyncio.run(run())


def test_a_batch_waits_from_its_first_messages_arrival() -> None:
    """Not from when the writer is free again: what waited while a block was sealed is due at once."""

    async def run() -> None:
        waiting, message = Waiting(), Incoming(Topic("production", "press-1"), "statement", b"")
        waiting.put(message, time.monotonic() - 10)
        assert [part async for part in waiting.parts()] == []
        assert waiting.rest() == [message]

    asyncio.run(run())


def test_a_batch_comes_in_parts_while_it_is_open() -> None:
    """What has come is judged while more comes; the rest when it closes, with nothing twice and in order."""

    async def run() -> None:
        waiting, topic, began = Waiting(), Topic("production", "press-1"), time.monotonic()
        messages = [Incoming(topic, "statement", bytes([number % 256])) for number in range(3 * PART + 1)]
        got = list[Incoming]()
        for message in messages[:PART]:
            waiting.put(message, began)
        async for part in waiting.parts():
            assert len(part) == PART and time.monotonic() - began < 0.25
            got += part
            for message in messages[len(got) : len(got) + PART]:
                waiting.put(message, time.monotonic())
        assert time.monotonic() - began >= 0.25  # by its first message's age
        assert len(got) == 3 * PART and got + waiting.rest() == messages

    asyncio.run(run())


def test_a_fault_of_ours_in_one_chain_leaves_the_others(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a chain meets that nobody foresaw, it is traced and opened anew, and the other chains go on."""
    take, faults = GatewayChain.take, list[str]()

    def faulty(chain: GatewayChain, incoming: Sequence[Incoming]) -> list[Publication]:
        if chain.name == "production":
            faults.append(chain.name)
            raise ZeroDivisionError("nobody foresaw this")
        return take(chain, incoming)

    monkeypatch.setattr(GatewayChain, "take", faulty)
    press = Device("press-1")
    with serving(world, BrokerAddress("127.0.0.1", 1, None, None), await_ready=False):
        eventually(lambda: len(faults) > 1)
        operate.post(world.folder, world.dsn, [press.registration], timeout_s=15)
    assert "nobody foresaw this" in caplog.text


def test_a_chain_is_not_closed_under_its_thread() -> None:
    """However often its task is cancelled, a chain is given up only when its thread has done."""
    done, started, cancelled = list[str](), threading.Event(), threading.Event()

    class Chain:
        def close(self) -> None:
            done.append("closed")

    def seal() -> None:
        started.set()
        cancelled.wait(5)
        done.append("sealed")

    async def run() -> None:
        chain = Chain()
        try:
            await in_thread(seal)
        finally:
            chain.close()

    async def main() -> None:
        task = asyncio.ensure_future(run())
        await asyncio.to_thread(started.wait)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.01)
        cancelled.set()
        await asyncio.wait([task])

    asyncio.run(main())
    assert done == ["sealed", "closed"]


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_a_second_gateway_stands_by_and_says_so_once(
    world: World, broker: RunningBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits with one line, not a line a try, and takes every chain over when the first one ends."""
    caplog.set_level("INFO", "gateway")
    address = broker.gateway()
    with serving(world, address) as _, ExitStack() as later:
        standby = later.enter_context(serving(world, address, await_ready=False))
        eventually(lambda: standby._standing_by == {*CHAINS, ANCHOR})
        time.sleep(1)  # some tries
        [line] = [record.getMessage() for record in caplog.records]
        assert "standing by" in line
        second = later.pop_all()
    with second:
        eventually(lambda: not standby._standing_by, within_s=20)
