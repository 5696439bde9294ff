"""Redeeming: a hidden code is held against what its batch committed to, and is redeemed once, whoever else tries.

Two that ask at once are told apart by the database's key. If the service dies before it could answer, the code is
redeemed or it is not; who asks again with the same nonce is told that it was the first time, for it was. That holds for
some minutes: else who redeemed a code could have the buyer of each copy send the form with his nonce.
"""

import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

import psycopg

from labels.book import IssuedBatch
from labels.hidden import stored
from labels.hidden.answer import Answer, Commitment, Result
from labels.hidden.asked import Asked
from labels.hidden.code import SECRET_BYTES, commitment
from labels.hidden.stored import StoredCode
from labels.hidden.tries import Tries
from labels.keeper import BookKeeper
from ledger import read
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import REGISTRY, Role
from ledger.trust.succession import messages_of

REPEATED_S = 600.0
_NONE = StoredCode(bytes(32), 0, bytes(SECRET_BYTES), bytes(32))  # what a code is held against if there is none


class Redeemer:
    """Redeems codes of one ledger. Safe to share between threads."""

    def __init__(
        self, folder: LedgerFolder, dsn: str, keeper: BookKeeper, *, now: Callable[[], float] = time.time
    ) -> None:
        self._folder, self._dsn, self._keeper, self._now = folder, dsn, keeper, now
        self._tries, self._lock = Tries(), Lock()

    def redeem(self, asked: Asked) -> Answer:
        """Redeem a code. Raises UserError or psycopg.Error if the database is not there: then ask again."""
        key, now = SigningKey.load(self._folder.key_file(Role.LABELS)), self._now()
        if self.wait_s(asked.path) > 0:
            return Answer.sign(key, asked, Result.LATER, answered_ms=_ms(now))
        with connect(self._dsn) as connection:
            found = self._right(connection, asked)
            if found is None:
                with self._lock:
                    self._tries.wrong(asked.path, now)
                return Answer.sign(key, asked, Result.WRONG, answered_ms=_ms(now))
            code, issued = found
            made = stored.redeem(connection, code, at=datetime.fromtimestamp(now, UTC), nonce=asked.nonce)
            proof = stored.prove(connection, code, issued.batch.size)
        return Answer.sign(
            key,
            asked,
            Result.FIRST if made.nonce == asked.nonce and now < made.at.timestamp() + REPEATED_S else Result.AGAIN,
            answered_ms=_ms(now),
            redeemed_ms=_ms(made.at.timestamp()),
            commitment=Commitment(issued.statement_hash, code.index, code.secret, proof),
        )

    def wait_s(self, path: str) -> float:
        """For how many seconds nothing is said of this label."""
        with self._lock:
            return self._tries.wait_s(path, self._now())

    def genesis(self) -> bytes:
        """The registry's first entry as a message: by it the pinned hash says what the label service's key is."""
        with connect(self._dsn) as connection:
            [message] = messages_of(read.entries(connection, REGISTRY, 0, 1))
        return message

    def _right(self, connection: psycopg.Connection, asked: Asked) -> tuple[StoredCode, IssuedBatch] | None:
        """What was committed to, if the code is this label's, and its batch is published."""
        code = stored.find(connection, asked.path)
        told = commitment((code or _NONE).secret, asked.path, asked.code)
        is_right = hmac.compare_digest(told, (code or _NONE).commitment)
        issued = self._keeper.book(connection).batches.get((code or _NONE).batch_root)
        connection.commit()
        if code is None or issued is None or issued.batch.hidden is None or not is_right:
            return None
        return code, issued


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
