"""`make bench-ledger`: what a proof costs beside ten million entries, to make and to verify. JSON on the last line.

The chain is sealed by the gateway's own writer, in blocks of some thousand: bytes as a statement's, with streams,
sections, tiles and indexes; and in every block, at a random place, one statement that is real and signed. Those are
proven, in random order. Each number is the median and the 99th percentile, in milliseconds.

prove first   a fresh process, from its connecting on to its first proof (several processes)
prove         one prover's further proofs, by the clock; and the CPU of its process and of its database session
verify        CPU of one verification, from bytes to verdict; nothing is kept from one to the next
verify first  a fresh process's first, so with nothing learned by any before; without its start (several processes)
cose, tlog    the same of these formats
signature     CPU of one signature's verification in the same run: of a bundle's time, six of these are unavoidable
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.children import Supervisor
from deploy.postgres import Postgres
from ledger import ed25519, read
from ledger.author import Author, compose
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.message import decode as decode_message
from ledger.proof import proving
from ledger.proof.check import check
from ledger.proof.inclusion import Form
from ledger.proof.prove import Prover
from ledger.registry import REGISTRY
from ledger.seal import ChainWriter, NewEntry, SectionRow
from ledger.statement import EVENTS, NO_PREVIOUS, Tally
from ledger.tree_store import index_of
from ledger.trust.trust_file import Trust
from tests.bench.cpu import thread_s
from tests.bench.large import CHAIN, like_statements, settle
from tests.running import make_open_folder
from tests.world import START_MS, World, event, opening

BLOCK = 4_000
PROOFS = 1_000
FIRSTS = 9
STREAM = b"it is it"
DEVICE = "bench-1"


def main() -> None:
    """Make the ledger, then prove and verify, with progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, help="where to keep the ledger for the next run, or where it was kept")
    parser.add_argument("--first", nargs=3, metavar=("DSN", "FOLDER", "INDEX"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.first:
        dsn, folder, index = arguments.first
        print(json.dumps(_first(dsn, Path(folder), int(index))))
        return
    base = arguments.data or make_open_folder()
    try:
        with _running_postgres(base) as dsn:
            if not LedgerFolder(base / "ledger").exists:
                _make(dsn, base / "ledger", arguments.entries)
                settle(dsn)
            print(json.dumps(_measure(dsn, base / "ledger")))
    finally:
        if not arguments.data:
            shutil.rmtree(base)


# The ledger


@contextmanager
def _running_postgres(base: Path) -> Iterator[str]:
    """The DSN of a database in `base`. It is not for keeping: it waits for no disk."""
    postgres = Postgres.open(base / "postgres")
    with Supervisor(base / "log") as supervisor:
        supervisor.start(postgres.child(fsync="off", max_wal_size="4GB"))
        yield postgres.create_database("bench")


def _make(dsn: str, folder: Path, size: int) -> None:
    """A ledger whose production chain has `size` entries, all of it anchored."""
    with World(dsn, folder) as world:
        device = world.register_device(DEVICE)
        world.close()
        with connect(dsn) as connection:
            row = connection.execute(
                "select size, root from block where chain_id = %s order by height desc limit 1",
                [read.chain_id(connection, REGISTRY)],
            ).fetchone()
        assert row is not None
        writer = ChainWriter(dsn, chain=CHAIN, key=world.folder.log_key(CHAIN), checkpoints=world.folder.checkpoints)
        _fill(writer, size, (row[0], bytes(row[1])), _real(device.author, world.trust))
        writer.close()
        while world.anchor.take():
            pass


def _real(author: Author, trust: Trust) -> Iterator[NewEntry]:
    """The links of one stream, each with one public event."""
    origin, previous, seq = trust.log(CHAIN).origin, NO_PREVIOUS, 0
    while True:
        content = event(f"https://id.gs1.org/01/09506000134352/21/{seq}") if seq else opening()
        tally = Tally(EVENTS, STREAM, seq, previous, 2)
        statement, message = compose(author, origin=origin, tally=tally, contents=[content], now=START_MS // 1000)
        [section] = decode_message(message).sections
        row = SectionRow(0, int(content.privacy), int(content.content_format), section or b"")
        yield NewEntry(statement.encode(), statement.stream_key, seq, 1, (row,))
        previous, seq = statement.hash, seq + 1


def _fill(writer: ChainWriter, size: int, state: tuple[int, bytes], real: Iterator[NewEntry]) -> None:
    kid, began, others = SigningKey.generate().kid, time.monotonic(), 0
    while writer.size < size:
        count = min(BLOCK, size - writer.size) - 1
        entries = like_statements(kid, others, count)
        entries.insert(random.randrange(count + 1), next(real))
        writer.seal(entries, now_ms=START_MS + writer.size, registry=state)
        others += count
        rate = writer.size / (time.monotonic() - began)
        print(f"\r{writer.size} of {size} entries, {rate:.0f}/s ", end="", file=sys.stderr)
    print(file=sys.stderr)


# The measuring


def _measure(dsn: str, folder: Path) -> dict[str, Any]:
    ledger, trust = LedgerFolder(folder), LedgerFolder(folder).trust()
    places = _places(dsn)
    random.shuffle(places)
    print("fresh processes …", file=sys.stderr)
    firsts = [_ask_first(dsn, folder, index) for index in places[:FIRSTS]]
    print("proofs …", file=sys.stderr)
    made, bundles = _prove(dsn, ledger, places[FIRSTS : FIRSTS + PROOFS])
    print("verifications …", file=sys.stderr)
    return {
        "entries": trust.log(CHAIN).open((ledger.checkpoints / CHAIN).read_text()).size,
        "prove_first_ms": _told([first["prove"] for first in firsts]),
        "prove_ms": made,
        "verify_first_cpu_ms": _told([first["verify"] for first in firsts]),
        "verify_cpu_ms": _told([_cpu_ms(_verify, data, trust) for data in bundles]),
        **_of_others(dsn, ledger, trust, places[:20]),
        "signature_cpu_ms": _told([_cpu_ms(*_a_signature()) for _ in range(PROOFS)]),
        "bundle_bytes": round(statistics.median(map(len, bundles))),
    }


def _places(dsn: str) -> list[int]:
    """Where the real statements stand."""
    with connect(dsn) as connection:
        rows = connection.execute(
            "select entry_id from entry join stream using (stream_id) where stream = %s", [STREAM]
        )
        return [index_of(entry) for (entry,) in rows if index_of(entry)]


def _prove(dsn: str, ledger: LedgerFolder, places: Sequence[int]) -> tuple[dict[str, Any], list[bytes]]:
    """Times of one prover's proofs after its first, and the bundles."""
    bundles, clock, own, session = [], list[float](), list[float](), list[float]()
    with connect(dsn) as connection:
        prover, pid = Prover(connection, ledger), connection.info.backend_pid
        for index in places:
            began, before, server = time.perf_counter(), time.process_time(), thread_s(pid)
            bundles.append(prover.prove(CHAIN, index).encode())
            clock.append(1e3 * (time.perf_counter() - began))
            own.append(1e3 * (time.process_time() - before))
            session.append(1e3 * (thread_s(pid) - server))
    told = {**_told(clock[1:]), "cpu": _told(own[1:]), "session_cpu": _told(session[1:])}
    return told, bundles


def _of_others(dsn: str, ledger: LedgerFolder, trust: Trust, places: Sequence[int]) -> dict[str, Any]:
    """Verifying the other formats: as often as the bundles, of fewer statements."""
    told = {}
    for form in (Form.COSE, Form.TLOG):
        proofs = [proving.make(dsn, ledger, trust, form=form, chain=CHAIN, index=index).proof for index in places]
        times = [_cpu_ms(_verify, data, trust) for data in proofs * (PROOFS // len(proofs))]
        told[f"verify_{form}_cpu_ms"] = _told(times)
    return told


def _first(dsn: str, folder: Path, index: int) -> dict[str, float]:
    """In a process of its own: the first proof and the first verification, in milliseconds."""
    ledger, trust = LedgerFolder(folder), LedgerFolder(folder).trust()
    began = time.perf_counter()
    with connect(dsn) as connection:
        data = Prover(connection, ledger).prove(CHAIN, index).encode()
    proven = 1e3 * (time.perf_counter() - began)
    return {"prove": proven, "verify": _cpu_ms(_verify, data, trust)}


def _ask_first(dsn: str, folder: Path, index: int) -> dict[str, float]:
    argv = [sys.executable, "-m", "tests.bench.ledger", "--first", dsn, str(folder), str(index)]
    told: dict[str, float] = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)
    return told


def _verify(data: bytes, trust: Trust) -> None:
    check(data, trust, passed=lambda step: None)


def _a_signature() -> tuple[Callable[..., None], bytes, bytes, bytes]:
    key, message = SigningKey.generate(), bytes(300)
    return ed25519.verify, key.public, key.sign(message), message


def _cpu_ms(work: Callable[..., None], *arguments: Any) -> float:
    began = time.process_time()
    work(*arguments)
    return 1e3 * (time.process_time() - began)


def _told(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50": round(statistics.median(ordered), 3), "p99": round(ordered[len(ordered) * 99 // 100], 3)}


if __name__ == "__main__":
    main()
