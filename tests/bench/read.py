"""`make bench-read`: a thousand labels printed, spoiled, and read back by two readers. JSON on the last line.

A real ledger issues the labels, and serves their pages; as many more are tampered with in fourteen ways. All are
printed on sheets, rasterised at 203 and 300 dots an inch, and read as they are, and turned, blurred, scaled and noisy.
Each sheet is read by zxing-cpp, as `labels read` does, and by Debian's zbar. What each label is called is counted:
online by its page on the label service, offline by the trust bundle. `genuine` has by dpi, state and reader how many
are read, misread (as a text that was not printed), genuine online and signed offline; `tampered` how many are read, and
how many of them are called good. An item that the right key signed without issuing it only the ledger can tell.
"""

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager

from deploy.children import Supervisor
from deploy.postgres import Postgres
from ledger.audit.workers import cores
from ledger.terminal import Progress
from tests.labels.reading.printed import DPIS, SHEET, STATES
from tests.labels.reading.reading_back import Issued, Verdicts, issued, read_back
from tests.running import make_open_folder

BOTH = ("as printed", "all of it")
Found = dict[tuple[int, str, str], set[str]]


@contextmanager
def made(count: int) -> Iterator[Issued]:
    """A ledger with so many labels."""
    folder = make_open_folder()
    postgres = Postgres.open(folder / "postgres")
    try:
        with Supervisor(folder / "log") as supervisor:
            supervisor.start(postgres.child(fsync="off"))
            with issued(postgres.create_database("bench"), folder, count) as labels:
                yield labels
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_all(links: Sequence[str], states: Sequence[str], processes: int, about: str) -> Found:
    """What is read, by (dpi, state, reader); the sheets are shared among processes."""
    jobs = [(links[first : first + SHEET], dpi, states, first) for dpi in DPIS for first in range(0, len(links), SHEET)]
    found: Found = {}
    with ProcessPoolExecutor(processes) as pool, Progress(sys.stderr, of="sheets") as progress:
        running = {pool.submit(read_back, *job): job[1] for job in jobs}
        for done, one in enumerate(as_completed(running), 1):
            for (state, reader), texts in one.result().items():
                found.setdefault((running[one], state, reader), set()).update(texts)
            progress(about, done, len(jobs))
    return found


def main() -> None:
    """Issue, print, spoil, read, judge, with progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=1_000)
    parser.add_argument("--all-states", action="store_true", help="each by itself as well: five times the time")
    parser.add_argument("--processes", type=int, default=cores())
    asked = parser.parse_args()
    began = time.monotonic()
    with made(asked.labels) as labels:
        genuine = read_all(labels.links, list(STATES) if asked.all_states else BOTH, asked.processes, "genuine labels")
        others = read_all([link for _, link in labels.tampered], BOTH[1:], asked.processes, "tampered labels")
        verdicts = Verdicts(labels)
        result = {
            "labels": asked.labels,
            "tampered_how": Counter(how for how, _ in labels.tampered),
            "genuine": {name(key): verdicts.right(read, labels.links) for key, read in genuine.items()},
            "tampered": {name(key): verdicts.wrong(read, labels.tampered) for key, read in others.items()},
            "minutes": round((time.monotonic() - began) / 60, 1),
        }
        verdicts.close()
    print(json.dumps(result))


def name(key: tuple[int, str, str]) -> str:
    """`203 dpi, turned, zbar`."""
    dpi, state, reader = key
    return f"{dpi} dpi, {state}, {reader}"


if __name__ == "__main__":
    main()
