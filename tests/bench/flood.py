"""`make bench-flood`: what a flood of bad signatures by one device does to the others. JSON on the last line.

In each repeat eight devices send packs of 10 readings, at full load and at half of it, once quietly and once beside a
device that sends statements with spoiled signatures at a steady rate. The figures are medians: the others' rate and
latencies and their ratios; and by CPU time, which noise leaves alone, what a pack costs the gateway at half load, what
one message of the flood adds, and at which rate of it the gateway's one busy core would lose a tenth.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cbor2

from deploy.stack import Stack
from ledger import operate
from ledger.folder import LedgerFolder
from tests.bench.cpu import cpu_s
from tests.bench.gateway import DEVICES, Load
from tests.bench.idle import running_stack
from tests.bench.wire import Wire
from tests.world import Device

READINGS = 10
FULL_PACKS = 8_000
HALF_S = 6.0
FORGED = 200
_TICK_S = 0.01


@dataclass
class Flood:
    """A device that sends what does not verify, from a process of its own, while the block lasts."""

    job: dict[str, Any]
    sent: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def make(cls, stack: Stack, load: Load, rate: float) -> "Flood":
        """Register the device; its messages are good but for the last bytes of each statement."""
        device, folder = Device("flood-1"), LedgerFolder(stack.data / "ledger")
        operate.post(folder, stack.dsn, [device.registration], timeout_s=30)
        password = stack.add_device(device.name).password
        time.sleep(1.5)  # until the broker has read its users anew
        signed = load._sign(device, FORGED, folder.trust().log("production").origin)
        pairs = zip(signed["messages"], signed["statements"], strict=True)
        messages = [message.replace(statement, statement[:-8] + bytes(8)) for message, statement in pairs]
        return cls({"port": stack.broker.port, "name": device.name, "password": password, "messages": messages,
                    "rate": rate})  # fmt: skip

    def __enter__(self) -> "Flood":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.flood", "--send"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin and self._process.stdout
        job = cbor2.dumps(self.job)
        self._process.stdin.write(len(job).to_bytes(8) + job)
        self._process.stdin.flush()
        self._process.stdout.readline()  # it has begun
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        out, _err = self._process.communicate()  # which closes its input: its sign to end
        self.sent = int(out)


async def _send(job: dict[str, Any], is_over: Callable[[], bool]) -> int:
    """Send at the job's rate until `is_over`; how many."""
    wire = await Wire.open(
        job["port"], username=job["name"], password=job["password"], received=lambda topic, payload: None
    )
    topic, messages = f"tallystick/v1/production/{job['name']}/statement".encode(), job["messages"]
    began, sent = time.perf_counter(), 0
    while not is_over():
        for _ in range(int((time.perf_counter() - began) * job["rate"]) - sent):
            wire.publish(topic, messages[sent % len(messages)])
            sent += 1
        await asyncio.sleep(_TICK_S)
    wire.close()
    return sent


def _sender() -> None:
    job = cbor2.loads(sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8))))
    over = threading.Event()

    def await_end() -> None:
        sys.stdin.buffer.read()
        over.set()

    threading.Thread(target=await_end, daemon=True).start()
    print("begun", flush=True)
    print(asyncio.run(_send(job, over.is_set)))


def measure(stack: Stack, rate: float, repeats: int) -> dict[str, Any]:
    """The medians over so many repeats."""
    load = Load.make(stack, READINGS)
    load.run(DEVICES * 50, 0)  # warm
    flood, gateway = Flood.make(stack, load, rate), stack.supervisor.pid("gateway") or 0
    rows = []
    for number in range(repeats):
        rows.append(_repeat(load, flood, gateway))
        print(f"repeat {number + 1}: {json.dumps(rows[-1])}", file=sys.stderr)
    return {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]} | {"flood_per_s": rate}


def _repeat(load: Load, flood: Flood, gateway: int) -> dict[str, float]:
    full = load.run(FULL_PACKS, 0)
    with flood:
        full_flooded = load.run(FULL_PACKS, 0)
    rate = full["packs_per_s"] / 2
    packs = int(rate * HALF_S)
    before = cpu_s(gateway)
    half = load.run(packs, rate)
    between = cpu_s(gateway)
    with flood:
        half_flooded = load.run(packs, rate)
    quiet, flooded = between - before, cpu_s(gateway) - between
    added = max(flooded - quiet, 1e-6) / max(1, flood.sent)
    return {
        "packs_per_s": full["packs_per_s"],
        "packs_per_s_flooded": full_flooded["packs_per_s"],
        "rate_ratio": full_flooded["packs_per_s"] / full["packs_per_s"],
        "p50_ms": half["p50_ms"],
        "p50_ms_flooded": half_flooded["p50_ms"],
        "p99_ms": half["p99_ms"],
        "p99_ms_flooded": half_flooded["p99_ms"],
        "p50_ratio": half_flooded["p50_ms"] / half["p50_ms"],
        "cpu_us_a_pack": 1e6 * quiet / half["packs"],
        "cpu_us_a_flooded_message": 1e6 * added,
        "flood_per_s_for_a_tenth": 0.1 / added,
    }


def main() -> None:
    """Measure, with progress on standard error."""
    parser = argparse.ArgumentParser(prog="make bench-flood")
    parser.add_argument("--rate", type=float, default=1_000, help="messages of the flood a second (default: 1000)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--send", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send:
        _sender()
        return
    with running_stack() as stack:
        print(json.dumps(measure(stack, arguments.rate, arguments.repeats)))


if __name__ == "__main__":
    main()
