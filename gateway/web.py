"""The gateway's own small HTTP server: `/live`, `/ready`, `/metrics`. In threads, so that it answers for a stuck loop.

`/live` fails where only a restart would help; `/ready` where the gateway does not do its work, and it says why not.
Nothing asked here changes anything. But `/metrics` names the devices and tells how often they report: the operator
says who may ask, by the address that it listens on.
"""

import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from gateway.address import Address
from gateway.metrics import Metrics
from gateway.record import Record
from ledger.errors import UserError

log = logging.getLogger("gateway")

REQUEST_S_MAX = 5.0
Answer = tuple[HTTPStatus, str, bytes]


@contextmanager
def serving(record: Record, address: Address) -> Iterator[int]:
    """Answer at `address` (port 0: any) while the block runs; gives the port. Raises UserError if it is taken."""
    try:
        server = _Server(address, Metrics(record), record)
    except OSError as error:
        host, port = address
        reason = error.strerror or str(error)
        raise UserError(f"cannot listen on {host}:{port}: {reason}", "name another address with --http") from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="http", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: Address, metrics: Metrics, record: Record) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.metrics, self.record = metrics, record
        super().__init__(address, _Handler)

    def answer(self, path: str, accept: str) -> Answer:
        now, record = time.monotonic(), self.record
        if path == "/metrics":
            body, content_type = self.metrics.encode(accept)
            return HTTPStatus.OK, content_type, body
        if path == "/live":
            return _verdict("live", record.why_not_live(now))
        if path == "/ready":
            states = {name: chain.state for name, chain in record.chains.items()}
            return _verdict("ready", record.why_not_ready(now), chains=states)
        return _json(HTTPStatus.NOT_FOUND, {"paths": ["/live", "/ready", "/metrics"]})

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # whoever asked has gone, or never did: no fault of ours
            log.exception("a request over HTTP: a fault of ours")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_S_MAX

    def do_GET(self) -> None:
        status, content_type, body = self.server.answer(urlsplit(self.path).path, self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def version_string(self) -> str:
        return "tallystick"

    def log_message(self, format: str, *args: Any) -> None:
        """A probe each few seconds is no news."""


def _verdict(name: str, why_not: list[str], **more: object) -> Answer:
    status = HTTPStatus.SERVICE_UNAVAILABLE if why_not else HTTPStatus.OK
    return _json(status, {name: not why_not, "why_not": why_not, **more})


def _json(status: HTTPStatus, body: dict[str, object]) -> Answer:
    return status, "application/json", json.dumps(body).encode() + b"\n"
