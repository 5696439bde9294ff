"""`make bench`: what an idle machine feels like. The last line of output is one JSON object.

receipt_ms   publish → verified receipt of one statement at a time, through a real broker, gateway and PostgreSQL
help_s       `tallystick --help`, wall clock, median of several
agent_mb     resident memory of an agent with a host sensor, some time after its start
"""

import json
import sys

from tests.bench import idle


def main() -> None:
    """Run all, with progress on standard error."""
    print("help …", file=sys.stderr)
    result: dict[str, object] = {"help_s": idle.help_seconds()}
    with idle.running_stack() as stack:
        print("receipts …", file=sys.stderr)
        result["receipt_ms"] = idle.receipt_latency(stack)
        print("agent …", file=sys.stderr)
        result["agent_mb"] = idle.agent_memory(stack)
    print(json.dumps(result))


main()
