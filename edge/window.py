"""What to send now, of what waits: new statements once, all of the window again after a time-out.

Pure: the time and the jitter come as arguments. Statements go by their number in the spool, which grows in the order
in which a lane's statements must be sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

RESEND_FIRST_MS = 1_000
RESEND_MOST_MS = 60_000
ALARM_ATTEMPTS = 5  # half a minute without an answer, by then


@dataclass(frozen=True, slots=True)
class Flight:
    """What a lane has in the air: all that waits up to number `sent`; at `due_ms` the window is sent again.

    `sent` is None until something was sent on this connection. `attempts` counts how often it was sent again since
    anything was last proven.
    """

    sent: int | None = None
    attempts: int = 0
    due_ms: int | None = None

    @property
    def is_unanswered(self) -> bool:
        """Whether a person should look at it."""
        return self.attempts >= ALARM_ATTEMPTS


def backoff_ms(attempts: int, jitter: float) -> int:
    """How long to wait for an answer: 1 s doubled `attempts` times, up to half as long again, at most 60 s.

    `jitter` is from 0 to 1.
    """
    longest_base = RESEND_MOST_MS * 2 // 3
    base = min(longest_base, RESEND_FIRST_MS << min(attempts, 16))
    return int(base * (1 + jitter / 2))


def to_send(flight: Flight, waiting: Sequence[int], *, now_ms: int, jitter: float) -> tuple[tuple[int, ...], Flight]:
    """Which of the `waiting` numbers (ascending) to send now, and the flight once they are sent."""
    if not waiting:
        return (), replace(flight, attempts=0, due_ms=None)
    if flight.due_ms is None and flight.sent is None:
        return tuple(waiting), Flight(waiting[-1], flight.attempts, now_ms + backoff_ms(flight.attempts, jitter))
    if flight.due_ms is not None and flight.due_ms <= now_ms:
        attempts = flight.attempts + (flight.sent is not None)
        return tuple(waiting), Flight(waiting[-1], attempts, now_ms + backoff_ms(attempts, jitter))
    if flight.sent is None:
        return (), flight
    new = tuple(number for number in waiting if number > flight.sent)
    due_ms = now_ms + backoff_ms(flight.attempts, jitter) if flight.due_ms is None else flight.due_ms
    return new, Flight(max(flight.sent, waiting[-1]), flight.attempts, due_ms)


def progressed(flight: Flight, *, now_ms: int, jitter: float) -> Flight:
    """The flight after something was proven: patience begins anew."""
    return Flight(flight.sent, 0, now_ms if flight.sent is None else now_ms + backoff_ms(0, jitter))


def reconnected(flight: Flight, *, now_ms: int, hold_ms: int) -> Flight:
    """The flight on a new connection: all goes again, after `hold_ms`, in which the gateway may say what it has."""
    return Flight(None, flight.attempts, now_ms + hold_ms)


def released(flight: Flight, *, now_ms: int) -> Flight:
    """The flight once the gateway has answered the birth: nothing is held back any longer."""
    return flight if flight.sent is not None else replace(flight, due_ms=now_ms)
