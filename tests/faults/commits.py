"""A relay before PostgreSQL that cuts a session at its COMMIT: so the client cannot know whether it took hold.

It reads as much of the wire protocol (PostgreSQL's manual, "Message Formats") as it takes to see where a message
ends, that rows were copied, and that a transaction is to be committed, by a simple query or by Parse.
"""

import asyncio
import enum
import random
import struct
from collections import deque
from collections.abc import Callable
from pathlib import Path

from tests.faults.relay import Link, Relay, write

COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
_LATE_S = 1.5


class Cut(enum.StrEnum):
    """Where a session is cut."""

    BEFORE = "before"  # COMMIT does not reach the server
    AFTER = "after"  # the server has committed, its answer does not come
    BETWEEN = "between"  # sent, and cut at once: either may be
    LATE = "late"  # the client is cut; the server hears COMMIT only when the client is back


class CommitCutter(Relay):
    """Passes everything on, but cuts as often as it was told to. Only transactions that copied rows count."""

    def __init__(self, socket: Path) -> None:
        super().__init__(
            lambda: asyncio.open_unix_connection(str(socket)), lambda client, server: _Session(self, client, server)
        )
        self.orders: deque[Cut] = deque()
        self.cuts: list[Cut] = []
        self.kept: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[], None]] = []

    def order(self, cut: Cut, times: int = 1) -> None:
        """Cut the next `times` commits."""
        self.orders.extend([cut] * times)

    def at_commit(self, act: Callable[[], None], within_s: float) -> None:
        """At the next commit let it pass, and `act` at a random moment up to `within_s` later."""
        self._listeners.append(lambda: _later(random.random() * within_s, act))

    def on_commit(self) -> None:
        """Rows are about to be committed."""
        listeners, self._listeners = self._listeners, []
        for act in listeners:
            act()


def _later(seconds: float, act: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, act)


class _Session(Link):
    def __init__(self, cutter: CommitCutter, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        super().__init__(client, server)
        self._cutter = cutter
        self._buffer = bytearray()
        self._began = False
        self._copied = False
        self._cut: Cut | None = None

    def up(self, data: bytes) -> None:
        self._buffer += data
        while self._cut in (None, Cut.AFTER) and (message := self._take()):
            if self._commits(message):
                self._cut = self._cutter.orders.popleft()
                self._cutter.cuts.append(self._cut)
                self._at_commit(message)
            else:
                write(self.server, message)

    def down(self, data: bytes) -> None:
        if self._cut is Cut.AFTER and COMMITTED in data:
            self.cut()
        elif self._cut is not Cut.LATE:
            write(self.client, data)

    def _commits(self, message: bytes) -> bool:
        """Whether this message commits rows, and is to be cut."""
        self._copied |= message[:1] == b"d"
        if not _is_commit(message):
            return False
        copied, self._copied = self._copied, False
        if copied:
            self._cutter.on_commit()
        return copied and bool(self._cutter.orders)

    def _at_commit(self, message: bytes) -> None:
        if self._cut is Cut.BEFORE:
            self.cut()
        elif self._cut is Cut.LATE:
            self.keeps_server = True
            late = asyncio.ensure_future(self._commit_late(message + bytes(self._buffer)))
            self._cutter.kept.add(late)
            late.add_done_callback(self._cutter.kept.discard)
            self.client.transport.abort()
        else:
            write(self.server, message)
            if self._cut is Cut.BETWEEN:
                write(self.server, bytes(self._buffer))
                self.server.close()  # what was written still goes out
                self.client.transport.abort()

    async def _commit_late(self, message: bytes) -> None:
        await asyncio.sleep(_LATE_S)
        write(self.server, message)
        await asyncio.sleep(0.2)
        self.server.close()

    def _take(self) -> bytes:
        """One whole message from the client, or nothing. The first has no type before its length."""
        head = 1 if self._began else 0
        if len(self._buffer) < head + 4:
            return b""
        end = head + struct.unpack_from(">I", self._buffer, head)[0]
        if len(self._buffer) < end:
            return b""
        message = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._began = True
        return message


def _is_commit(message: bytes) -> bool:
    """A Query, or a Parse (a name, then the query), of COMMIT."""
    kind, body = message[:1], message[5:]
    query = body if kind == b"Q" else body.partition(b"\0")[2] if kind == b"P" else b""
    return query[:6].upper() == b"COMMIT"
