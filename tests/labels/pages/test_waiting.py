"""Pictures that come, wait and are read: nobody's silence and nobody's number keeps others out."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from labels.pages.waiting import NoRoom, Room, Turns, last_of_most, next_turn
from tests.labels.crowd import crowd
from tests.labels.reading.pictures import encoded, label
from tests.labels.serving import client_of
from tests.labels.story import Story


def test_turns_are_in_the_order_of_coming_and_of_whom_has_fewest() -> None:
    """Of one network so many at once; where none may, nobody's turn is next."""
    assert next_turn(["a", "b"], Counter(), 2) == 0
    assert next_turn(["a", "a", "b"], Counter(a=1), 2) == 2
    assert next_turn(["a", "b"], Counter(a=2, b=1), 2) == 1
    assert next_turn(["a", "a"], Counter(a=2), 2) is None and next_turn([], Counter(), 2) is None


def test_who_came_last_of_those_that_are_most_goes() -> None:
    """Not who came last of all."""
    assert last_of_most(["a", "b", "a", "c"]) == 2 and last_of_most(["a"]) == 0


def test_a_crowd_waits_behind_others_and_some_of_it_is_sent_away() -> None:
    """Of ten of one network two are inside, and six wait; one of another is inside at once, the next one waits."""

    async def run() -> None:
        turns, order = Turns(3, 2, 6, 5), list[str]()

        async def come(network: str) -> None:
            async with turns.turn(network):
                order.append(network)
                await asyncio.sleep(0.1)

        many = [asyncio.create_task(come("many")) for _ in range(10)]
        await asyncio.sleep(0.01)
        assert [isinstance(one.exception(), NoRoom) for one in many if one.done()] == [True] * 2
        others = [asyncio.create_task(come(name)) for name in ("b", "c")]
        await asyncio.sleep(0.01)
        assert order == ["many", "many", "b"]
        await asyncio.gather(*others)
        assert order[3] == "c"
        told = await asyncio.gather(*many, return_exceptions=True)
        assert Counter(order)["many"] == 7 and sum(isinstance(one, NoRoom) for one in told) == 3

    asyncio.run(run())


def test_whose_turn_does_not_come_in_time_leaves_no_trace() -> None:
    """It is told so; also one that goes by itself leaves its place to the next."""

    async def run() -> None:
        turns = Turns(1, 1, 6, 0.1)
        async with turns.turn("a"):
            with pytest.raises(NoRoom):
                await turns.turn("b").__aenter__()
            gone = asyncio.create_task(turns.turn("b").__aenter__())
            await asyncio.sleep(0)
            gone.cancel()
        async with turns.turn("c"):
            pass

    asyncio.run(run())


def _sends(client: str, pieces: "asyncio.Queue[bytes]") -> Request:
    async def receive() -> Message:
        piece = await pieces.get()
        return {"type": "http.request", "body": piece, "more_body": piece != b""}

    return Request({"type": "http", "client": (client, 1), "headers": []}, receive)


def test_over_the_bytes_for_all_who_has_most_is_cut_off() -> None:
    """Of the network whose pictures weigh most, whoever is silent for longest; one who said nothing weighs nothing."""

    async def run() -> None:
        room, told = Room(100, 100), dict[str, str]()

        async def send(name: str, client: str, pieces: "asyncio.Queue[bytes]") -> None:
            request = _sends(client, pieces)
            try:
                async with room.holding(request) as held, room.receiving(request, held) as heard:
                    told[name] = str(len(await heard.body()))
            except NoRoom:
                told[name] = "cut off"

        names = {"silent": "a", "early": "a", "late": "a", "other": "b"}
        queues = {name: asyncio.Queue[bytes]() for name in names}
        async with asyncio.TaskGroup() as group:
            for name, client in names.items():
                group.create_task(send(name, client, queues[name]))
            for name, size in (("other", 45), ("early", 25), ("late", 25), ("other", 10)):
                await asyncio.sleep(0.01)
                queues[name].put_nowait(bytes(size))
            await asyncio.sleep(0.01)
            assert told == {"other": "cut off"}, "it has 55, the others 50"
            for name in ("early", "late"):
                queues[name].put_nowait(bytes(30))
                await asyncio.sleep(0.01)
            assert told.pop("early") == "cut off"
            for queue in queues.values():
                queue.put_nowait(b"")
        assert told == {"other": "cut off", "late": "55", "silent": "0"}

    asyncio.run(run())


def test_who_is_cut_off_and_says_one_more_thing_is_not_chosen_again() -> None:
    """That piece was on its way: it weighs nothing, and does no harm to the next one, for whom there is room."""

    async def run() -> None:
        room, queues = Room(100, 100), {name: asyncio.Queue[bytes]() for name in "abc"}

        async def send(client: str) -> int:
            request = _sends(client, queues[client])
            async with room.holding(request) as held, room.receiving(request, held) as heard:
                return len(await heard.body())

        a, b, c = (asyncio.create_task(send(client)) for client in "abc")
        queues["b"].put_nowait(bytes(60))
        await asyncio.sleep(0.01)
        queues["a"].put_nowait(bytes(45))  # which cuts off the other
        queues["b"].put_nowait(bytes(50))
        await asyncio.sleep(0)
        queues["c"].put_nowait(bytes(50))
        for client in "ac":
            queues[client].put_nowait(b"")
        first, cut_off, last = await asyncio.gather(a, b, c, return_exceptions=True)
        assert (first, last) == (45, 50) and isinstance(cut_off, NoRoom)

    asyncio.run(run())


