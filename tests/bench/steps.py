"""The steps that no gateway can avoid, each alone: CPU µs a pack, as the median of several runs."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import cbor2
import psycopg
from nacl.bindings import crypto_sign_open

from deploy.stack import Stack
from ledger.cose import to_be_signed
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.merkle import leaf_hash
from ledger.message import decode as decode_message
from ledger.section import Section
from ledger.tree_store import entry_id
from tests.bench.cpu import thread_s
from tests.bench.receive import receive_us

if TYPE_CHECKING:
    from tests.bench.gateway import Load

ROUNDS = 9
PACKS = 500
SCRATCH = 7_000_000_000  # entries far from the ledger's own; rolled back


def measure(stack: Stack, load: "Load", *, broker_us: float) -> dict[str, float]:
    """Verify, decode, leaf hash, COPY (client and server), the broker's share, and the client's receiving."""
    origin = LedgerFolder(stack.data / "ledger").trust().log("production").origin
    messages: list[bytes] = load._sign(load.devices[0], PACKS, origin)["messages"]
    return {
        "verify": _verify_us(messages),
        "decode": _median_us(lambda: list(map(_decode, messages))),
        "leaf": _leaf_us(messages),
        "copy": _copy_us(stack.dsn, messages, load.readings),
        "broker": broker_us,
        "client": receive_us(stack, messages),
    }


def _median_us(run: Callable[[], Any], count: int = PACKS) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return 1e6 * statistics.median(times) / count


def _verify_us(messages: list[bytes]) -> float:
    key = SigningKey.generate()
    texts = [to_be_signed(decode_message(message).statement[:200], b"x" * 50) for message in messages]
    signed = [key.sign(text) + text for text in texts]
    return _median_us(lambda: [crypto_sign_open(item, key.public) for item in signed])


def _decode(message: bytes) -> list[Any]:
    statement, sections = cbor2.loads(message)
    head, _, payload, _ = cbor2.loads(statement[1:])
    bodies = [cbor2.loads(cbor2.loads(section)[1]) for section in sections]
    return [cbor2.loads(head), cbor2.loads(payload), bodies]


def _leaf_us(messages: list[bytes]) -> float:
    statements = [decode_message(message).statement for message in messages]
    return _median_us(lambda: [leaf_hash(statement) for statement in statements])


def _copy_us(dsn: str, messages: list[bytes], readings: int) -> float:
    """Binary COPY of entries, sections and readings into the schema's tables, indexes and all: both ends' CPU."""
    parts = [decode_message(message) for message in messages]
    sections = [(part.sections[0] or b"") for part in parts]
    assert all(Section.decode(section) for section in sections)
    times = []
    with connect(dsn) as connection:
        backend = connection.info.backend_pid
        for number in range(ROUNDS):
            before, server = time.process_time(), thread_s(backend)
            _copy(connection, SCRATCH + number * PACKS, [part.statement for part in parts], sections, readings)
            times.append(time.process_time() - before + thread_s(backend) - server)
        connection.rollback()
    return 1e6 * statistics.median(times) / PACKS


def _copy(
    connection: psycopg.Connection, first: int, statements: list[bytes], sections: list[bytes], readings: int
) -> None:
    digest, now = bytes(32), datetime.now(UTC)
    ids = [entry_id(1, first + number) for number in range(len(statements))]
    tables: list[tuple[str, list[str], list[tuple[Any, ...]]]] = [
        (
            "entry (entry_id, stream_id, seq, lines, statement_hash, leaf_hash, data)",
            ["int8", "int4", "int8", "int2", "bytea", "bytea", "bytea"],
            [
                (i, 1_000_000, i, 1, digest[:24] + i.to_bytes(8), digest, d)
                for i, d in zip(ids, statements, strict=True)
            ],
        ),
        (
            "section (entry_id, line, privacy, content_format, data)",
            ["int8", "int2", "int2", "int4", "bytea"],
            [(i, 0, 2, 112, d) for i, d in zip(ids, sections, strict=True)],
        ),
        (
            "reading (ts, device_id, metric_id, value, quality, entry_id, section)",
            ["timestamptz", "int4", "int4", "float8", "int2", "int8", "int2"],
            [(now, 1, 1, 21.5, 2, i, 0) for i in ids for _ in range(readings)],
        ),
    ]
    for target, types, rows in tables:
        command = f"copy {target} from stdin (format binary)".encode()
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
