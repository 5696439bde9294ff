"""Running an HTTP server on a socket of ours."""

import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from ledger.errors import UserError

_CONNECTIONS_MAX = 200
_HEAD_BYTES_MAX = 16 * 1024


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def listen(address: str, port: int) -> socket.socket:
    """A listening socket; UserError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=128)
    except OSError as error:
        raise UserError(
            f"cannot listen on {address}, port {port}: {error.strerror or error}",
            "name another one with --bind or --port",
        ) from error


def shown(listener: socket.socket) -> str:
    """The address of a listening socket, as one writes it into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: Any, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT. Only warnings are logged: what is read is nobody's business."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        limit_concurrency=_CONNECTIONS_MAX,
        h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
        http="h11",
    )
    _Server(config, ready).run(sockets=[listener])
