"""`make fuzz`: every decoder of `decoders`, led by the coverage of its branches (libFuzzer, by way of atheris).

The time is for all targets together. What was found interesting is kept in `.fuzz/`, so that the next run goes on from
there; an input that breaks a target is written to `.fuzz/crashes/`. JSON on the last line; exit 1 after a crash.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.decoders import Target

KEPT = Path(".fuzz")
CRASHES, LOGS = KEPT / "crashes", KEPT / "logs"
INPUT_BYTES_MAX = 16 * 1024
INPUT_S_MAX = 10
INSTRUMENTED = ["ledger", "gateway", "edge", "labels"]
_RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one target: how many inputs it was given, and the files of those that broke it."""

    executions: int
    crashes: tuple[str, ...]


def main() -> None:
    """Run all targets, or those named."""
    arguments = _arguments()
    try:
        import atheris
    except ImportError:
        print("make fuzz: error: atheris has no wheel for this platform, only for Linux on x86_64", file=sys.stderr)
        print("make fuzz: hint: 'make test' tries the same targets with hypothesis, anywhere", file=sys.stderr)
        sys.exit(1)
    began = time.monotonic()
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.decoders import TARGETS
    targets = [target for name, target in TARGETS.items() if arguments.target in name]
    if arguments.input is not None:
        print({target.name: target.check(arguments.input.read_bytes()) for target in targets})
        return
    left = arguments.seconds - (time.monotonic() - began)
    reports = _run(targets, max(1, int(left * arguments.jobs / len(targets))), arguments.jobs)
    print(json.dumps({name: {"executions": it.executions, "crashes": it.crashes} for name, it in reports.items()}))
    sys.exit(any(report.crashes for report in reports.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=120, help="for all targets together (default: 120)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--target", default="", help="only the targets that have this in their name")
    parser.add_argument("--input", type=Path, help="give them this file's bytes once, and no others")
    return parser.parse_args()


def _run(targets: "Sequence[Target]", seconds: int, jobs: int) -> dict[str, Report]:
    """Fuzz each target in a child, for libFuzzer ends the process that it runs in; so many at a time."""
    waiting, running, reports = list(targets), dict[int, "Target"](), dict[str, Report]()
    for folder in (CRASHES, LOGS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    while waiting or running:
        while waiting and len(running) < jobs:
            target = waiting.pop(0)
            running[_fork(target, seconds)] = target
        pid, status = os.wait()
        target = running.pop(pid)
        reports[target.name] = _report(target.name, status)
    return reports


def _fork(target: "Target", seconds: int) -> int:
    pid = os.fork()
    if pid == 0:
        with (LOGS / _file_name(target.name)).open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        _fuzz(target, seconds)
        os._exit(1)  # not reached
    return pid


def _fuzz(target: "Target", seconds: int) -> None:
    import atheris

    tempfile.tempdir = str(LOGS)  # libFuzzer ends a process without any farewell: nothing removes what it leaves
    corpus = KEPT / _file_name(target.name)
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (corpus / sha256(seed).hexdigest()).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_S_MAX}",
               "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0",
               f"-artifact_prefix={CRASHES / _file_name(target.name)}-"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.check)
    atheris.Fuzz()


def _report(name: str, status: int) -> Report:
    """What a child that ended so has done; its log is shown if it ended badly."""
    log = (LOGS / _file_name(name)).read_text(errors="replace")
    crashes = tuple(str(path) for path in sorted(CRASHES.glob(f"{_file_name(name)}-*")))
    found = _RUNS.search(log)
    if crashes or status or found is None:
        print(f"{name}:\n{log[-4000:]}", file=sys.stderr)
        crashes = crashes or (f"exit {os.waitstatus_to_exitcode(status)}",)
    print(f"{name}: {found[1] if found else '?'} inputs, {len(crashes)} crashes", file=sys.stderr)
    return Report(int(found[1]) if found else 0, crashes)


def _file_name(name: str) -> str:
    return name.replace(" ", "-")


if __name__ == "__main__":
    main()
