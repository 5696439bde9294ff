"""What became of each issued label: printed, applied, spoiled, returned or seen. The database tells; no log does.

Rows are only ever added. Of a label's printing the last row counts: what was sent and not yet confirmed may have come
out or not.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import psycopg

from labels.use import Use as Use

PRINTING = (Use.SENT, Use.PRINTED, Use.REFUSED)


def record(
    connection: psycopg.Connection,
    batch_root: bytes,
    indices: Iterable[int],
    use: Use,
    *,
    at: datetime,
    run: UUID | None = None,
    note: str = "",
) -> None:
    """Record a use of some labels of a batch, in the caller's transaction."""
    record_noted(connection, ((batch_root, index, note) for index in indices), use, at=at, run=run)


def record_noted(
    connection: psycopg.Connection,
    labels: Iterable[tuple[bytes, int, str]],
    use: Use,
    *,
    at: datetime,
    run: UUID | None = None,
) -> None:
    """Record a use of labels by (batch root, index, note), in the caller's transaction."""
    into = "copy label_use (batch_root, index, use, at, run, note) from stdin"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for root, index, note in labels:
            copy.write_row((root, index, int(use), at, run, note))


def counts(connection: psycopg.Connection, batch_root: bytes) -> dict[Use, int]:
    """Of how many of a batch's labels each use was recorded, once or more often."""
    query = "select use, count(distinct index) from label_use where batch_root = %s group by use"
    found = {Use(use): count for use, count in connection.execute(query, [batch_root])}
    return {use: found.get(use, 0) for use in Use}
