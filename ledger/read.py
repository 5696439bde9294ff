"""What others than the writer read of the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from ledger import message
from ledger.errors import MalformedError, RegistryError
from ledger.registry import REGISTRY, Registry
from ledger.section import ContentFormat, Section
from ledger.statement import Statement
from ledger.tree_store import entry_id, index_of


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry and those of its sections that are here, by line."""

    index: int
    data: bytes
    sections: dict[int, bytes]

    def body(self, line: int) -> bytes | None:
        """The body of section `line`, or None if it is not here."""
        data = self.sections.get(line)
        return Section.decode(data).body if data is not None else None

    def message(self, lines: int) -> bytes:
        """The entry as it would come over the wire."""
        return message.encode(self.data, [self.sections.get(line) for line in range(lines)])


def chain_id(connection: psycopg.Connection, chain: str) -> int:
    """The row id of a chain; raises LookupError."""
    row = connection.execute("select chain_id from chain where name = %s", [chain]).fetchone()
    if row is None:
        raise LookupError(f"no chain {chain!r} in the database")
    return int(row[0])


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


def registry(connection: psycopg.Connection, size: int, into: Registry | None = None) -> Registry:
    """The registry after `size` entries, folded on from `into`. Entries that the rules refuse have no effect."""
    state = into if into is not None else Registry()
    for stored in entries(connection, REGISTRY, state.size, size):
        apply(state, stored)
    return state


def apply(state: Registry, stored: Stored) -> str | None:
    """Fold one registry entry in; returns why it has no effect, or None if it has, or needs none."""
    state.size = stored.index + 1
    try:
        statement = Statement.decode(stored.data)
        for line, of in enumerate(statement.manifest):
            body = stored.body(line)
            if of.content_format == ContentFormat.REGISTRY and body is not None:
                state.apply(stored.index, statement.kid, body)
    except (MalformedError, RegistryError) as error:
        return str(error)
    return None
