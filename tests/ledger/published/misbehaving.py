"""A real HTTP server that misbehaves as it is told: for tests of who reads from it."""

import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ledger.published.reader import NotPublishedError, Reader

Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request: answered as the server was told for its path, by default with 404."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        """Answer, or not."""
        path = self.path.lstrip("/")
        self.server.asked.append((path, self.headers.get("authorization")))
        with suppress(ConnectionError):
            self.server.behaviours.get(path, self.server.otherwise)(self)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""

    def send(self, body: bytes, *, status: int = 200, kind: str = "application/octet-stream", **headers: str) -> None:
        """A whole answer; `content_encoding="gzip"` is a header."""
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Listens on a free loopback port until it is closed."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours: dict[str, Behaviour] = {}
        self.otherwise: Behaviour = answer(b"no", status=404)
        self.asked: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        """The URL below which it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes is no fault."""


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """Let a server serve, in a thread of its own."""
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving() -> Iterator[Server]:
    """A server of this kind, serving."""
    server = Server()
    with running(server):
        yield server


# Behaviours


def answer(body: bytes, *, status: int = 200, kind: str = "application/octet-stream", **headers: str) -> Behaviour:
    """A plain answer."""
    return lambda handler: handler.send(body, status=status, kind=kind, **headers)


def publishing(reader: Reader) -> Behaviour:
    """What a reader has."""

    def behave(handler: Handler) -> None:
        try:
            handler.send(reader.read(handler.path.lstrip("/")))
        except NotPublishedError:
            handler.send(b"", status=404)

    return behave


def first(times: int, bad: Behaviour, then: Behaviour) -> Behaviour:
    """Bad so many times, then good."""
    left = [bad] * times
    return lambda handler: (left.pop() if left else then)(handler)


def redirect(location: str, status: int = 302) -> Behaviour:
    """Somewhere else."""
    return answer(b"", status=status, location=location)


def silent(handler: Handler) -> None:
    """Takes the request and never says a word."""
    time.sleep(30)


def hangs_up(handler: Handler) -> None:
    """Ends the connection without an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def cut_off(handler: Handler) -> None:
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half")
    handler.wfile.flush()
    hangs_up(handler)


def drips_body(handler: Handler) -> None:
    """A byte every twentieth of a second, without end."""
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"1\r\nx\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


def drips_headers(handler: Handler) -> None:
    """Never comes to the end of its headers."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"x-more: more\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


def endless(handler: Handler) -> None:
    """Sends as fast as it can, for ever."""
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    piece = b"10000\r\n" + bytes(65_536) + b"\r\n"
    while True:
        handler.wfile.write(piece)


def bomb(handler: Handler) -> None:
    """Zeros, 256 MiB of them in a quarter of one of gzip."""
    handler.send(_bomb(), content_encoding="gzip")


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()


def lay_bomb() -> None:
    """Make it, which takes a while."""
    _bomb()
