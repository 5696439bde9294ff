"""Sessions with the database, each with a prover of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from ledger.folder import LedgerFolder
from ledger.pool import Pool
from ledger.proof.prove import Prover

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """A connection of a `Pool`, and the prover that reads by it."""

    connection: psycopg.Connection
    prover: Prover


class Sessions:
    """A pool of them. Each piece of work is done by what is published when it begins."""

    def __init__(self, dsn: str, folder: LedgerFolder) -> None:
        self._pool = Pool(dsn, lambda connection: Session(connection, Prover(connection, folder)))

    def run(self, work: Callable[[Session], T]) -> T:
        """Do `work` with a session; raises as `Pool.run`."""

        def refreshed(session: Session) -> T:
            session.prover.refresh()
            return work(session)

        return self._pool.run(refreshed)

    def close(self) -> None:
        """Close the idle ones."""
        self._pool.close()
