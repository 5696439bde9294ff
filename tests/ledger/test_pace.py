"""Claims about whom a server waits for: a body comes at a pace, and who makes room is of the network that has most."""

from dataclasses import dataclass

import pytest

from ledger.pace import Pace, Sent, network, who_leaves

PACE = Pace(whole_s=60, silence_s=5, grace_s=10, rate=1_000)


@pytest.mark.parametrize(
    ("sent", "deadline_s"),
    [
        (Sent(100, 100), 105),  # nothing came: a silence
        (Sent(100, 107, 2_000), 112),  # as fast as must be
        (Sent(100, 109, 100), 110.1),  # slower
        (Sent(100, 158, 10**9), 160),  # whatever comes, it has to be whole
    ],
)
def test_a_body_comes_at_a_pace(sent: Sent, deadline_s: float) -> None:
    """By its silence, by its bytes a second, and as a whole: the first of the three ends it."""
    assert sent.deadline_s(PACE) == pytest.approx(deadline_s)


def test_a_piece_moves_the_deadline_and_an_empty_one_does_not() -> None:
    """What holds no bytes is silence."""
    sent = Sent(100, 100)
    assert sent.and_piece(0, 104) == sent and sent.and_piece(7, 104) == Sent(100, 104, 7)


@dataclass(frozen=True)
class One:
    """A client."""

    network: str
    heard_s: float
    is_awaited: bool = True
    size: int = 1


def test_who_is_silent_for_longest_makes_room_of_the_network_that_has_most() -> None:
    """By how much each has; one that has as little as anybody stays, however long it is silent."""
    crowd, single = [One("a", 5), One("a", 3), One("a", 4)], One("b", 1)
    assert who_leaves([*crowd, single]) == crowd[1]
    assert who_leaves([*crowd, One("b", 1, size=4)]) == One("b", 1, size=4)
    assert who_leaves([crowd[0], single]) == single


def test_nobody_leaves_who_is_being_answered() -> None:
    """Then it is another's turn; and if all are, nobody's."""
    busy = [One("a", 1, is_awaited=False), One("a", 2, is_awaited=False)]
    assert who_leaves(busy) is None and who_leaves([]) is None
    assert who_leaves([*busy, One("a", 3), One("b", 0)]) == One("a", 3)


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("", ""),
    ],
)
def test_a_network_is_what_one_client_has(address: str, known_as: str) -> None:
    """An IPv4 address, however it is written; the half of an IPv6 address that its provider gives."""
    assert network(address) == known_as
