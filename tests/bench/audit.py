"""`make bench-audit`: the audit of a large ledger against the signatures that it checks. JSON on the last line.

A ledger of real statements of ten readings each, from many devices, is sealed in blocks of a thousand. Then, in one
run and on as many processes: the raw rate of PyNaCl's Ed25519 verification over those very signatures, before and
after; and the audit. `ratio` is the audit's rate over the raw one, by the wall clock; `cpu_ratio` the same by the CPU
time of all that takes part, PostgreSQL included. The ledger is audited in its database, and in an export folder.
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

from nacl.bindings import crypto_sign_open

from deploy.children import Supervisor
from deploy.postgres import Postgres
from ledger.audit.database import DatabaseSource
from ledger.audit.published import PublishedAt
from ledger.audit.report import Report
from ledger.audit.walk import audit
from ledger.audit.workers import Workers, cores
from ledger.author import compose
from ledger.database import connect
from ledger.message import decode
from ledger.published.database import DatabaseReader
from ledger.published.export import export
from ledger.published.policy import Policy
from ledger.registry import REGISTRY
from ledger.seal import ChainWriter, NewEntry, SectionRow
from ledger.section import Privacy
from ledger.statement import TELEMETRY, Statement
from tests.bench.cpu import cpu_s
from tests.running import make_open_folder
from tests.world import Device, World, opening

CHAIN, READINGS, BLOCK = "production", 10, 1_000
DEVICES = 200
RAW_SIGNATURES = 10_000  # a process


@contextmanager
def made(entries: int) -> Iterator[tuple[World, dict[bytes, bytes], int]]:
    """A ledger of so many entries, its devices' public keys by kid, and the process of its server."""
    folder = make_open_folder()
    postgres = Postgres.open(folder / "postgres")
    try:
        with Supervisor(folder / "log") as supervisor:
            supervisor.start(postgres.child(fsync="off"))
            world = World(postgres.create_database("bench"), folder / "ledger")
            devices = [Device(f"press-{number}") for number in range(DEVICES)]
            world.operator_says(*(device.registration for device in devices))
            world.tick()
            world.close()
            fill(world, devices, entries)
            with connect(world.dsn, role=None, autocommit=True) as connection:
                connection.execute("vacuum analyze")
                connection.execute("checkpoint")
            yield world, {device.key.kid: device.key.public for device in devices}, supervisor.pid("postgres") or 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(world: World, devices: list[Device], entries: int) -> None:
    """Seal statements into the chain, in blocks, each device's side by side."""
    folder = world.folder
    registry = ChainWriter(world.dsn, chain=REGISTRY, key=folder.log_key(REGISTRY), checkpoints=folder.checkpoints)
    state = (registry.size, registry.root)
    registry.close()
    writer = ChainWriter(world.dsn, chain=CHAIN, key=folder.log_key(CHAIN), checkpoints=folder.checkpoints)
    for first in range(0, entries, BLOCK):
        block = [_entry(world, devices[(first + n) * DEVICES // BLOCK % DEVICES]) for n in range(BLOCK)]
        writer.seal(block, now_ms=world.now_ms + first, registry=state)
        print(f"\r{first + BLOCK} of {entries} entries ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    writer.close()
    while world.anchor.take():
        pass
    world.close()


def _entry(world: World, device: Device) -> NewEntry:
    tally = device.next_tally(CHAIN, TELEMETRY)
    content = opening() if tally.seq == 0 else device.readings(*(20 + (tally.seq + n) % 7 / 8 for n in range(READINGS)))
    signed, data = compose(
        device.author,
        origin=world.trust.log(CHAIN).origin,
        tally=tally,
        contents=[content],
        now=world.now_ms // 1000 + tally.seq,
    )
    device.heads[CHAIN, TELEMETRY] = signed
    [section] = decode(data).sections
    line = signed.manifest[0]
    rows = (SectionRow(0, line.privacy, line.content_format, section or b""),)
    return NewEntry(signed.encode(), signed.stream_key, tally.seq, 1, rows, signed.hash)


# What is measured


def raw(signed: list[tuple[bytes, bytes]], processes: int) -> dict[str, float]:
    """PyNaCl's verifications a second on so many processes at once, and the CPU µs of one."""
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        took = pool.map(_verify, [signed[n::processes] for n in range(processes)], chunksize=1)
    walls, cpus = zip(*took, strict=True)
    return {"per_s": len(signed) / statistics.mean(walls), "cpu_us": 1e6 * sum(cpus) / len(signed)}


def _verify(share: list[tuple[bytes, bytes]]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for message, key in share:
        crypto_sign_open(message, key)
    return time.perf_counter() - wall, time.process_time() - cpu


def signatures(world: World, keys: dict[bytes, bytes], count: int) -> list[tuple[bytes, bytes]]:
    """The ledger's first signed messages, as PyNaCl takes them, with their keys."""
    with connect(world.dsn) as connection:
        source = DatabaseSource(connection, world.folder)
        statements = [Statement.decode(row.data or b"") for row in source.entries(CHAIN, 0, count)]
    return [(one.signature + one.signed, keys[one.kid]) for one in statements]


def database(world: World, processes: int) -> Report:
    """Audit the database, as the command does."""
    with connect(world.dsn) as connection:
        source = DatabaseSource(connection, world.folder)
        with Workers(source, source.at(world.dsn), processes) as workers:
            return audit(source, world.trust, examine=workers.examine)


def folder(world: World, exported: Path, processes: int) -> Report:
    """Audit an export folder, as the command does."""
    at = PublishedAt(str(exported), world.trust)
    with at.open() as source, Workers(source, at, processes) as workers:
        return audit(source, world.trust, examine=workers.examine)


def export_to(world: World, exported: Path) -> Path:
    """All of it, in a folder."""
    with connect(world.dsn, autocommit=True) as connection:
        export(DatabaseReader(connection, world.folder), world.trust, exported, Policy.of(Privacy.PRIVATE, ()))
    return exported


def measured(run: Callable[[], Report], server: int) -> dict[str, float]:
    """The rate of an audit, its CPU µs an entry with the server's, and its largest process in megabytes."""
    before, began = _cpu_s(server), time.perf_counter()
    report = run()
    seconds, used = time.perf_counter() - began, _cpu_s(server) - before
    assert report.ok, report.problems
    count = report.count("signatures")
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"per_s": count / seconds, "cpu_us": 1e6 * used / count, "mb": largest / 1024}


def _cpu_s(server: int) -> float:
    return cpu_s(os.getpid())  # its descendants', too: the server is one


def main() -> None:
    """Make the ledger, measure, with progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--processes", type=int, default=cores())
    asked = parser.parse_args()
    with made(asked.entries) as (world, keys, server):
        signed = signatures(world, keys, asked.processes * RAW_SIGNATURES)
        exported = export_to(world, world.folder.path.parent / "export")
        runs = {
            "database": lambda: database(world, asked.processes),
            "folder": lambda: folder(world, exported, asked.processes),
        }
        result: dict[str, Any] = {"entries": asked.entries, "processes": asked.processes}
        for name, run in runs.items():
            before = raw(signed, asked.processes)
            used = measured(run, server)
            after = raw(signed, asked.processes)
            result[name] = compared({key: (before[key] + after[key]) / 2 for key in before}, used)
    print(json.dumps(result))


def compared(raw: dict[str, float], used: dict[str, float]) -> dict[str, float]:
    """An audit beside the raw verifications around it."""
    return {
        "raw_per_s": round(raw["per_s"]),
        "per_s": round(used["per_s"]),
        "ratio": round(used["per_s"] / raw["per_s"], 3),
        "raw_cpu_us": round(raw["cpu_us"], 1),
        "cpu_us": round(used["cpu_us"], 1),
        "cpu_ratio": round(raw["cpu_us"] / used["cpu_us"], 3),
        "mb": round(used["mb"], 1),
    }


if __name__ == "__main__":
    main()
