"""Latency and memory with nothing else to do."""

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.broker import Kind
from deploy.stack import Options, Stack, run_command, temporary_data
from ledger import merkle, note, operate
from ledger.checkpoint import Checkpoint
from ledger.folder import LedgerFolder
from ledger.log import Log
from ledger.receipt import Answer, Receipt
from ledger.statement import TELEMETRY, Statement
from ledger.topic import Topic
from ledger.trust.trust_file import Trust
from tests.world import Device, opening

ROUNDS = 150
HELP_ROUNDS = 7
SETTLE_S = 20.0


def help_seconds() -> float:
    """The median time of `tallystick --help`."""
    times = []
    for _ in range(HELP_ROUNDS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tallystick", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return round(statistics.median(times), 3)


@contextmanager
def running_stack(broker: Kind = "mosquitto") -> Iterator[Stack]:
    """Database, broker and gateway in a temporary data folder, on free ports."""
    options = Options(ledger="example.com", broker_kind=broker)
    with temporary_data() as data, Stack(data, options) as stack:
        stack.start()
        yield stack


def receipt_latency(stack: Stack) -> dict[str, float]:
    """Percentiles of publish → verified receipt, in milliseconds, one statement at a time."""
    device = Device("bench-1")
    folder = LedgerFolder(stack.data / "ledger")
    operate.post(folder, stack.dsn, [device.registration], timeout_s=15)
    probe = _Probe(stack, device, folder.trust())
    times = sorted(probe.round() for _ in range(ROUNDS))[1:]  # the first opens the stream
    probe.close()
    return {
        "p50": round(times[len(times) // 2], 1),
        "p99": round(times[int(len(times) * 0.99)], 1),
        "max": round(times[-1], 1),
        "n": len(times),
    }


class _Probe:
    """A device that sends one statement and waits for its receipt."""

    def __init__(self, stack: Stack, device: Device, trust: Trust) -> None:
        self._device, self._log, self._topic = device, trust.log("production"), Topic("production", device.name)
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        address = stack.add_device(device.name)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(device.name, address.password)
        self._client.on_message = lambda client, userdata, message: self._answers.put(bytes(message.payload))
        time.sleep(1.0)  # until the broker has read its users anew
        self._client.connect(address.host, address.port)
        self._client.subscribe(self._topic.receipt(TELEMETRY), qos=1)
        self._client.loop_start()

    def round(self) -> float:
        """Milliseconds from publish to the verified receipt."""
        statement, payload = self._next()
        time.sleep(random.uniform(0.05, 0.35))
        began = time.perf_counter()
        self._client.publish(self._topic.statement, payload, qos=1)
        while not _proves(self._answers.get(timeout=10), statement, self._log):
            pass
        return (time.perf_counter() - began) * 1000

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _next(self) -> tuple[Statement, bytes]:
        from ledger.author import compose

        first = ("production", TELEMETRY) not in self._device.heads
        tally = self._device.next_tally("production", TELEMETRY)
        content = opening() if first else self._device.readings(*range(10))
        made = compose(
            self._device.author, origin=self._log.origin, tally=tally, contents=[content], now=int(time.time())
        )
        self._device.heads["production", TELEMETRY] = made[0]
        return made


def _proves(payload: bytes, statement: Statement, log: Log) -> bool:
    answer = Answer.decode(payload)
    receipt = Receipt.decode(answer.receipt or b"")
    if receipt.statement_hash != statement.hash:
        return False
    root = receipt.verify(log.public_key, leaf=merkle.leaf_hash(statement.encode()))
    checkpoint = Checkpoint.parse(note.open(answer.checkpoint or "", [log.verifier]).text)
    return (checkpoint.size, checkpoint.root) == (receipt.size, root)


def agent_memory(stack: Stack) -> float:
    """Resident megabytes of an idle agent."""
    folder = stack.data / "devices" / "idle-1"
    address = stack.add_device("idle-1")
    secret = stack.data / "idle.password"
    secret.write_text(address.password or "")
    trust = str(stack.data / "ledger" / "trust.json")
    run_command("edge", "init", "--name", "idle-1", "--organisation", "https://example.com", "--trust", trust,
                "--broker", f"{address.host}:{address.port}", "--username", "idle-1", "--password-file", str(secret),
                "--folder", str(folder))  # fmt: skip
    with (folder / "config.toml").open("a") as file:
        file.write('\n[[sensor]]\ntype = "host"\n')
    run_command("ledger", "register", "--data", str(stack.data), str(folder / "registration.json"))
    stack.start_agent(folder)
    time.sleep(SETTLE_S)
    pid = stack.supervisor.pid(f"edge-{folder.name}")
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return round(int(resident.split()[1]) / 1024, 1)
