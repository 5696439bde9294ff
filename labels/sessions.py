"""A few sessions with the database, each with a prover of its own, shared by threads one at a time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.proof.prove import Prover

SESSIONS_MAX = 4
WAIT_S_MAX = 10.0
QUERY_MS_MAX = 10_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """A read-only connection, each statement its own transaction, and the prover that reads by it."""

    connection: psycopg.Connection
    prover: Prover


class Sessions:
    """Opens sessions when they are asked for, and keeps at most `most`."""

    def __init__(self, dsn: str, folder: LedgerFolder, *, most: int = SESSIONS_MAX) -> None:
        self._dsn, self._folder = dsn, folder
        self._idle: list[Session] = []
        self._free = threading.BoundedSemaphore(most)

    def run(self, work: Callable[[Session], T]) -> T:
        """Do `work` with a session. Raises UserError if there is no database, or none is free for long.

        A session that was idle may have lost its server: then the work is done once more, with a new one.
        """
        if not self._free.acquire(timeout=WAIT_S_MAX):
            raise UserError("too many pages are asked for at once", "try again in a minute")
        try:
            if (idle := self._take()) is not None:
                try:
                    return self._keep(idle, work)
                except psycopg.OperationalError:
                    if not idle.connection.broken:
                        raise
            return self._keep(self._open(), work)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the idle ones."""
        while (session := self._take()) is not None:
            session.connection.close()

    def _take(self) -> Session | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _open(self) -> Session:
        connection = connect(self._dsn, autocommit=True)
        connection.execute("set default_transaction_read_only = on")
        connection.execute(f"set statement_timeout = {QUERY_MS_MAX}".encode())
        return Session(connection, Prover(connection, self._folder))

    def _keep(self, session: Session, work: Callable[[Session], T]) -> T:
        try:
            session.prover.refresh()
            result = work(session)
        except BaseException:
            session.connection.close()
            raise
        self._idle.append(session)
        return result
