"""What the MQTT client alone costs: the gateway's own intake, with nothing behind it."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import cbor2

from deploy import acl
from deploy.stack import Stack
from gateway.intake import Intake
from ledger.settings import BrokerAddress
from tests.bench.wire import Wire

ROUNDS = 8
CHAIN = "trade"  # nobody sends there in this benchmark, and the gateway counts what it gets as unknown


def receive_us(stack: Stack, messages: list[bytes]) -> float:
    """CPU µs to receive one of these messages at QoS 1; the sender's are not among them."""
    name = "receive-probe"
    sender = stack.add_device(name)
    job = {"port": stack.broker.port, "password": (stack.data / "broker-password").read_text().strip(),
           "count": len(messages) * ROUNDS}  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.receive"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as receiver:
        assert receiver.stdin is not None and receiver.stdout is not None
        receiver.stdin.write(cbor2.dumps(job))
        receiver.stdin.close()
        receiver.stdout.readline()  # it is subscribed
        asyncio.run(_send(stack.broker.port, name, sender.password or "", messages * ROUNDS))
        return float(json.loads(receiver.stdout.readline())["us"])


async def _send(port: int, name: str, password: str, messages: list[bytes]) -> None:
    wire = await Wire.open(port, username=name, password=password, received=lambda topic, payload: None)
    topic = f"tallystick/v1/{CHAIN}/{name}/statement".encode()
    for number, message in enumerate(messages):
        wire.publish(topic, message)
        if number % 64 == 0:
            await asyncio.sleep(0.001)
    await asyncio.sleep(1)  # until all is written
    wire.close()


async def _receive(job: dict[str, Any]) -> float:
    got, done = 0, asyncio.Event()

    def count(topic: str, payload: bytes) -> None:
        nonlocal got
        got += 1
        if got == job["count"]:
            done.set()

    address = BrokerAddress("127.0.0.1", job["port"], acl.GATEWAY, job["password"])
    async with Intake.connect(address, CHAIN, count):
        print("subscribed", flush=True)
        before = time.process_time()
        await asyncio.wait_for(done.wait(), 120)
        return 1e6 * (time.process_time() - before) / got


if __name__ == "__main__":
    print(json.dumps({"us": asyncio.run(_receive(cbor2.load(sys.stdin.buffer)))}))
