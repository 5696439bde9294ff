"""After the deletion: aggregates are made anew, and what deleted rows leave behind in the tables is taken out.

PostgreSQL keeps a deleted row until VACUUM, and samples of a table's values in its statistics. VACUUM gives a row's
place free, and the bytes there stay until another row comes: a rewrite makes the tables anew without them, and keeps
everybody out of each table meanwhile.
"""

import time
from collections.abc import Callable, Set

import psycopg
from psycopg import sql

from ledger.errors import UserError
from ledger.shred import aggregates
from ledger.shred.delete import TABLES

_POLL_S = 0.1


def horizon(connection: psycopg.Connection) -> str:
    """This transaction's number: who began before it ends still sees what it deletes."""
    row = connection.execute("select pg_current_xact_id()::xid::text").fetchone()
    assert row is not None
    return str(row[0])


def wait_until_unseen(
    connection: psycopg.Connection, horizon: str, deadline: float, *, tell: Callable[[str], None]
) -> bool:
    """Wait for sessions that began before `horizon` ended, until `deadline` (s, monotonic); whether some still go on.

    VACUUM takes no row that one of them may still look at: a backup, say, or an audit.
    """
    query = """select from pg_stat_activity
                where pid <> pg_backend_pid() and age(backend_xmin) >= age(%s::xid) limit 1"""
    while connection.execute(query, [horizon]).fetchone() is not None:
        if time.monotonic() > deadline:
            return True
        tell("waiting for sessions that still see what was deleted")
        time.sleep(_POLL_S)
    return False


def clean(
    connection: psycopg.Connection,
    days: Set[int],
    *,
    rewrite: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Refresh the aggregates of `days` (s since 1970), then VACUUM; `connection` commits by itself."""
    connection.execute("set lock_timeout = '30s'")  # a rewrite stands in everybody's way while it waits
    aggregates.refresh(connection, days, tell=tell)
    behind = aggregates.tables(connection).values()
    for table in [*(("tallystick", table) for table in TABLES), *behind, ("pg_catalog", "pg_statistic")]:
        tell(f"{table[1]} is {'rewritten' if rewrite else 'vacuumed'}")
        how = "full, analyze" if rewrite else "analyze, index_cleanup on"
        _vacuum(connection, sql.SQL("vacuum ({}) {}").format(sql.SQL(how), sql.Identifier(*table)))


def _vacuum(connection: psycopg.Connection, command: sql.Composed) -> None:
    try:
        connection.execute(command)
    except psycopg.errors.LockNotAvailable as error:
        raise UserError(
            "the content is deleted, but a table was in use for too long to be cleaned",
            "when it is quieter: 'tallystick ledger shred --pending --rewrite'",
        ) from error
