"""`make bench-labels`: how fast sheets of labels are printed, and whether a million take more memory. JSON, last line.

A lot of 10,000 issued labels is printed by a run as the command makes it, from PostgreSQL onto PDF sheets of 21 in a
folder, every page rendered and read back, on two processes. Around it, in the same run and on as many processes: the
floor, `qrcode` encoding each link and zxing-cpp reading it from a plain picture, and nothing else. `ratio` is the
run's rate over the floor's by the wall clock, `cpu_ratio` by the CPU time of all that takes part, PostgreSQL included;
`per_s_alone` is what two cores do by that CPU time, if nobody else has a part of them.

Then a lot of a million (`--million COUNT`) is printed to an outlet that keeps nothing, in the same way, and the
memory of this process and of those that draw is sampled: what it is at each tenth of the run.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zxingcpp

from deploy.children import Supervisor
from deploy.postgres import Postgres
from labels.batch import Batch
from labels.printing import qr
from labels.printing.folder import FolderOutlet
from labels.printing.lot import Lot, print_lot
from labels.printing.outlet import Outlet, Piece
from labels.printing.renderers import LotFace, PdfSheets
from labels.printing.style import SheetStyle
from ledger.database import connect, migrate
from tests.bench.cpu import cpu_s, descendants
from tests.bench.memory import private_mb
from tests.labels.printing.lots import GTIN, HOST, LOT, store_labels
from tests.running import make_open_folder

PROCESSES = 2
FLOOR_LINKS = 1_000  # a process
PORTION = 50_000
RENDERER = PdfSheets(LotFace(HOST, LOT, "Risotto Rice with Mushrooms"), SheetStyle())


class Nowhere(Outlet):
    """Takes everything and keeps nothing."""

    where = "nowhere"

    def send(self, piece: Piece) -> None:
        pass


@contextmanager
def database() -> Iterator[tuple[str, Path]]:
    """An empty ledger's database, and a folder."""
    folder = make_open_folder()
    postgres = Postgres.open(folder / "postgres")
    try:
        with Supervisor(folder / "log") as supervisor:
            supervisor.start(postgres.child())
            dsn = postgres.create_database("bench")
            migrate(dsn)
            yield dsn, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lot(dsn: str, count: int) -> list[Batch]:
    """An issued lot in batches of at most fifty thousand, so that making it takes no memory either."""
    batches = []
    for first in range(0, count, PORTION):
        batches.append(store_labels(dsn, min(PORTION, count - first)))
        print(f"\r{first + batches[-1].size:,} of {count:,} labels issued ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    with connect(dsn, role=None, autocommit=True) as connection:
        connection.execute("analyze label")
        connection.execute("checkpoint")
    return batches


# What is measured


def floor(links: list[str]) -> dict[str, float]:
    """Links encoded and read a second by so many processes at once, and the CPU µs of one."""
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        took = pool.map(_encode_and_read, [links[n::PROCESSES] for n in range(PROCESSES)], chunksize=1)
    walls, cpus = zip(*took, strict=True)
    return {"per_s": len(links) / statistics.mean(walls), "cpu_us": 1e6 * sum(cpus) / len(links)}


def _encode_and_read(links: list[str]) -> tuple[float, float]:
    formats = zxingcpp.barcode_formats_from_str("QRCode")
    wall, cpu = time.perf_counter(), time.process_time()
    for link in links:
        [code] = zxingcpp.read_barcodes(qr.encode(link).image(4), formats=formats)
        assert code.text == qr.printed(link)
    return time.perf_counter() - wall, time.process_time() - cpu


def some_links(dsn: str, batch: Batch, count: int) -> list[str]:
    """Links of a batch."""
    query = "select path, signature from label where batch_root = %s order by index limit %s"
    with connect(dsn) as connection:
        rows = connection.execute(query, [batch.root, count]).fetchall()
    return [f"https://{HOST}{path}?s={digits}" for path, digits in rows]


def run(dsn: str, batches: list[Batch], outlet: Outlet, tell: Callable[[int], None]) -> dict[str, float]:
    """Print a lot; its rate by the wall clock, and the CPU µs of a label."""
    count = sum(batch.size for batch in batches)
    before, began = cpu_s(os.getpid()), time.perf_counter()
    printed = print_lot(
        dsn, Lot(GTIN, LOT, tuple(batches)), RENDERER, outlet, processes=PROCESSES, tell=lambda _, done, of: tell(done)
    )
    seconds, used = time.perf_counter() - began, cpu_s(os.getpid()) - before
    assert printed == count
    return {"per_s": count / seconds, "cpu_us": 1e6 * used / count}


def memory(dsn: str, count: int) -> dict[str, Any]:
    """Print so many; the private memory of this process and the largest of those that draw, at each tenth."""
    batches, tenths, own = lot(dsn, count), dict[int, tuple[float, float]](), os.getpid()

    def tell(done: int) -> None:
        drawing = [pid for pid in descendants(own) if b"labels.printing.workers" in _command(pid)]
        if drawing and (tenth := 10 * done // count) not in tenths:
            tenths[tenth] = _own_mb(), max(map(private_mb, drawing))
            print(f"\r{done:,} of {count:,}: {tenths[tenth][0]:.0f} and {tenths[tenth][1]:.0f} MB", file=sys.stderr)

    rate = run(dsn, batches, Nowhere(), tell)
    run_mb, drawing_mb = zip(*tenths.values(), strict=True)
    return {
        "labels": count,
        "per_s": round(rate["per_s"]),
        "run_mb": [round(mb) for mb in run_mb],
        "drawing_mb": [round(mb) for mb in drawing_mb],
        "grew_mb": round(max(run_mb[-1] - run_mb[0], drawing_mb[-1] - drawing_mb[0]), 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _own_mb() -> float:
    return next(
        int(line.split()[1]) / 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("RssAnon:")
    )


def main() -> None:
    """Make the lots, measure, with progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=10_000)
    parser.add_argument("--million", type=int, default=1_000_000, metavar="COUNT")
    asked = parser.parse_args()
    with database() as (dsn, folder):
        batches = lot(dsn, asked.labels)
        links = some_links(dsn, batches[0], PROCESSES * FLOOR_LINKS)
        before = floor(links)
        used = run(dsn, batches, FolderOutlet(folder / "sheets"), lambda done: None)
        after = floor(links)
        result = compared({key: (before[key] + after[key]) / 2 for key in before}, used) | {"labels": asked.labels}
        print(json.dumps(result), file=sys.stderr)
        if asked.million:
            result["million"] = memory(dsn, asked.million)
    print(json.dumps(result))


def compared(base: dict[str, float], used: dict[str, float]) -> dict[str, Any]:
    """A run beside the floor around it."""
    return {
        "per_s": round(used["per_s"]),
        "floor_per_s": round(base["per_s"]),
        "ratio": round(used["per_s"] / base["per_s"], 3),
        "per_s_alone": round(PROCESSES * 1e6 / used["cpu_us"]),
        "cpu_us": round(used["cpu_us"]),
        "floor_cpu_us": round(base["cpu_us"]),
        "cpu_ratio": round(base["cpu_us"] / used["cpu_us"], 3),
    }


if __name__ == "__main__":
    main()
