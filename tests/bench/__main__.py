"""`make bench`: what an idle machine feels like, and the gateway under load. The last line is one JSON object.

help_s       `tallystick --help`, wall clock, median of several
receipt_ms   publish → verified receipt of one statement at a time, through a real broker, gateway and PostgreSQL
agent_mb     resident memory of an agent with a host sensor, some time after its start
packs_of     the gateway under load, by size of pack (`tests.bench.gateway`)
"""

import json
import sys

from tests.bench import gateway, idle


def main() -> None:
    """Run all, with progress on standard error."""
    broker = gateway.arguments(__doc__ or "").broker
    print("help …", file=sys.stderr)
    result: dict[str, object] = {"help_s": idle.help_seconds()}
    with idle.running_stack(broker) as stack:
        print("receipts …", file=sys.stderr)
        result["receipt_ms"] = idle.receipt_latency(stack)
        print("agent …", file=sys.stderr)
        result["agent_mb"] = idle.agent_memory(stack)
    print(json.dumps(result | gateway.measure_all(broker)))


main()
