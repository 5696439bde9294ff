"""Who sends a picture keeps a pace, and whoever is silent keeps others out for seconds only."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from labels.pages.senders import Pace, Sent, slowest
from tests.labels.reading.pictures import encoded, label
from tests.labels.serving import client_of
from tests.labels.story import Story

PACE = Pace(whole_s=60, silence_s=5, grace_s=10, rate=1_000, settled_s=2, room_rate=5_000)


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


def test_the_slowest_that_has_settled_makes_room() -> None:
    """Of those that are slow; of two that sent nothing who was silent for longer; nobody who is new, or fast."""
    idle, later, slow = Sent(90, 90), Sent(91, 91), Sent(90, 100, 20_000)
    new, fast = Sent(99, 99), Sent(90, 100, 60_000)
    assert slowest([new, slow, later, idle, fast], PACE, 100) == idle
    assert slowest([new, slow, fast], PACE, 100) == slow
    assert slowest([new, fast], PACE, 100) is None and slowest([], PACE, 100) is None


@pytest.fixture(scope="module")
def client(story: Story) -> Iterator[httpx.Client]:
    """A client of a service over the told story."""
    with client_of(story) as client:
        yield client


def begun(client: httpx.Client, held: ExitStack, *, size: int = 100_000, body: bytes = b"") -> socket.socket:
    """A connection on which a picture's upload has begun."""
    address = urlsplit(str(client.base_url))
    connection = held.enter_context(socket.create_connection((address.hostname or "", address.port or 0), timeout=30))
    head = f"POST /read HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nContent-Length: {size}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def answer(connection: socket.socket) -> str:
    """All that a connection says until it is closed."""
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces).decode()


def picture(story: Story, number: int = 0) -> bytes:
    """A picture of a label."""
    return encoded(label(story.labels[number].link("id.example.com")))


def test_idle_connections_keep_others_out_for_seconds_only(client: httpx.Client, story: Story) -> None:
    """Eight that say nothing take all places; the next picture is read, and one of the eight has made room."""
    with ExitStack() as held:
        idle = [begun(client, held) for _ in range(8)]
        time.sleep(0.5)  # they are all being waited for
        began = time.monotonic()
        told = client.post("/read", content=picture(story), headers={"accept": "application/json"})
        assert told.status_code == 200 and told.json()["codes"][0]["verdict"] == "genuine"
        assert time.monotonic() - began < 5
        answers = [answer(connection) for connection in idle]
    assert all(text.startswith("HTTP/1.1 408 ") and "came too slowly" in text for text in answers)


def test_who_falls_silent_is_cut_off(client: httpx.Client) -> None:
    """After some seconds without a byte, with an answer that says so; though nobody waits."""
    with ExitStack() as held:
        began = time.monotonic()
        told = answer(begun(client, held, body=b"x" * 50_000))
        assert told.startswith("HTTP/1.1 408 ") and "paste the link" in told and "connection: close" in told
        assert 4 < time.monotonic() - began < 10


def test_a_byte_at_a_time_is_no_pace(client: httpx.Client) -> None:
    """Whoever never falls silent and sends next to nothing is cut off as well."""
    with ExitStack() as held:
        connection, began = begun(client, held), time.monotonic()
        connection.settimeout(0.2)
        told = b""
        while not told and time.monotonic() - began < 20:
            try:
                connection.sendall(b"x")
                told = connection.recv(65_536)
            except TimeoutError:
                continue
        assert told.startswith(b"HTTP/1.1 408 ") and time.monotonic() - began < 10


def test_a_slow_connection_is_waited_for(client: httpx.Client, story: Story) -> None:
    """Pieces of a picture over eight seconds, with silences of one: it is read."""
    data = picture(story)
    data += bytes(80_000 - len(data))  # what comes after a PNG's end is nothing of it
    with ExitStack() as held:
        connection = begun(client, held, size=len(data))
        for first in range(0, len(data), 10_000):
            connection.sendall(data[first : first + 10_000])
            time.sleep(1)
        connection.shutdown(socket.SHUT_WR)
        told = answer(connection)
    assert told.startswith("HTTP/1.1 200 ") and '"genuine"' in told


def test_who_sends_well_keeps_its_place(client: httpx.Client, story: Story) -> None:
    """Beside seven that are idle and a crowd that wants in: the picture that comes at a good rate is read."""
    data = picture(story) + bytes(400_000)
    with ExitStack() as held:
        good = begun(client, held, size=len(data))
        for _ in range(24):
            begun(client, held)
        for first in range(0, len(data), 50_000):
            good.sendall(data[first : first + 50_000])
            time.sleep(0.5)
        good.shutdown(socket.SHUT_WR)
        assert answer(good).startswith("HTTP/1.1 200 ")
