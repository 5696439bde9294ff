"""What others than the writer read of the ledger."""

from collections.abc import Iterator

import psycopg

from ledger import checkpoint_file, message
from ledger.errors import UserError
from ledger.fold import Stored, apply
from ledger.registry import REGISTRY, Registry
from ledger.tree_store import INDEX_BITS, entry_id, index_of


def chain_id(connection: psycopg.Connection, chain: str) -> int:
    """The row id of a chain; raises LookupError."""
    row = connection.execute("select chain_id from chain where name = %s", [chain]).fetchone()
    if row is None:
        raise LookupError(f"no chain {chain!r} in the database")
    return int(row[0])


def size(connection: psycopg.Connection, chain_id: int) -> int:
    """How many entries of a chain are in blocks, published or not."""
    row = connection.execute("select coalesce(max(size), 0) from block where chain_id = %s", [chain_id]).fetchone()
    assert row is not None
    return int(row[0])


def require_reached(connection: psycopg.Connection, chain_id: int, chain: str, published: int) -> None:
    """Raise UserError if the chain has fewer entries here than it has `published`: why much else is not found."""
    found = size(connection, chain_id)
    if found < published:
        raise UserError(
            f"the database is behind the published checkpoint of {chain!r}: {published} entries were published, "
            f"and {found} are here",
            f"restore the newest backup, or decide: {checkpoint_file.ACCEPT}",
        )


def entries(connection: psycopg.Connection, chain: str, first: int, end: int, *, batch: int = 1000) -> Iterator[Stored]:
    """Entries `first` to `end - 1` of a chain with their sections; erased ones have empty data."""
    identity = chain_id(connection, chain)
    for start in range(first, end, batch):
        low, high = entry_id(identity, start), entry_id(identity, min(start + batch, end))
        sections: dict[int, dict[int, bytes]] = {}
        for owner, line, data in connection.execute(
            "select entry_id, line, data from section where entry_id >= %s and entry_id < %s and data is not null",
            [low, high],
        ):
            sections.setdefault(owner, {})[line] = bytes(data)
        rows = connection.execute(
            "select entry_id, data from entry where entry_id >= %s and entry_id < %s order by entry_id", [low, high]
        )
        for owner, data in rows:
            yield Stored(index_of(owner), bytes(data or b""), sections.get(owner, {}))


def entry(connection: psycopg.Connection, chain_id: int, index: int) -> Stored | None:
    """One entry of a chain with its sections; an erased one has empty data."""
    rows = connection.execute(
        """select e.data, s.line, s.data
             from entry e left join section s on s.entry_id = e.entry_id and s.data is not null
            where e.entry_id = %s""",
        [entry_id(chain_id, index)],
    ).fetchall()
    if not rows:
        return None
    sections = {line: bytes(data) for _, line, data in rows if line is not None}
    return Stored(index, bytes(rows[0][0] or b""), sections)


def registry(connection: psycopg.Connection, size: int, into: Registry | None = None) -> Registry:
    """The registry after `size` entries, folded on from `into`. Entries that the rules refuse have no effect."""
    state = into if into is not None else Registry()
    for stored in entries(connection, REGISTRY, state.size, size):
        apply(state, stored)
    return state


def root_messages(connection: psycopg.Connection, size: int | None = None) -> list[bytes]:
    """What root keys have said in the registry's first `size` entries, in all for None (`ledger.trust.succession`).

    That is the stream of the genesis; the registry's sections are public, and never erased.
    """
    first = entry_id(chain_id(connection, REGISTRY), 0)
    rows = connection.execute(
        """select e.entry_id, e.data, e.lines from entry e
            where e.stream_id = (select stream_id from entry where entry_id = %(first)s)
              and e.entry_id - %(first)s < %(size)s
            order by e.seq""",
        {"first": first, "size": 1 << INDEX_BITS if size is None else size},
    ).fetchall()
    found = connection.execute(
        "select entry_id, line, data from section where entry_id = any(%s) and data is not null",
        [[row[0] for row in rows]],
    )
    sections = {(owner, line): bytes(data) for owner, line, data in found}
    return [
        message.encode(bytes(data or b""), [sections.get((owner, line)) for line in range(lines)])
        for owner, data, lines in rows
    ]
