"""The running gateway with a real broker of either kind and a real PostgreSQL."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from gateway.cli import CHAINS
from gateway.service import Service
from ledger import operate
from ledger.author import compose
from ledger.database import connect
from ledger.receipt import Answer, Receipt
from ledger.settings import BrokerAddress
from ledger.statement import TELEMETRY
from ledger.topic import Topic
from tests.running import RunningBroker
from tests.world import Device, World, opening


@contextmanager
def serving(world: World, address: BrokerAddress) -> Iterator[Service]:
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
        assert ready.wait(20), "the gateway holds its chains and is subscribed"
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
        client.subscribe(self._topic.receipt(TELEMETRY), qos=1)

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
        line.close()
        loud.close()
    with connect(world.dsn) as connection:
        assert connection.execute("select n from quarantine_count where reason = 'malformed'").fetchone() == (400,)
        assert connection.execute("select count(*) from entry where entry_id >> 40 = 1").fetchone() == (20,)


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
