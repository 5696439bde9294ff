"""What must hold after any fault, seen from outside: from what devices and readers got, and what the ledger has.

Modelled on the check after each step of Sunlight's tests: nothing receipted is missing, nothing is twice, every
stream is contiguous, no two checkpoints of one size differ, all of them are of the one history, and the audit passes.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ledger import checkpoint_file, merkle
from ledger.audit.database import DatabaseSource
from ledger.audit.walk import audit
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.frontier import Frontier
from ledger.registry import ANCHOR, REGISTRY
from ledger.statement import Statement, StreamKey
from ledger.tree_store import index_of
from tests.faults.half import READINGS, Half, Kept

CHAIN = "production"
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that somebody saw, and where."""

    chain: str
    size: int
    root: bytes
    where: str


class Watch:
    """A reader of the published checkpoints, who notes each and complains when one goes back."""

    def __init__(self, checkpoints: Path) -> None:
        self._folder = checkpoints
        self.seen: list[Seen] = []
        self.complaints: list[str] = []
        self._sizes: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def size(self, chain: str) -> int:
        """The published size of `chain` now."""
        published = checkpoint_file.load(self._folder, chain)
        return published.checkpoint.size if published else 0

    def _run(self) -> None:
        while not self._ended.wait(_POLL_S):
            for chain in (CHAIN, REGISTRY, ANCHOR):
                try:
                    self._look(chain)
                except Exception as error:
                    self.complaints.append(f"the published checkpoint of {chain} cannot be read: {error!r}")

    def _look(self, chain: str) -> None:
        published = checkpoint_file.load(self._folder, chain)
        if published is None or published.note == self._texts.get(chain):
            return
        self._texts[chain], size = published.note, published.checkpoint.size
        self.seen.append(Seen(chain, size, published.checkpoint.root, "the file"))
        if size < self._sizes.get(chain, 0):
            self.complaints.append(f"the published checkpoint of {chain} went from {self._sizes[chain]} back to {size}")
        self._sizes[chain] = size


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of the chain, as the ledger has it."""

    index: int
    hash: bytes
    seq: int
    stream: StreamKey
    statement: Statement


def check_world(
    dsn: str, folder: LedgerFolder, halves: Sequence[Half], seen: Sequence[Seen], *, at_rest: bool
) -> list[str]:
    """What is wrong with the chain that `halves` speak on; nothing, it is hoped.

    `at_rest` says that nothing is on its way: then all that was signed must be there, with its readings.
    """
    memory = [(half, list(half.receipts), set(half.proven), len(half.said)) for half in halves]  # before we look
    seen = [*seen, *(_of_receipt(kept) for _, receipts, _, _ in memory for kept in receipts)]
    with connect(dsn) as connection:
        report = audit(DatabaseSource(connection, folder), folder.trust())  # and all below sees the same moment
        rows, blocks = list(_rows(connection)), list(_blocks(connection))
        readings = _readings(connection)
    wrong = [f"audit: {problem}" for problem in report.problems]
    wrong += _twice(rows)
    wrong += _streams(rows)
    for half, receipts, proven, said in memory:
        wrong += _missing(half, rows, receipts, set(range(said)) if at_rest else proven)
    wrong += _forks([*seen, *blocks])
    wrong += _other_histories(rows, [item for item in (*seen, *blocks) if item.chain == CHAIN])
    wrong += _projected(rows, readings, {half.device.key.kid for half in halves}, at_rest=at_rest)
    return wrong


def _of_receipt(kept: Kept) -> Seen:
    return Seen(CHAIN, kept.size, kept.root, "a receipt")


def _rows(connection: psycopg.Connection) -> Iterator[Row]:
    for entry, digest, seq, data, kid, lane, stream in connection.execute(
        """select e.entry_id, e.statement_hash, e.seq, e.data, s.kid, s.lane, s.stream
             from entry e join chain c on c.chain_id = e.entry_id >> 40 left join stream s using (stream_id)
            where c.name = %s order by e.entry_id""",
        [CHAIN],
    ):
        stream_key = (bytes(kid), lane, bytes(stream))
        yield Row(index_of(entry), bytes(digest), seq, stream_key, Statement.decode(bytes(data)))


def _blocks(connection: psycopg.Connection) -> Iterator[Seen]:
    query = "select c.name, b.size, b.root from block b join chain c using (chain_id)"
    for chain, size, root in connection.execute(query):
        yield Seen(chain, size, bytes(root), "a block")


def _readings(connection: psycopg.Connection) -> dict[int, int]:
    """How many readings each entry of the chain has in the tables."""
    rows = connection.execute(
        """select r.entry_id, count(*) from reading r join chain c on c.chain_id = r.entry_id >> 40
            where c.name = %s group by 1""",
        [CHAIN],
    )
    return {index_of(entry): count for entry, count in rows}


def _twice(rows: Iterable[Row]) -> list[str]:
    counts = Counter(row.hash for row in rows)
    return [f"statement {digest.hex()[:16]} is {n} times in the chain" for digest, n in counts.items() if n > 1]


def _streams(rows: Iterable[Row]) -> list[str]:
    """Each stream runs from 0 without a gap, each link bound to the one before; entries stand without a gap."""
    wrong, heads = [], dict[StreamKey, Row]()
    for place, row in enumerate(rows):
        if row.index != place:
            return [f"entry {place} is missing"]
        head = heads.get(row.stream)
        if row.seq != (head.seq + 1 if head else 0) or row.statement.tally.seq != row.seq:
            wrong.append(f"entry {row.index}: seq {row.seq} follows {head.seq if head else 'nothing'}")
        elif head and row.statement.tally.prev != head.hash:
            wrong.append(f"entry {row.index}: it is not bound to the statement before it")
        heads[row.stream] = row
    return wrong


def _missing(half: Half, rows: Sequence[Row], receipts: Iterable[Kept], wanted: Iterable[int]) -> list[str]:
    """What was receipted must stand where the receipt says; what was proven must be there."""
    name, there = half.device.name, {row.hash for row in rows}
    wrong = [f"{name}: seq {seq} is missing" for seq in wanted if half.said[seq].hash not in there]
    for kept in receipts:
        row = rows[kept.index] if kept.index < len(rows) else None
        if row is None or (row.hash, row.seq) != (kept.hash, kept.seq):
            wrong.append(f"{name}: seq {kept.seq} was receipted as entry {kept.index}, and is not there")
    return wrong


def _forks(seen: Iterable[Seen]) -> list[str]:
    wrong, roots = [], dict[tuple[str, int], Seen]()
    for item in seen:
        other = roots.setdefault((item.chain, item.size), item)
        if other.root != item.root:
            wrong.append(f"{item.chain}: two roots at size {item.size}, in {other.where} and in {item.where}")
    return wrong


def _other_histories(rows: Sequence[Row], seen: Iterable[Seen]) -> list[str]:
    """Every checkpoint must be the root of the chain's first `size` entries, as they are now."""
    wanted: dict[int, list[Seen]] = {}
    for item in seen:
        wanted.setdefault(item.size, []).append(item)
    frontier, wrong = Frontier(), []
    for row in rows:
        frontier.append(merkle.leaf_hash(row.statement.encode()))
        frontier.take_full_tiles()
        for item in wanted.pop(frontier.size, ()):
            if item.root != frontier.root():
                wrong.append(f"the checkpoint of size {item.size} in {item.where} is not of this history")
    beyond = [(size, items[0].where) for size, items in wanted.items() if size]
    return wrong + [f"a checkpoint in {where} is of size {size}: so much there is not" for size, where in beyond]


def _projected(rows: Iterable[Row], readings: dict[int, int], kids: set[bytes], *, at_rest: bool) -> list[str]:
    """The tables have each pack once, and at rest every pack."""
    wrong = []
    for row in rows:
        count = readings.get(row.index, 0)
        expected = READINGS if row.seq and row.stream[0] in kids else 0
        if count != expected and (count or at_rest):
            wrong.append(f"entry {row.index} has {count} readings in the tables, not {expected}")
    return wrong
