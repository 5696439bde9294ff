"""Judging kept messages again: an operator asks for some of the quarantine, the chain's writer judges them anew.

The quarantine itself carries the wish (`replay_at`), because only a chain's writer may judge, and only the device may
publish on its topics. The writer takes what is asked for into its next batch, as if it had just arrived there. What
is then in the ledger leaves the quarantine; what is refused again stays, under its new reason.

A wish is taken away before its message is judged, so that it is judged once at most for each: a message that made
the judging fail would else make it fail for ever. It stays in quarantine then, as it does when its writer dies between
the block and the removal: whoever asks for it again finds it a repeat, and it goes.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import psycopg

from gateway.judge import Refused
from gateway.sift import Incoming
from ledger.errors import MalformedError
from ledger.topic import Topic

A_BATCH_MAX = 64  # each of at most 256 KiB


class Replayed(Incoming):
    """A message from the quarantine, and its id there."""

    quarantine_id: int

    @classmethod
    def of(cls, number: int, topic: str, message: bytes) -> Self:
        """A row of the quarantine."""
        replayed = cls(_topic(topic), "statement", message)
        replayed.quarantine_id = number
        return replayed


def take(connection: psycopg.Connection, chain: str) -> list[Replayed]:
    """What is asked for on `chain`, oldest first, so that a stream's links come in their order.

    While it is judged, `replay_at` is 'epoch': nobody takes it again, and whoever waits for it waits on.
    """
    rows = connection.execute(
        """select quarantine_id, topic, message from quarantine
            where replay_at > 'epoch' and split_part(topic, '/', 3) = %s order by quarantine_id limit %s""",
        [chain, A_BATCH_MAX],
    ).fetchall()
    if rows:
        numbers = [number for number, _, _ in rows]
        connection.execute("update quarantine set replay_at = 'epoch' where quarantine_id = any(%s)", [numbers])
        connection.commit()
    return [Replayed.of(number, topic, bytes(message)) for number, topic, message in rows]


def first_time(refused: Iterable[tuple[Incoming, Refused]]) -> list[tuple[Incoming, Refused]]:
    """What is refused for the first time: it is not counted yet, and the quarantine does not hold it."""
    return [(source, why) for source, why in refused if not isinstance(source, Replayed)]


def settle(
    connection: psycopg.Connection, replayed: Sequence[Replayed], refused: Iterable[tuple[Incoming, Refused]]
) -> None:
    """Remove what is in the ledger now; let what was refused again say why."""
    if not replayed:
        return
    reasons = {source.quarantine_id: str(why.reason) for source, why in refused if isinstance(source, Replayed)}
    gone = [message.quarantine_id for message in replayed if message.quarantine_id not in reasons]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("delete from quarantine where quarantine_id = any(%s)", [gone])
        cursor.executemany(
            "update quarantine set replay_at = null, reason = %s where quarantine_id = %s",
            [(reason, number) for number, reason in reasons.items()],
        )


def _topic(text: str) -> Topic:
    try:
        return Topic.parse(f"{text}/statement")[0]
    except MalformedError:  # as kept by hand: its device is nobody's, so it is refused
        return Topic(text.split("/")[2], "unknown")
