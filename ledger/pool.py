"""A few sessions with the database, shared by threads, one at a time each."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import psycopg

from ledger.database import connect
from ledger.errors import UserError

SESSIONS_MAX = 4
WAIT_S_MAX = 10.0
QUERY_MS_MAX = 10_000
APPLICATION = "tallystick reader"  # as PostgreSQL's pg_stat_activity shows the sessions

T = TypeVar("T")
S = TypeVar("S")


class Pool(Generic[S]):
    """Opens sessions when they are asked for, and keeps at most `most`.

    A session is what `make` makes of a connection that only reads, each statement its own transaction.
    """

    def __init__(self, dsn: str, make: Callable[[psycopg.Connection], S], *, most: int = SESSIONS_MAX) -> None:
        self._dsn, self._make = dsn, make
        self._idle: list[tuple[psycopg.Connection, S]] = []
        self._free = threading.BoundedSemaphore(most)

    def run(self, work: Callable[[S], T]) -> T:
        """Do `work` with a session. Raises UserError if there is no database, or none is free for long.

        A session that was idle may have lost its server: then the work is done once more, with a new one.
        """
        if not self._free.acquire(timeout=WAIT_S_MAX):
            raise UserError("too many pages are asked for at once", "try again in a minute")
        try:
            if (idle := self._take()) is not None:
                try:
                    return self._keep(*idle, work)
                except psycopg.OperationalError:
                    if not idle[0].broken:
                        raise
            return self._keep(*self._open(), work)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the idle ones."""
        while (idle := self._take()) is not None:
            idle[0].close()

    def _take(self) -> tuple[psycopg.Connection, S] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _open(self) -> tuple[psycopg.Connection, S]:
        connection = connect(self._dsn, autocommit=True)
        try:
            connection.execute(f"set application_name = '{APPLICATION}'".encode())
            connection.execute("set default_transaction_read_only = on")
            connection.execute(f"set statement_timeout = {QUERY_MS_MAX}".encode())
            return connection, self._make(connection)
        except BaseException:
            connection.close()
            raise

    def _keep(self, connection: psycopg.Connection, session: S, work: Callable[[S], T]) -> T:
        try:
            result = work(session)
        except BaseException:
            connection.close()
            raise
        self._idle.append((connection, session))
        return result
