"""`make bench-bombs`: what the worst messages cost, against good ones of their size. JSON on the last line.

CPU ms of judging a message and reading its content, of each kind and for some sizes, and the ratio to good packs of
readings in as many bytes. What PostgreSQL adds, which bombs do not reach, is on neither side.
"""

import json
import statistics
import sys
import time

from gateway.judge import Admitted, Streams, Verdict
from ledger.projection.content import Rows
from ledger.topic import Topic
from tests import cast
from tests.bombs import KIB, bombs, good
from tests.gateway.judging import judge

SIZES = (4 * KIB, 60 * KIB, 180 * KIB)
ROUNDS = 3
_REGISTRY = cast.peopled()


def judged(payload: bytes) -> Verdict:
    """The gateway's verdict on a message of the cast's device, on a new chain."""
    return judge(
        payload, topic=Topic("production", "line-1"), origin=cast.ORIGIN, registry=_REGISTRY, streams=Streams({}, set())
    )


def take(payload: bytes) -> None:
    """What the gateway does with a message before the database."""
    verdict = judged(payload)
    if isinstance(verdict, Admitted):
        Rows().read(verdict.statement, verdict.sections, 1)


def cpu_ms(payload: bytes) -> float:
    """The median of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        take(payload)
        times.append(1000 * (time.process_time() - began))
    return statistics.median(times)


def main() -> None:
    """Measure all sizes, with progress on standard error."""
    result = {}
    for size in SIZES:
        base = cpu_ms(good(size))
        costs = {name: cpu_ms(payload) for name, payload in bombs(size)}
        result[size] = {"good_ms": round(base, 2), **{name: round(ms / base, 2) for name, ms in costs.items()}}
        worst = max(costs, key=lambda name: costs[name])
        print(f"{size} bytes: {worst} costs {costs[worst] / base:.1f} times as much", file=sys.stderr)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
