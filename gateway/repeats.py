"""Statements at or before their stream's head, held against the ledger: repeats, forks, or too late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from gateway.judge import Behind, Refused
from gateway.sift import Incoming
from ledger.refusal import Reason
from ledger.section import Section
from ledger.statement import Statement, StreamKey

Sections = tuple[Section | None, ...]


@dataclass(frozen=True, slots=True)
class Fork:
    """Another statement with the stream and seq of entry `entry_id`: evidence of a cloned key."""

    entry_id: int
    statement: Statement
    data: bytes


@dataclass
class Repeats:
    """`from_seq` is the first repeated seq of each stream; `late` are sections that the ledger lacked."""

    from_seq: dict[StreamKey, int] = field(default_factory=dict)
    late: list[tuple[int, Statement, Sections]] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)
    refused: list[tuple[Incoming, Refused]] = field(default_factory=list)


def look_up(
    connection: psycopg.Connection, streams: Mapping[StreamKey, int], behind: Sequence[tuple[Incoming, Behind]]
) -> Repeats:
    """Sort `behind` by what the ledger holds at the same stream and seq."""
    repeats, written = Repeats(), set[tuple[int, int]]()
    for message, item in behind:
        statement = item.statement
        row = connection.execute(
            "select entry_id, statement_hash from entry where stream_id = %s and seq = %s",
            [streams[statement.stream_key], statement.tally.seq],
        ).fetchone()
        if row is None:  # a later stream of its lane has closed this one
            repeats.refused.append((message, Refused(Reason.CLOSED_STREAM, statement, item.data)))
        elif bytes(row[1]) != statement.hash:
            refused = Refused(Reason.FORK, statement, item.data)
            repeats.forks.append(Fork(row[0], statement, item.data))
            repeats.refused.append((message, refused))
        else:
            first = repeats.from_seq.setdefault(statement.stream_key, statement.tally.seq)
            repeats.from_seq[statement.stream_key] = min(first, statement.tally.seq)
            _add_late(connection, repeats, written, row[0], item)
    return repeats


def _add_late(
    connection: psycopg.Connection, repeats: Repeats, written: set[tuple[int, int]], entry: int, item: Behind
) -> None:
    """Keep the sections that the ledger lacks, each once."""
    if all(section is None for section in item.sections):
        return
    lines = connection.execute("select line from section where entry_id = %s", [entry])
    here = {line for (line,) in lines} | {line for owner, line in written if owner == entry}
    new = tuple(None if line in here else section for line, section in enumerate(item.sections))
    if any(section is not None for section in new):
        repeats.late.append((entry, item.statement, new))
        written |= {(entry, line) for line, section in enumerate(new) if section is not None}
