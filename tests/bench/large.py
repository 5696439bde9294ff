"""`make bench-large`: does a statement cost more when the ledger is large? JSON on the last line.

CPU µs a pack of gateway, broker and PostgreSQL with some ten thousand entries in the chain, and again when there are
ten million: sealed by the gateway's own writer, with streams, tiles, blocks, a reading each, and all indexes. Their
ratio is the answer.
"""

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg

from deploy.stack import Stack
from ledger import pgcopy
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import REGISTRY
from ledger.seal import ChainWriter, NewEntry, SectionRow
from ledger.statement import TELEMETRY
from ledger.tree_store import entry_id
from tests.bench.gateway import Load, run_and_count
from tests.bench.idle import running_stack

CHAIN = "production"
READINGS = 10
PACKS = 8_000
ROUNDS = 3
STREAMS = 1_000
BLOCK = 20_000
STATEMENT_BYTES, SECTION_BYTES = 340, 330
_YEAR_2000 = 946_684_800


def cost(stack: Stack, load: Load) -> dict[str, float]:
    """CPU µs a pack of each part: the median of some rounds."""
    rounds = [run_and_count(stack, load, PACKS)[1] for _ in range(ROUNDS)]
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def fill(stack: Stack, size: int) -> None:
    """Seal entries into the chain until there are `size`; the gateway must be down."""
    folder = LedgerFolder(stack.data / "ledger")
    registry = ChainWriter(stack.dsn, chain=REGISTRY, key=folder.log_key(REGISTRY), checkpoints=folder.checkpoints)
    state = (registry.size, registry.root)
    registry.close()
    writer = ChainWriter(stack.dsn, chain=CHAIN, key=folder.log_key(CHAIN), checkpoints=folder.checkpoints)
    kid, began, first = SigningKey.generate().kid, time.monotonic(), writer.size
    while writer.size < size:
        count = min(BLOCK, size - writer.size)
        entries = like_statements(kid, writer.size, count)
        writer.seal(entries, now_ms=time.time_ns() // 1_000_000, registry=state, also=_add_readings(count))
        rate = (writer.size - first) / (time.monotonic() - began)
        print(f"\r{writer.size} of {size} entries, {rate:.0f}/s ", end="", file=sys.stderr)
    print(file=sys.stderr)
    writer.close()


def like_statements(kid: bytes, first: int, count: int) -> list[NewEntry]:
    """So many entries, numbered from `first`; of each stream side by side, as a block has them."""
    entries = [_entry(kid, first + n) for n in range(count)]
    return sorted(entries, key=lambda entry: entry.stream or ())


def _entry(kid: bytes, index: int) -> NewEntry:
    """Bytes as a statement's and a section's are, and as little alike."""
    data = hashlib.shake_128(index.to_bytes(8)).digest(STATEMENT_BYTES)
    section = SectionRow(0, 2, 112, data[:20] * (SECTION_BYTES // 20))
    stream = (kid, TELEMETRY, (index % STREAMS).to_bytes(8))
    return NewEntry(data, stream, index // STREAMS, 1, (section,))


_READING = pgcopy.Format("int4", "int8", same=("int8", "int4", "float8", "int2", "int2"))


def _add_readings(count: int) -> Callable[[psycopg.Connection, int], None]:
    """A reading of each of a block's entries: of as many devices as there are streams, one metric, one moment."""

    def add(connection: psycopg.Connection, first: int) -> None:
        columns = "(device_id, entry_id, ts, metric_id, value, quality, section)"
        same = _READING.same(round((time.time() - _YEAR_2000) * 1e6), 1, 21.5, 2, 0)
        devices = [1_000 + (first + n) % STREAMS for n in range(count)]
        rows = _READING.encode(same, devices, [entry_id(1, first + n) for n in range(count)])
        pgcopy.write(connection, f"reading {columns}", [rows])

    return add


def settle(dsn: str) -> None:
    """What the server would do some time later it does now, and not while we measure."""
    with connect(dsn, role=None, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def main() -> None:
    """Measure, fill, measure, with progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000_000)
    size = parser.parse_args().entries
    with running_stack() as stack:
        load = Load.make(stack, READINGS)
        load.run(10_000, 0)
        settle(stack.dsn)
        print("small …", file=sys.stderr)
        small = cost(stack, load)
        stack.supervisor.remove("gateway")
        fill(stack, size)
        settle(stack.dsn)
        stack.start_gateway()
        load.run(2_000, 0)
        print("large …", file=sys.stderr)
        large = cost(stack, load)
    print(json.dumps(_result(size, small, large)))


def _result(size: int, small: dict[str, float], large: dict[str, float]) -> dict[str, Any]:
    us = {
        name: {part: round(value, 1) for part, value in of.items()} for name, of in (("small", small), ("large", large))
    }
    return {"entries": size, "cpu_us_a_pack": us, "ratio": round(sum(large.values()) / sum(small.values()), 3)}


if __name__ == "__main__":
    main()
