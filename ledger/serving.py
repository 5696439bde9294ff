"""Running an HTTP server on a socket of ours."""

import socket
from asyncio import Transport
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ledger.errors import UserError

_CONNECTIONS_MAX = 200
_HEAD_BYTES_MAX = 16 * 1024
REQUEST_S, BODY_S, ANSWER_S = 15.0, 75.0, 300.0


class _Impatient(H11Protocol):
    """A connection that is cut if no request comes whole, its body included, or its answer is not taken: else few idle
    ones are all.
    """

    _answering: RequestResponseCycle | None = None
    _periods = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(REQUEST_S, self._look)

    def _look(self) -> None:
        """Cut it if nothing has become of it since the last look; the cycle is the newest request and its answer."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        self._periods = self._periods + 1 if cycle is self._answering else 0
        self._answering = cycle
        is_waiting = cycle is None or cycle.response_complete
        most_s = BODY_S if cycle is not None and cycle.more_body else ANSWER_S
        if (cycle is None or self._periods) and (is_waiting or self._periods * REQUEST_S >= most_s):
            self.transport.abort()
        else:
            self.loop.call_later(REQUEST_S, self._look)


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
        http=_Impatient,
    )
    _Server(config, ready).run(sockets=[listener])
