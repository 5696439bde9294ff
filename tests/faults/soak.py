"""`make soak`: faults at random under load, for so many seconds; the last line of output is one JSON object.

Each ledger is used for some rounds and then made anew, so that its checks stay short. Exit code 1 says that something
was violated; the seed that is printed makes the same rounds in the same order.
"""

import argparse
import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.faults import FAULTS, play
from tests.faults.site import Site

STATEMENTS_MAX = 12_000  # of a ledger, before it is made anew
VIOLATIONS_KEPT = 50


@dataclass
class Tally:
    """What has been done so far."""

    seed: int
    rounds: Counter[str] = field(default_factory=Counter)
    statements: int = 0
    resent: int = 0
    ledgers: int = 0
    violations: list[str] = field(default_factory=list)

    def document(self, seconds: float) -> dict[str, Any]:
        """As it is printed."""
        return {
            "ok": not self.violations,
            "seed": self.seed,
            "seconds": round(seconds),
            "rounds": dict(sorted(self.rounds.items())),
            "rounds_total": self.rounds.total(),
            "statements": self.statements,
            "resent": self.resent,
            "ledgers": self.ledgers,
            "violations": self.violations[:VIOLATIONS_KEPT],
            "violations_total": len(self.violations),
        }


@dataclass(frozen=True)
class Course:
    """How long it goes on, and how."""

    until: float
    rounds_max: int
    rate: float
    faults: list[str]
    gateway_args: list[str]

    def is_over(self, tally: Tally) -> bool:
        """Whether the time is up, the rounds are played, or something is wrong."""
        return time.monotonic() > self.until or tally.rounds.total() >= self.rounds_max or bool(tally.violations)


def soak(course: Course, tally: Tally) -> None:
    """Play rounds on one ledger after another."""
    rng = random.Random(tally.seed)
    deck: list[str] = []
    while not course.is_over(tally):
        tally.ledgers += 1
        with Site(rng, rate=course.rate, gateway_args=course.gateway_args) as site:
            try:
                _play_on(site, course, tally, deck, rng)
            finally:
                tally.statements += site.load.proven
                tally.resent += sum(sender.resent for sender in site.load.senders)


def _play_on(site: Site, course: Course, tally: Tally, deck: list[str], rng: random.Random) -> None:
    site.recover()
    while not course.is_over(tally) and site.load.signed < STATEMENTS_MAX:
        deck[:] = deck or rng.sample(course.faults, len(course.faults))
        name, began = deck.pop(), time.monotonic()
        try:
            wrong = play(site, name, span=rng.choice([0.5, 2, 10] if name == "stop-postgres" else [0.2, 1, 3]))
        except Exception as error:  # whatever it was, the run has failed, and says of which round
            wrong = [f"{error!r}", *([] if isinstance(error, AssertionError) else [traceback.format_exc()])]
        tally.rounds[name] += 1
        tally.violations += [f"round {tally.rounds.total()}, {name}: {what}" for what in wrong]
        told = f"{len(wrong)} violations" if wrong else "ok"
        print(f"round {tally.rounds.total()}: {name}: {told}, {time.monotonic() - began:.1f} s,"
              f" {site.load.proven} proven", file=sys.stderr, flush=True)  # fmt: skip


def main() -> None:
    """Read the options, play, print."""
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description="Faults at random under load.")
    parser.add_argument("--seconds", type=float, default=600, help="how long (default 600)")
    parser.add_argument("--rounds", type=int, default=10_000, help="how many rounds at most")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)), help="makes the rounds the same")
    parser.add_argument("--rate", type=float, default=250, help="statements a second, of all devices (default 250)")
    parser.add_argument("--faults", default=",".join(FAULTS), help="which, by comma (default: all)")
    parser.add_argument("--gateway", default="", help="further options of 'tallystick gateway run'")
    options = parser.parse_args()
    faults = options.faults.split(",")
    if unknown := set(faults) - set(FAULTS):
        parser.error(f"no fault is called {sorted(unknown)[0]!r}: there are {', '.join(FAULTS)}")
    began, tally = time.monotonic(), Tally(options.seed)
    print(f"seed {tally.seed}", file=sys.stderr, flush=True)
    course = Course(began + options.seconds, options.rounds, options.rate, faults, options.gateway.split())
    soak(course, tally)
    print(json.dumps(tally.document(time.monotonic() - began)))
    sys.exit(bool(tally.violations))


if __name__ == "__main__":
    main()
