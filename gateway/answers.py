"""Receipts from what the ledger holds: which statements of a stream stand where, proven at the chain's size."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from ledger import merkle
from ledger.receipt import Answer, Range, Receipt
from ledger.seal import ChainWriter
from ledger.statement import UINT63_MAX as SEQ_MAX
from ledger.statement import StreamKey
from ledger.tree_store import index_of

STATEMENTS_MAX = 1_000
RANGES_MAX = 128  # an answer stays far below the message size that brokers allow, whatever the tree's size


@dataclass(frozen=True, slots=True)
class Sealed:
    """A statement in the ledger, as a receipt tells of it; `lacking` are the lines whose sections are not here."""

    seq: int
    index: int
    hash: bytes
    lacking: tuple[int, ...]


def since(connection: psycopg.Connection, stream_id: int, seq: int) -> list[Sealed]:
    """The stream's first statements from `seq` on, at most 1,000, and always its newest."""
    query = """
        select e.seq, e.entry_id, e.statement_hash,
               array(select n::int2 from generate_series(0, e.lines - 1) n
                      where not exists (select from section s where s.entry_id = e.entry_id and s.line = n))
          from entry e
         where e.stream_id = %(stream)s
           and (e.seq = (select max(seq) from entry where stream_id = %(stream)s)
                or e.seq >= %(seq)s and e.seq < %(end)s)
         order by e.seq"""
    end = min(seq + STATEMENTS_MAX, SEQ_MAX)  # a birth may ask from any seq: bigint ends where they do
    rows = connection.execute(query.encode(), {"stream": stream_id, "seq": seq, "end": end})
    return [Sealed(row[0], index_of(row[1]), bytes(row[2]), tuple(row[3])) for row in rows]


def answer(
    writer: ChainWriter,
    stream: StreamKey,
    subject: str,
    statements: Sequence[Sealed],
    *,
    nonce: bytes | None = None,
    root: Sequence[bytes] = (),
) -> Answer:
    """The answer that proves `statements`, in order of seq, the stream's newest last.

    Of those that stand in many places it proves the first ones and the newest; the device asks again for the rest.
    """
    *earlier, newest_run = _runs(statements)
    earlier = earlier[:RANGES_MAX]
    statements = [item for run in (*earlier, newest_run) for item in run]
    newest = newest_run[-1]
    kid, lane, stream_id = stream
    receipt = Receipt(
        log_kid=writer.key.kid,
        origin=writer.origin,
        subject=subject,
        size=writer.size,
        kid=kid,
        lane=lane,
        stream=stream_id,
        seq=newest.seq,
        statement_hash=newest.hash,
        covers=_covers(statements),
        lacking=tuple((statement.seq, line) for statement in statements for line in statement.lacking),
        index=newest.index,
        path=tuple(merkle.inclusion_proof(newest.index, writer.size, writer.read_nodes)),
    )
    return Answer(
        receipt=receipt.issue(writer.key, writer.root).encode(),
        checkpoint=writer.checkpoint,
        first_index=newest_run[0].index,
        hashes=_range_hashes(writer, newest_run),
        earlier=tuple(_range(writer, run) for run in earlier),
        nonce=nonce,
        root=tuple(root),
    )


def _covers(statements: Sequence[Sealed]) -> tuple[int, int]:
    """The seqs that these are without a gap, from the first on: of an answer that was cut, not the newest."""
    first = statements[0].seq
    return first, max(item.seq for place, item in enumerate(statements, first) if item.seq == place)


def _runs(statements: Sequence[Sealed]) -> list[list[Sealed]]:
    """Cut where statements do not stand side by side."""
    runs: list[list[Sealed]] = []
    for statement in statements:
        if runs and runs[-1][-1].index + 1 == statement.index and runs[-1][-1].seq + 1 == statement.seq:
            runs[-1].append(statement)
        else:
            runs.append([statement])
    return runs


def _range(writer: ChainWriter, run: Sequence[Sealed]) -> Range:
    return Range(run[0].seq, run[0].index, len(run), _range_hashes(writer, run))


def _range_hashes(writer: ChainWriter, run: Sequence[Sealed]) -> tuple[bytes, ...]:
    return tuple(merkle.range_proof(run[0].index, run[-1].index, writer.size, writer.read_nodes))