def test_nothing_is_kept_of_who_was_there() -> None:
    """However many networks come and go: there are 2**64 of them."""

    async def run() -> None:
        turns = Turns(3, 2, 6, 5)
        async with turns.turn("here"):
            for number in range(9):
                async with turns.turn(str(number)):
                    pass
            assert turns._inside == {"here": 1}

    asyncio.run(run())


def test_one_network_does_not_fill_the_room_with_what_is_whole() -> None:
    """Its next picture is cut off, though there is room for all; another network's is taken."""

    async def run() -> None:
        room = Room(100, 50)

        async def send(client: str, *sizes: int) -> int:
            pieces = asyncio.Queue[bytes]()
            for size in sizes:
                pieces.put_nowait(bytes(size))
            request = _sends(client, pieces)
            held = await stack.enter_async_context(room.holding(request))
            async with room.receiving(request, held) as heard:
                return len(await heard.body())

        async with AsyncExitStack() as stack:
            assert await send("a", 45, 0) == 45
            with pytest.raises(NoRoom):
                await send("a", 10)  # and more is to come
            assert await send("b", 50, 0) == 50

    asyncio.run(run())


def test_what_is_whole_is_kept_and_counts_until_it_is_read() -> None:
    """Then who is still sending is cut off, though its network has less."""

    async def run() -> None:
        room, pieces = Room(100, 100), asyncio.Queue[bytes]()
        async with AsyncExitStack() as stack:
            request = _sends("a", pieces)
            held = await stack.enter_async_context(room.holding(request))
            for piece in (bytes(90), b""):
                pieces.put_nowait(piece)
            async with room.receiving(request, held) as heard:
                assert len(await heard.body()) == 90
            pieces.put_nowait(bytes(20))
            other = _sends("b", pieces)
            with pytest.raises(NoRoom):
                async with room.holding(other) as late, room.receiving(other, late) as heard:
                    await heard.body()
        pieces.put_nowait(bytes(20))
        pieces.put_nowait(b"")
        async with room.holding(other) as late, room.receiving(other, late) as heard:
            assert len(await heard.body()) == 20

    asyncio.run(run())


@pytest.fixture(scope="module")
def client(story: Story) -> Iterator[httpx.Client]:
    """A client of a service over the told story."""
    with client_of(story) as client:
        yield client


def begun(client: httpx.Client, held: ExitStack, *, size: int = 100_000, body: bytes = b"") -> socket.socket:
    """A connection on which a picture's upload has begun."""
    address = urlsplit(str(client.base_url))
    connection = held.enter_context(socket.create_connection((address.hostname or "", address.port or 0), timeout=30))
    connection.sendall(_head(size) + body)
    return connection


def _head(size: int) -> bytes:
    return f"POST /read HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nContent-Length: {size}\r\n\r\n".encode()


def answer(connection: socket.socket) -> str:
    """All that a connection says until it is closed."""
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces).decode()


def picture(story: Story, number: int = 0) -> bytes:
    """A picture of a label."""
    return encoded(label(story.labels[number].link("id.example.com")))


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
def test_idle_uploads_keep_nobody_out(client: httpx.Client, story: Story, source: str) -> None:
    """Sixty that have begun and say no more, and come again: each picture is read, as if there were none of them."""
    with crowd(str(client.base_url), _head(100_000) + b"x" * 1000, size=60, source=source):
        for _ in range(3):
            began = time.monotonic()
            told = client.post("/read", content=picture(story), headers={"accept": "application/json"})
            assert told.status_code == 200 and told.json()["codes"][0]["verdict"] == "genuine"
            assert time.monotonic() - began < 5


def test_who_falls_silent_is_cut_off(client: httpx.Client) -> None:
    """After some seconds without a byte, with an answer that says so; though nobody waits."""
    with ExitStack() as held:
        began = time.monotonic()
        told = answer(begun(client, held, body=b"x" * 50_000))
        assert told.startswith("HTTP/1.1 408 ") and "paste the link" in told and "connection: close" in told
        assert 4 < time.monotonic() - began < 10


def test_a_form_that_falls_silent_is_told_so(client: httpx.Client) -> None:
    """It is not taken for one that is cut short; nor is another body than a picture's waited for any longer."""
    form = b'--x\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n'
    for path, kind in (("/read", b"multipart/form-data; boundary=x"), ("/redeem", b"application/json")):
        with ExitStack() as held:
            address = urlsplit(str(client.base_url))
            connection = held.enter_context(socket.create_connection((address.hostname, address.port), timeout=30))
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\nContent-Type: ".encode() + kind
            began = time.monotonic()
            connection.sendall(head + b"\r\n\r\n" + form)
            told = answer(connection)
            assert told.startswith("HTTP/1.1 408 ") and "It came too slowly, or stopped coming." in told
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
    """Pieces of a picture over eight seconds, with silences of one, beside a crowd that says nothing: it is read."""
    data = picture(story)
    data += bytes(80_000 - len(data))  # what comes after a PNG's end is nothing of it
    with crowd(str(client.base_url), _head(100_000), size=60, source="127.0.0.1"), ExitStack() as held:
        connection = begun(client, held, size=len(data))
        for first in range(0, len(data), 10_000):
            connection.sendall(data[first : first + 10_000])
            time.sleep(1)
        connection.shutdown(socket.SHUT_WR)
        told = answer(connection)
    assert told.startswith("HTTP/1.1 200 ") and '"genuine"' in told
