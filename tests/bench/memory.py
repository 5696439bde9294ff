"""`make bench-memory`: memory of gateway, broker and PostgreSQL over ten minutes of load. JSON on the last line.

The load comes in rounds, each signed before it is sent as fast as it goes; the ten minutes are those of sending. `mb`
is what each part has after every round: its own pages, not what its processes share; `grew_mb` compares the median of
the last third of the rounds with that of the second.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from tests.bench.cpu import descendants
from tests.bench.gateway import DEVICES, Load
from tests.bench.idle import running_stack

READINGS = 10
ROUND_PACKS = 24_000
PARTS = ("gateway", "broker", "postgres")


def private_mb(pid: int) -> float:
    """The largest of a process and its descendants, in megabytes that it shares with no other."""
    return max(map(_private_kb, (pid, *descendants(pid)))) / 1024


def _private_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def main() -> None:
    """Run for so long, with progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    seconds, rounds, loaded_s, packs = parser.parse_args().seconds, [], 0.0, 0
    with running_stack() as stack:
        load = Load.make(stack, READINGS)
        began = time.monotonic()
        while loaded_s < seconds:
            report = load.run(ROUND_PACKS // DEVICES * DEVICES, 0)
            loaded_s, packs = loaded_s + report["seconds"], packs + report["packs"]
            rounds.append({name: private_mb(stack.supervisor.pid(name) or 0) for name in PARTS})
            told = ", ".join(f"{name} {mb:.0f} MB" for name, mb in rounds[-1].items())
            print(f"{loaded_s:5.0f} s of load  {packs} packs  {told}", file=sys.stderr)
    print(
        json.dumps(
            _summary(rounds) | {"packs": packs, "seconds": round(time.monotonic() - began), "loaded_s": round(loaded_s)}
        )
    )


def _summary(rounds: list[dict[str, float]]) -> dict[str, object]:
    third = max(1, len(rounds) // 3)
    of = {name: [one[name] for one in rounds] for name in PARTS}
    grew = {n: statistics.median(mb[-third:]) - statistics.median(mb[third : 2 * third] or mb) for n, mb in of.items()}
    return {
        "max_mb": {name: round(max(mb), 1) for name, mb in of.items()},
        "grew_mb": {name: round(value, 1) for name, value in grew.items()},
        "mb": {name: [round(value, 1) for value in mb] for name, mb in of.items()},
    }


if __name__ == "__main__":
    main()
