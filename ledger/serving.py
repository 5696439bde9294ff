"""Running an HTTP server on a socket of ours."""

import asyncio
import socket
from asyncio import Transport
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from starlette.exceptions import HTTPException
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ledger.errors import UserError
from ledger.pace import Pace, Sent, network, who_leaves

CONNECTIONS_MAX = 200
REQUEST_S, ANSWER_S = 15.0, 300.0
PACE = Pace()
_HEAD_BYTES_MAX = 16 * 1024
_BACKLOG = 1024
_LET_IN_AT_ONCE = 32  # a few of all, so that each is heard before it may have to make room

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]


class _Connection(H11Protocol):
    """A connection that is cut if no request comes whole, or its answer is not taken; earlier, if others come.

    Where all places are taken a new one takes that of another whose client is waited for (`who_leaves`).
    """

    size = 1
    heard_s = 0.0
    network = ""
    _answering: RequestResponseCycle | None = None
    _periods = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        self.heard_s = self.loop.time()
        if len(self.connections) >= CONNECTIONS_MAX:
            self._make_room()
        super().connection_made(transport)
        self.network = network(self.client[0] if self.client else "")
        self.loop.call_later(REQUEST_S, self._look)

    def data_received(self, data: bytes) -> None:
        self.heard_s = self.loop.time()
        super().data_received(data)

    def resume_writing(self) -> None:
        self.heard_s = self.loop.time()
        super().resume_writing()

    @property
    def is_awaited(self) -> bool:
        """Whether it is the client's turn: to ask, to send the rest, or to take what it asked for."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def _make_room(self) -> None:
        """If nobody is waited for, there is no room: the new one will be told so (`limit_concurrency`)."""
        leaver = who_leaves(one for one in self.connections if isinstance(one, _Connection))
        if leaver is not None:
            self.connections.discard(leaver)  # now: before it hears of it others may come
            leaver.transport.abort()

    def _look(self) -> None:
        """Cut it if nothing has become of it since the last look; the cycle is the newest request and its answer."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        self._periods = self._periods + 1 if cycle is self._answering else 0
        self._answering = cycle
        is_waiting = cycle is None or cycle.response_complete
        if (cycle is None or self._periods) and (is_waiting or self._periods * REQUEST_S >= ANSWER_S):
            self.transport.abort()
        else:
            self.loop.call_later(REQUEST_S, self._look)


class TooSlow(HTTPException):
    """A body does not come at the pace."""

    def __init__(self) -> None:
        super().__init__(408, "It came too slowly, or stopped coming.", {"connection": "close"})


class _Body:
    """A request's body, which has to come at a pace."""

    def __init__(self, receive: _Receive) -> None:
        self._receive = receive
        self._sent: Sent | None = None
        self._is_whole = False

    async def receive(self) -> _Message:
        """The next message; raises TooSlow."""
        if self._is_whole:  # what is waited for now is that the client hangs up
            return await self._receive()
        clock = asyncio.get_running_loop().time
        sent = self._sent or Sent(clock(), clock())
        try:
            async with asyncio.timeout_at(sent.deadline_s(PACE)):
                message = await self._receive()
        except TimeoutError as error:
            raise TooSlow from error
        self._sent = sent.and_piece(len(message.get("body", b"")), clock())
        self._is_whole = not message.get("more_body", False)
        return message


def _paced(app: Any) -> Any:
    """An application to which bodies come at a pace, but for those that nobody reads."""

    async def paced(scope: _Message, receive: _Receive, send: Any) -> None:
        reads = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD")
        await app(scope, _Body(receive).receive if reads else receive, send)

    return paced


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)  # uvicorn has had as few wait outside as are let in at once
        if self.started:
            self._ready()


def listen(address: str, port: int) -> socket.socket:
    """A listening socket; UserError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=_BACKLOG)
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
        _paced(app),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        backlog=_LET_IN_AT_ONCE,
        limit_concurrency=2 * CONNECTIONS_MAX,  # it counts also what goes on for those that are cut
        h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
        http=_Connection,
    )
    _Server(config, ready).run(sockets=[listener])
