"""A broker that does what no real one does: it says what a test gives it, and may read no more.

Section numbers are those of the OASIS standard, MQTT Version 3.1.1.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger.settings import BrokerAddress
from tests.bench.wire import packet, take_packet

CONNACK, PUBLISH_QOS0, SUBACK, DISCONNECT = 0x20, 0x30, 0x90, 0xE0
_CONNECT, _PUBLISH, _SUBSCRIBE = 1, 3, 8
_BUFFER = 4096  # small: what is written to a broker that reads no more soon waits at the writer's side


class FakeBroker:
    """Lets everyone in, and acknowledges no publication. `heard` has all kinds of packet that came (2.2.1)."""

    def __init__(self, says: bytes, *, reads_on: bool) -> None:
        self._says, self._reads_on = says, reads_on
        self._writers: list[asyncio.StreamWriter] = []
        self.heard, self.connected, self.ended = list[int](), 0, asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def listening(
        cls, *, says: bytes = b"", reads_on: bool = True
    ) -> AsyncIterator[tuple["FakeBroker", BrokerAddress]]:
        """Listens in the block. To whoever subscribes it says `says`; from then on it reads, or does not."""
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            listener.bind(("127.0.0.1", 0))
            broker = cls(says, reads_on=reads_on)
            server = await asyncio.start_server(broker._serve, sock=listener, limit=_BUFFER)
            try:
                yield broker, BrokerAddress("127.0.0.1", listener.getsockname()[1], None, None)
            finally:
                server.close()
                for writer in broker._writers:
                    writer.transport.abort()

    def published(self) -> int:
        """How many publications came."""
        return sum(kind >> 4 == _PUBLISH for kind in self.heard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connected += 1
        buffer = bytearray()
        while data := await reader.read(_BUFFER):
            buffer += data
            while (taken := take_packet(buffer)) is not None:
                kind, body = taken
                self.heard.append(kind)
                if kind >> 4 == _CONNECT:
                    writer.write(packet(CONNACK, bytes(2)))
                elif kind >> 4 == _SUBSCRIBE:
                    writer.write(packet(SUBACK, body[:2] + b"\x01\x01") + self._says)
                    if not self._reads_on:
                        await asyncio.Event().wait()  # until the loop ends
        self.ended.set()
        writer.close()


def publish(topic: bytes, payload: bytes) -> bytes:
    """A publication at QoS 0 (3.3), whatever its topic is made of."""
    return packet(PUBLISH_QOS0, len(topic).to_bytes(2) + topic + payload)
