"""Claims about the HTTP server: whoever only holds connections open takes nobody's place."""

import contextlib
import socket
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import Queue

import httpx
import pytest
from starlette.middleware.exceptions import ExceptionMiddleware

from ledger import serving
from ledger.pace import Pace

CONNECTIONS = 210  # more than are served at once


async def _app(scope: object, receive: object, send: object) -> None:
    while (await receive()).get("more_body", False):  # type: ignore[operator]
        pass
    body = b"x" * (8 << 20) if scope["path"] == "/large" else b"here"  # type: ignore[index]
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": body})  # type: ignore[operator]


def _serve(where: "Queue[str]", request_s: float) -> None:
    serving.REQUEST_S, serving.ANSWER_S, serving.PACE = request_s, 2 * request_s, Pace(silence_s=1.0)
    listener = serving.listen("127.0.0.1", 0)
    serving.run(ExceptionMiddleware(_app), listener, ready=lambda: where.put(serving.shown(listener)))


@pytest.fixture
def address() -> Iterator[str]:
    """Where a server listens that waits for half a second."""
    with _serving(request_s=0.5) as shown:
        yield shown


@contextlib.contextmanager
def _serving(*, request_s: float) -> Iterator[str]:
    context = get_context("spawn")
    where: Queue[str] = context.Queue()
    process = context.Process(target=_serve, args=(where, request_s), daemon=True)
    process.start()
    try:
        yield where.get(timeout=30)
    finally:
        process.terminate()
        process.join(10)


def _connected(address: str, source: str = "127.0.0.1") -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20, source_address=(source, 0))


def _is_cut(connection: socket.socket) -> bool:
    """Whether nothing more comes but the end, now."""
    with contextlib.suppress(ConnectionResetError):
        connection.setblocking(False)
        try:
            while connection.recv(65_536):
                pass
        except BlockingIOError:
            return False
    return True


WAITING = [
    b"",
    b"GET / HTTP/1.1\r\nx: ",
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET ",
    b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n",
]


@pytest.mark.parametrize("said", WAITING)
def test_who_waits_is_cut_off(address: str, said: bytes) -> None:
    """Those that say nothing, half a request, another half, or do not read."""
    with _connected(address) as connection:
        connection.sendall(said)
        time.sleep(3)
        assert _is_cut(connection)


@pytest.mark.parametrize("said", [*WAITING, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12"])
def test_who_waits_makes_room_at_once(said: bytes) -> None:
    """For all the next ones: each takes the place of whoever is silent for longest."""
    with _serving(request_s=60) as address, contextlib.ExitStack() as stack:
        held = [stack.enter_context(_connected(address)) for _ in range(CONNECTIONS)]
        for connection in held:
            with contextlib.suppress(ConnectionError):
                connection.sendall(said)
        for timeout_s in (30, *[1] * 20):  # large answers are being made
            assert httpx.get(address, timeout=timeout_s).status_code == 200
        assert sum(map(_is_cut, held)) >= CONNECTIONS - serving.CONNECTIONS_MAX + 1


def test_who_has_most_connections_makes_room_for_others() -> None:
    """A crowd from one address does not cut off another that is silent for longer; a newer one of its own it does."""
    with _serving(request_s=60) as address, contextlib.ExitStack() as stack:
        other = stack.enter_context(_connected(address, "127.0.0.3"))
        crowd = [stack.enter_context(_connected(address, "127.0.0.2")) for _ in range(2 * CONNECTIONS)]
        assert httpx.get(address, timeout=1).status_code == 200
        assert not _is_cut(other) and _is_cut(crowd[0]) and not _is_cut(crowd[-1])


def test_whose_body_does_not_come_is_cut_off() -> None:
    """With a word that says why, long before an answer need be taken."""
    with _serving(request_s=60) as address, _connected(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12")
        assert connection.recv(12) == b"HTTP/1.1 408"
        while connection.recv(65_536):
            pass


def test_who_asks_on_is_not(address: str) -> None:
    """A connection on which requests come now and then stays the same."""
    with httpx.Client(base_url=address) as client:
        for _ in range(8):
            assert client.get("/").text == "here"
            time.sleep(0.3)
