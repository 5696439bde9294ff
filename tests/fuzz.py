"""`make fuzz`: every decoder of `decoders`, led by the coverage of its branches (libFuzzer, by way of atheris).

The time is for all targets together. What was found interesting is kept in `.fuzz/`, so that the next run goes on from
there; an input that breaks a target is written to `.fuzz/crashes/`. JSON on the last line; exit 1 after a crash.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

KEPT = Path(".fuzz")
CRASHES = KEPT / "crashes"
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
    if arguments.run:
        _fuzz(arguments.run, arguments.seconds)  # which does not return
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("make fuzz: error: atheris has no wheel for this platform, only for Linux on x86_64", file=sys.stderr)
        print("make fuzz: hint: 'make test' tries the same targets with hypothesis, anywhere", file=sys.stderr)
        sys.exit(1)
    from tests.decoders import TARGETS

    names = [name for name in TARGETS if arguments.target in name]
    if arguments.input is not None:
        print({name: TARGETS[name].check(arguments.input.read_bytes()) for name in names})
        return
    seconds = max(1, round(arguments.seconds * arguments.jobs / len(names)))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        reports = dict(zip(names, pool.map(lambda name: _run(name, seconds), names), strict=True))
    print(json.dumps({name: {"executions": it.executions, "crashes": it.crashes} for name, it in reports.items()}))
    sys.exit(any(report.crashes for report in reports.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=120, help="for all targets together (default: 120)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--target", default="", help="only the targets that have this in their name")
    parser.add_argument("--input", type=Path, help="give them this file's bytes once, and no others")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(name: str, seconds: int) -> Report:
    """Fuzz one target in a process of its own: libFuzzer ends the one that it runs in."""
    before = set(CRASHES.glob("*"))
    command = [sys.executable, "-m", "tests.fuzz", "--run", name, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    crashes = tuple(str(path) for path in sorted(CRASHES.glob(f"{_file_name(name)}-*")) if path not in before)
    found = _RUNS.search(done.stderr)
    if crashes or done.returncode or found is None:
        print(f"{name}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}", file=sys.stderr)
        crashes = crashes or (f"exit {done.returncode}",)
    print(f"{name}: {found[1] if found else '?'} inputs, {len(crashes)} crashes", file=sys.stderr)
    return Report(int(found[1]) if found else 0, crashes)


def _fuzz(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.decoders import TARGETS
    target = TARGETS[name]
    corpus = KEPT / _file_name(name)
    for folder in (corpus, CRASHES):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (corpus / sha256(seed).hexdigest()).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_S_MAX}",
               "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={CRASHES / _file_name(name)}-",
               "-verbosity=0"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.check)
    atheris.Fuzz()


def _file_name(name: str) -> str:
    return name.replace(" ", "-")


if __name__ == "__main__":
    main()
