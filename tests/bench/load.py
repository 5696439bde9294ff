"""The load generator, a process of its own: `python -m tests.bench.load`, a job on standard input, JSON on output.

It sends statements that were signed before, each device within its window, and checks every receipt as a device
does. A job is CBOR: `{port, topic chain, origin, log key, window, rate, devices: [{name, password, messages, …}]}`.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import cbor2

from ledger import merkle
from ledger.receipt import Answer, Receipt
from tests.bench.wire import Wire

STALL_S = 30.0
RESEND_S = 2.0


@dataclass
class Sender:
    """One device: what it has to send, what is proven, and when each message went out for the first time."""

    name: str
    messages: list[bytes]
    leaves: list[bytes]
    topic: bytes
    window: int
    log_key: bytes
    first_seq: int
    wire: Wire | None = None
    sent: int = 0
    proven: int = 0
    resent: int = 0
    sent_at: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    moved_at: float = 0.0

    def fill(self, most: int) -> int:
        """Send what the window lets, at most `most`; returns how many."""
        assert self.wire is not None
        count = max(0, min(most, self.proven + self.window - self.sent, len(self.messages) - self.sent))
        now = time.perf_counter()
        for message in self.messages[self.sent : self.sent + count]:
            self.wire.publish(self.topic, message)
            self.sent_at.append(now)
        self.sent += count
        return count

    def on_answer(self, payload: bytes) -> None:
        """Check the receipt, and count what it proves."""
        answer = Answer.decode(payload)
        if answer.receipt is None:
            return
        receipt = Receipt.decode(answer.receipt)
        place = receipt.seq - self.first_seq
        if not self.proven <= place < self.sent:
            return
        receipt.verify(self.log_key, leaf=self.leaves[place])
        now = time.perf_counter()
        self.latencies += [now - sent for sent in self.sent_at[self.proven : place + 1]]
        self.proven, self.moved_at = place + 1, now

    def resend(self, now: float) -> None:
        """After a time without progress, send the window again: something was lost."""
        assert self.wire is not None
        if self.proven < self.sent and now - max(self.moved_at, self.sent_at[self.proven]) > RESEND_S:
            for message in self.messages[self.proven : self.sent]:
                self.wire.publish(self.topic, message)
                self.resent += 1
            self.moved_at = now

    @property
    def is_done(self) -> bool:
        """Whether all is proven."""
        return self.proven == len(self.messages)


async def run(job: dict[str, Any]) -> dict[str, Any]:
    """Send all; `rate` is in packs a second over all devices, 0 for as fast as the windows let."""
    senders = [await _connect(job, device) for device in job["devices"]]
    await asyncio.sleep(0.5)
    began, began_cpu = time.perf_counter(), _cpu_s()
    allowed = 0.0
    while not all(sender.is_done for sender in senders):
        now = time.perf_counter()
        if now - max([began, *(sender.moved_at for sender in senders)]) > STALL_S:
            raise TimeoutError("no receipt for a long time")
        allowed = float("inf") if not job["rate"] else (now - began) * job["rate"] - sum(s.sent for s in senders)
        for sender in senders:
            sender.resend(now)
            allowed -= sender.fill(int(min(allowed, 64)) if allowed >= 1 else 0)
        await asyncio.sleep(0.001)
    seconds = max(sender.moved_at for sender in senders) - began
    latencies = sorted(latency for sender in senders for latency in sender.latencies)
    packs = sum(len(sender.messages) for sender in senders)
    return {
        "packs": packs,
        "seconds": seconds,
        "packs_per_s": packs / seconds,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[int(len(latencies) * 0.99)],
        "resent": sum(sender.resent for sender in senders),
        "cpu_s": _cpu_s() - began_cpu,
    }


async def _connect(job: dict[str, Any], device: dict[str, Any]) -> Sender:
    base = f"tallystick/v1/{job['chain']}/{device['name']}"
    statements = device["statements"]
    sender = Sender(
        name=device["name"],
        messages=device["messages"],
        leaves=[merkle.leaf_hash(statement) for statement in statements],
        topic=f"{base}/statement".encode(),
        window=job["window"],
        log_key=job["log_key"],
        first_seq=device["first_seq"],
    )
    sender.wire = await Wire.open(
        job["port"],
        username=device["name"],
        password=device["password"],
        received=lambda topic, payload: sender.on_answer(payload),
    )
    sender.wire.subscribe(f"{base}/receipt/1")
    return sender


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(cbor2.load(sys.stdin.buffer)))))
