"""The anchor at the gateway: takes the header of every new block of every chain into the log of logs."""

from collections.abc import Callable, Sequence

import psycopg

from ledger import anchor, read
from ledger.anchor import Kind
from ledger.folder import LedgerFolder
from ledger.log_keys.keyring import Keyring
from ledger.registry import ANCHOR, REGISTRY
from ledger.seal import ChainWriter, NewEntry

HEADERS_MAX = 1_000


class AnchorChain:
    """The writer of the anchor. Of no use after any error: close it and open another."""

    def __init__(self, dsn: str, *, folder: LedgerFolder, now_ms: Callable[[], int]) -> None:
        keys = Keyring(folder, ANCHOR)
        self._writer = ChainWriter(dsn, chain=ANCHOR, key=keys, checkpoints=folder.checkpoints)
        self._now_ms = now_ms

    def close(self) -> None:
        """Give the anchor up."""
        self._writer.close()

    @property
    def size(self) -> int:
        """How many entries the anchor has."""
        return self._writer.size

    def take(self) -> int:
        """Anchor what is not anchored yet; returns how many headers that was."""
        connection = self._writer.connection
        rows = _not_anchored(connection)
        registry = _registry_state(connection)
        connection.commit()
        if rows:
            entries = [NewEntry(anchor.encode(Kind.HEADER, header)) for _, _, header in rows]
            places = [(chain_id, height) for chain_id, height, _ in rows]

            def also(session: psycopg.Connection, first: int) -> None:
                _insert_anchored(session, places, first)

            self._writer.seal(entries, now_ms=self._now_ms(), registry=registry, also=also)
        return len(rows)


def _not_anchored(connection: psycopg.Connection) -> list[tuple[int, int, bytes]]:
    """Chain, height and header of new blocks: the registry's first, every chain's in order."""
    rows = connection.execute(
        """select b.chain_id, b.height, b.header
             from chain c
            cross join lateral (
              select chain_id, height, header from block
               where chain_id = c.chain_id
                 and height > coalesce((select max(height) from anchored where chain_id = c.chain_id), -1)
               order by height limit %(most)s) b
            where c.name <> %(anchor)s
            order by c.name <> %(registry)s, b.chain_id, b.height limit %(most)s""",
        {"anchor": ANCHOR, "registry": REGISTRY, "most": HEADERS_MAX},
    )
    return [(chain_id, height, bytes(header)) for chain_id, height, header in rows]


def _registry_state(connection: psycopg.Connection) -> tuple[int, bytes]:
    row = connection.execute(
        "select size, root from block where chain_id = %s order by height desc limit 1",
        [read.chain_id(connection, REGISTRY)],
    ).fetchone()
    assert row is not None  # the genesis is there before any anchor is written
    return row[0], bytes(row[1])


def _insert_anchored(connection: psycopg.Connection, places: Sequence[tuple[int, int]], first: int) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into anchored (chain_id, height, anchor_index) values (%s, %s, %s)",
            [(chain_id, height, index) for index, (chain_id, height) in enumerate(places, first)],
        )
