"""What to send, and when again."""

import pytest

from edge.window import ALARM_ATTEMPTS, Flight, backoff_ms, progressed, reconnected, released, to_send


def test_each_statement_goes_once_until_the_time_out() -> None:
    """What waits is sent at once, what is new is added, and nothing goes twice before its time."""
    sent, flight = to_send(Flight(), (1, 2), now_ms=0, jitter=0)
    assert sent == (1, 2)
    assert to_send(flight, (1, 2), now_ms=999, jitter=0)[0] == ()
    sent, flight = to_send(flight, (1, 2, 3), now_ms=500, jitter=0)
    assert sent == (3,)
    assert flight.due_ms == 1_000  # the new one does not put the others off


def test_the_whole_window_goes_again_after_the_time_out() -> None:
    """At the time-out all goes again, in order, and the next one is later."""
    _, flight = to_send(Flight(), (1, 2, 3), now_ms=0, jitter=0)
    sent, flight = to_send(flight, (2, 3), now_ms=1_000, jitter=0)
    assert (sent, flight.attempts, flight.due_ms) == ((2, 3), 1, 3_000)


def test_backoff_doubles_up_to_a_minute() -> None:
    """1 s, 2 s, 4 s, … and never over 60 s, with jitter of up to half."""
    assert [backoff_ms(n, 0) for n in range(4)] == [1_000, 2_000, 4_000, 8_000]
    assert [backoff_ms(n, 1) for n in range(2)] == [1_500, 3_000]
    assert all(1_000 <= backoff_ms(n, jitter) <= 60_000 for n in range(2_000) for jitter in (0, 0.5, 1))
    assert backoff_ms(2_000, 0) < backoff_ms(2_000, 1)  # so that a thousand devices do not come as one


def test_progress_resets_the_backoff() -> None:
    """Something proven means that someone is there."""
    flight = progressed(Flight(sent=9, attempts=6, due_ms=50_000), now_ms=2_000, jitter=0)
    assert flight == Flight(9, 0, 3_000)


def test_nothing_waiting_means_no_timer() -> None:
    """An idle lane wakes nobody, and starts anew."""
    assert to_send(Flight(5, 3, 100), (), now_ms=0, jitter=0) == ((), Flight(5, 0, None))
    assert to_send(Flight(5), (6,), now_ms=0, jitter=0)[0] == (6,)


def test_a_new_connection_holds_back_until_the_gateway_has_spoken() -> None:
    """After connecting all goes again: after the hold, or as soon as the birth is answered."""
    flight = reconnected(Flight(5, 2, 100), now_ms=1_000, hold_ms=1_000)
    assert to_send(flight, (4, 5), now_ms=1_500, jitter=0) == ((), flight)
    sent, later = to_send(flight, (4, 5), now_ms=2_000, jitter=0)
    assert (sent, later.attempts) == ((4, 5), 2)  # the first time on a connection is not a time again
    sent, _ = to_send(released(flight, now_ms=1_100), (4, 5), now_ms=1_100, jitter=0)
    assert sent == (4, 5)
    assert released(later, now_ms=1_100) == later


def test_a_section_that_did_not_arrive_goes_with_the_timer() -> None:
    """An older number that waits again is sent at the next time-out, not at once and not never."""
    _, flight = to_send(Flight(), (1, 2, 3), now_ms=0, jitter=0)
    assert to_send(flight, (2,), now_ms=10, jitter=0)[0] == ()
    assert to_send(flight, (2,), now_ms=1_000, jitter=0)[0] == (2,)


@pytest.mark.parametrize("attempts", range(10))
def test_an_alarm_after_half_a_minute(attempts: int) -> None:
    """The alarm is for a silence of about half a minute."""
    assert Flight(1, attempts, 0).is_unanswered == (attempts >= ALARM_ATTEMPTS)
    assert sum(backoff_ms(n, 0) for n in range(ALARM_ATTEMPTS)) == 31_000
