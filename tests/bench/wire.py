"""MQTT 3.1.1 on a bare socket, as much as a load generator needs: it must never be the bottleneck.

Section numbers are those of the OASIS standard, MQTT Version 3.1.1.
"""

import asyncio
import struct
from collections.abc import Callable

_CONNECT, _PUBLISH_QOS1, _PUBACK, _SUBSCRIBE = 0x10, 0x32, 0x40, 0x82
Received = Callable[[bytes, bytes], None]


class Wire(asyncio.Protocol):
    """A connected client. `received(topic, payload)` is called for every message, from the event loop."""

    def __init__(self, received: Received) -> None:
        self._received = received
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._packet_id = 0
        self.connected = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()

    @classmethod
    async def open(cls, port: int, *, username: str, password: str, received: Received) -> "Wire":
        """Connect to the broker on loopback (3.1)."""
        _, wire = await asyncio.get_running_loop().create_connection(lambda: cls(received), "127.0.0.1", port)
        clean_with_user, keep_alive_s = 0b1100_0010, 0
        head = _text(b"MQTT") + bytes([4, clean_with_user]) + struct.pack(">H", keep_alive_s)
        names = (f"load-{username}", username, password)
        wire._write(_CONNECT, head + b"".join(_text(name.encode()) for name in names))
        await wire.connected
        return wire

    def subscribe(self, topic: str) -> None:
        """Subscribe at QoS 1 (3.8)."""
        self._write(_SUBSCRIBE, struct.pack(">H", self._next_id()) + _text(topic.encode()) + b"\x01")

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Publish at QoS 1 (3.3); what comes back is not awaited: receipts tell."""
        self._write(_PUBLISH_QOS1, _text(topic) + struct.pack(">H", self._next_id()) + payload)

    def close(self) -> None:
        """Go away without a word."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (taken := take_packet(self._buffer)) is not None:
            self._on_packet(*taken)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.connected.done():
            self.connected.set_exception(ConnectionError("the broker went away"))
        self.lost.set()

    def _on_packet(self, kind: int, body: bytes) -> None:
        if kind >> 4 == 2:  # CONNACK (3.2)
            if body[1]:
                self.connected.set_exception(ConnectionError(f"the broker refused us: {body[1]}"))
            else:
                self.connected.set_result(None)
        elif kind >> 4 == 3:
            length = struct.unpack_from(">H", body)[0]
            start = 2 + length
            if kind & 0b0110:
                self._write(_PUBACK, body[start : start + 2])
                start += 2
            self._received(body[2 : 2 + length], body[start:])

    def _write(self, kind: int, body: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(packet(kind, body))

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 65_535 + 1
        return self._packet_id


def take_packet(buffer: bytearray) -> tuple[int, bytes] | None:
    """Take one packet from the buffer's start, if it is whole: its first byte, and what follows its length (2.2)."""
    length, shift, at = 0, 0, 1
    while True:
        if at >= len(buffer):
            return None
        byte = buffer[at]
        length |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not byte & 0x80:
            break
    if len(buffer) < at + length:
        return None
    kind, body = buffer[0], bytes(buffer[at : at + length])
    del buffer[: at + length]
    return kind, body


def packet(kind: int, body: bytes) -> bytes:
    """A packet: its first byte, and what follows its length."""
    return bytes([kind]) + _length(len(body)) + body


def _text(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _length(value: int) -> bytes:
    """The remaining length (2.2.3)."""
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)
