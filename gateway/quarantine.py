"""What was refused: counted by reason, its bytes kept for a while, bounded."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from ledger.refusal import Reason

ROWS_MAX = 1_000
ROWS_A_BATCH_MAX = 50
BYTES_MAX = 256 * 1024  # of one message: a broker may take far larger ones
_UNREMARKABLE = frozenset({Reason.GAP})  # an ordinary loss: what is missing comes again


@dataclass(frozen=True, slots=True)
class Specimen:
    """A refused message. `what` it is, a statement or a birth, its topic's last part said."""

    topic: str
    what: str
    reason: Reason
    message: bytes


def write(connection: psycopg.Connection, specimens: Sequence[Specimen]) -> None:
    """Count all, keep some, forget the oldest.

    A birth is only counted: its device says it anew whenever it connects, and there is nothing in it to judge again.
    """
    counts = Counter(str(specimen.reason) for specimen in specimens)
    kept = [specimen for specimen in specimens if _is_remarkable(specimen)][:ROWS_A_BATCH_MAX]
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into quarantine_count as q (reason, n) values (%s, %s)
               on conflict (reason) do update set n = q.n + excluded.n""",
            sorted(counts.items()),  # one order everywhere, so that two chains never deadlock
        )
        cursor.executemany(
            "insert into quarantine (topic, reason, message) values (%s, %s, %s)",
            [(item.topic.replace("\x00", ""), str(item.reason), item.message[:BYTES_MAX]) for item in kept],
        )
        if kept:
            cursor.execute(
                """delete from quarantine where quarantine_id <=
                     (select quarantine_id from quarantine order by quarantine_id desc offset %s limit 1)""",
                [ROWS_MAX],
            )


def _is_remarkable(specimen: Specimen) -> bool:
    return specimen.what == "statement" and specimen.reason not in _UNREMARKABLE
