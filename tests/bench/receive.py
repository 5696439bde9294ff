"""What the MQTT client alone costs: the gateway's own intake, with nothing behind it."""

import asyncio
import json
import sys
import time

import cbor2

from deploy.stack import Stack
from gateway.intake import Intake
from ledger.settings import BrokerAddress
from tests.bench.process import ask
from tests.bench.wire import Wire

ROUNDS = 8
CHAIN = "trade"  # nobody sends there in this benchmark, and the gateway counts what it gets as unknown


def receive_us(stack: Stack, messages: list[bytes]) -> float:
    """CPU µs to receive one of these messages at QoS 1."""
    name = "receive-probe"
    address, sender = stack.broker.port, stack.add_device(name)
    password = (stack.data / "broker-password").read_text().strip()
    time.sleep(1.5)
    job = {
        "port": address,
        "gateway": password,
        "sender": name,
        "password": sender.password,
        "messages": messages,
    }
    return float(json.loads(ask("tests.bench.receive", cbor2.dumps(job)))["us"])


async def _run(job: dict[str, object]) -> float:
    messages = job["messages"]
    assert isinstance(messages, list)
    wanted, got, done = len(messages) * ROUNDS, 0, asyncio.Event()

    def count(topic: str, payload: bytes) -> None:
        nonlocal got
        got += 1
        if got == wanted:
            done.set()

    port, name = int(str(job["port"])), str(job["sender"])
    from deploy import acl

    address = BrokerAddress("127.0.0.1", port, acl.GATEWAY, str(job["gateway"]))
    wire = await Wire.open(port, username=name, password=str(job["password"]), received=lambda topic, payload: None)
    topic = f"tallystick/v1/{CHAIN}/{name}/statement".encode()
    async with Intake.connect(address, CHAIN, count):
        before = time.process_time()
        for message in messages * ROUNDS:
            wire.publish(topic, message)
        sent = time.process_time() - before  # the sender's own, which is not the client's
        await asyncio.wait_for(done.wait(), 120)
        used = time.process_time() - before - sent
    return 1e6 * used / wanted


if __name__ == "__main__":
    print(json.dumps({"us": asyncio.run(_run(cbor2.load(sys.stdin.buffer)))}))
