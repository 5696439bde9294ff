"""`make bench-gateway`: the gateway under load, against the steps that nobody can avoid. JSON on the last line.

For packs of 1, 10 and 100 readings: rates at full load, latencies at half of that, CPU µs a pack of gateway, broker
and PostgreSQL; and in the same run, alone, the unavoidable steps: signature, decoding, leaf hash, binary COPY, the
broker's share (measured in the run), and the MQTT client's own receiving. `efficiency` is the steps' CPU over the CPU
used; `efficiency_with_client` counts the client's receiving among the steps.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import cbor2

from deploy.broker import Kind
from deploy.stack import Stack
from ledger import operate
from ledger.author import Content, compose
from ledger.folder import LedgerFolder
from ledger.message import decode as decode_message
from ledger.section import ContentFormat, Privacy
from ledger.senml import Reading, encode
from ledger.statement import TELEMETRY
from tests.bench import steps
from tests.bench.cpu import cpu_s
from tests.bench.idle import running_stack
from tests.bench.process import ask
from tests.world import Device, opening

DEVICES = 8
WINDOW = 400
PACKS = {1: 12_000, 10: 12_000, 100: 4_000}
HALF_LOAD_S = 8.0


@dataclass
class Load:
    """Devices of one size of pack, on a stack that runs."""

    stack: Stack
    readings: int
    devices: list[Device]
    passwords: list[str]

    @classmethod
    def make(cls, stack: Stack, readings: int) -> "Load":
        """Register the devices, at the ledger and the broker."""
        devices = [Device(f"load-{readings}-{number}") for number in range(DEVICES)]
        folder = LedgerFolder(stack.data / "ledger")
        operate.post(folder, stack.dsn, [device.registration for device in devices], timeout_s=30)
        passwords = [stack.add_device(device.name).password or "" for device in devices]
        time.sleep(1.5)  # until the broker has read its users anew
        return cls(stack, readings, devices, passwords)

    def run(self, packs: int, rate: float) -> dict[str, Any]:
        """Send `packs` in all, at `rate` a second (0: as fast as it goes); the generator's report."""
        log = LedgerFolder(self.stack.data / "ledger").trust().log("production")
        share = packs // DEVICES
        job = {
            "port": self.stack.broker.port,
            "chain": "production",
            "log_key": log.public_key,
            "window": WINDOW,
            "rate": rate,
            "devices": [
                {"name": device.name, "password": password, **self._sign(device, share, log.origin)}
                for device, password in zip(self.devices, self.passwords, strict=True)
            ],
        }
        report: dict[str, Any] = json.loads(ask("tests.bench.load", cbor2.dumps(job)))
        return report

    def _sign(self, device: Device, count: int, origin: str) -> dict[str, Any]:
        first_seq, messages = -1, []
        for _ in range(count):
            tally = device.next_tally("production", TELEMETRY)
            first_seq = tally.seq if first_seq < 0 else first_seq
            contents = [_pack(device, self.readings)] if tally.seq else [opening()]
            made = compose(device.author, origin=origin, tally=tally, contents=contents, now=int(time.time()))
            device.heads["production", TELEMETRY] = made[0]
            messages.append(made[1])
        statements = [decode_message(message).statement for message in messages]
        return {"first_seq": first_seq, "messages": messages, "statements": statements}


def _pack(device: Device, readings: int) -> Content:
    base, now = f"{device.urn}:", round(time.time(), 3)
    pack = [Reading(f"{base}temperature", "Cel", now + n, 20 + n / 8) for n in range(readings)]
    return Content(Privacy.PRIVATE, ContentFormat.SENML_CBOR, encode(pack, base_name=base))


def run_and_count(stack: Stack, load: Load, packs: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Send `packs` as fast as it goes: the generator's report, and each part's CPU in µs a pack."""
    pids = {name: stack.supervisor.pid(name) or 0 for name in ("gateway", "broker", "postgres")}
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    report = load.run(packs, 0)
    return report, {name: 1e6 * (cpu_s(pid) - before[name]) / report["packs"] for name, pid in pids.items()}


def measure(stack: Stack, readings: int) -> dict[str, Any]:
    """One size of pack."""
    load = Load.make(stack, readings)
    load.run(DEVICES * 50, 0)  # warm
    full, used = run_and_count(stack, load, PACKS[readings])
    half = load.run(int(full["packs_per_s"] / 2 * HALF_LOAD_S), full["packs_per_s"] / 2)
    alone = steps.measure(stack, load, broker_us=used["broker"])
    total, unavoidable = sum(used.values()), sum(alone.values())
    return {
        "packs_per_s": round(full["packs_per_s"]),
        "readings_per_s": round(full["packs_per_s"] * readings),
        "half_load_ms": {"p50": round(half["p50_ms"]), "p99": round(half["p99_ms"])},
        "resent": full["resent"] + half["resent"],
        "cpu_us_a_pack": {name: round(value, 1) for name, value in used.items()},
        "generator_us_a_pack": round(1e6 * full["cpu_s"] / full["packs"], 1),
        "steps_us": {name: round(value, 1) for name, value in alone.items()},
        "efficiency": round((unavoidable - alone["client"]) / total, 3),
        "efficiency_with_client": round(unavoidable / total, 3),
    }


def measure_all(broker: Kind) -> dict[str, Any]:
    """All sizes, with progress on standard error."""
    result: dict[str, Any] = {}
    with running_stack(broker) as stack:
        for readings in PACKS:
            print(f"packs of {readings} …", file=sys.stderr)
            result[str(readings)] = measure(stack, readings)
    return {"broker": broker, "packs_of": result}


def arguments(description: str) -> argparse.Namespace:
    """What the command line says: which broker."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", choices=["mosquitto", "amqtt"], default="mosquitto")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(measure_all(arguments(__doc__ or "").broker)))
