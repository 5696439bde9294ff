"""Claims about the HTTP server: whoever only holds connections open takes nobody's place for long."""

import contextlib
import socket
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import Queue

import httpx
import pytest

from ledger import serving

CONNECTIONS = 210  # more than are served at once


async def _app(scope: object, receive: object, send: object) -> None:
    while (await receive()).get("more_body", False):  # type: ignore[operator]
        pass
    body = b"x" * (8 << 20) if scope["path"] == "/large" else b"here"  # type: ignore[index]
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": body})  # type: ignore[operator]


def _serve(where: "Queue[str]", answer_s: float) -> None:
    serving.REQUEST_S, serving.BODY_S, serving.ANSWER_S = 0.5, 1.0, answer_s
    listener = serving.listen("127.0.0.1", 0)
    serving.run(_app, listener, ready=lambda: where.put(serving.shown(listener)))


@pytest.fixture
def address() -> Iterator[str]:
    """Where a server listens that waits for half a second."""
    with _serving(answer_s=1.0) as shown:
        yield shown


@contextlib.contextmanager
def _serving(*, answer_s: float) -> Iterator[str]:
    context = get_context("spawn")
    where: Queue[str] = context.Queue()
    process = context.Process(target=_serve, args=(where, answer_s), daemon=True)
    process.start()
    try:
        yield where.get(timeout=30)
    finally:
        process.terminate()
        process.join(10)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\nx: ",
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET ",
        b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n",
    ],
)
def test_who_waits_is_cut_off(address: str, said: bytes) -> None:
    """Those that say nothing, half a request, another half, or do not read: the next one is served all the same."""
    host, port = address.removeprefix("http://").split(":")
    held = [socket.create_connection((host, int(port))) for _ in range(CONNECTIONS)]
    for connection in held:
        connection.sendall(said)
    end, status = time.monotonic() + 20, 0
    while status != 200 and time.monotonic() < end:
        time.sleep(0.2)
        with contextlib.suppress(httpx.TimeoutException):
            status = httpx.get(address).status_code
    assert status == 200
    for connection in held:
        connection.close()


def test_whose_body_does_not_come_is_cut_off() -> None:
    """Long before an answer need be taken."""
    with _serving(answer_s=60.0) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12")
            assert connection.recv(1) == b""


def test_who_asks_on_is_not(address: str) -> None:
    """A connection on which requests come now and then stays the same."""
    with httpx.Client(base_url=address) as client:
        for _ in range(8):
            assert client.get("/").text == "here"
            time.sleep(0.3)
