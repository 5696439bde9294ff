"""A relay before the broker that acknowledges messages and drops them, doubles them, and lets others overtake them.

Only PUBLISH packets are touched (OASIS, MQTT Version 3.1.1, 3.3), in both directions.
"""

import asyncio
import random
import struct
from dataclasses import dataclass, field

from tests.bench.wire import packet, take_packet
from tests.faults.relay import Link, Relay, write

_PUBLISH, _PUBACK = 3, 0x40
_QOS, _DUP = 0b0110, 0b1000


@dataclass
class Manners:
    """How likely it is that a message is dropped, doubled or held back; `held_s` is how long at most."""

    drop: float = 0.0
    double: float = 0.0
    hold: float = 0.0
    held_s: float = 0.3
    done: dict[str, int] = field(default_factory=lambda: {"dropped": 0, "doubled": 0, "held": 0})


HONEST = Manners()


class Mangler(Relay):
    """Passes everything on as it came, until it gets other manners."""

    def __init__(self, port: int, rng: random.Random) -> None:
        super().__init__(
            lambda: asyncio.open_connection("127.0.0.1", port), lambda client, server: _Talk(self, client, server)
        )
        self.manners, self.rng = HONEST, rng


class _Talk(Link):
    def __init__(self, mangler: Mangler, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        super().__init__(client, server)
        self._mangler = mangler
        self._buffers = {id(client): bytearray(), id(server): bytearray()}

    def up(self, data: bytes) -> None:
        self._pass(data, self.client, self.server)

    def down(self, data: bytes) -> None:
        self._pass(data, self.server, self.client)

    def _pass(self, data: bytes, source: asyncio.StreamWriter, to: asyncio.StreamWriter) -> None:
        buffer = self._buffers[id(source)]
        buffer += data
        while (taken := take_packet(buffer)) is not None:
            kind, body = taken
            if kind >> 4 == _PUBLISH:
                self._mangle(kind, body, source, to)
            else:
                write(to, packet(kind, body))

    def _mangle(self, kind: int, body: bytes, source: asyncio.StreamWriter, to: asyncio.StreamWriter) -> None:
        manners, throw = self._mangler.manners, self._mangler.rng.random()
        if (throw := throw - manners.drop) < 0:
            manners.done["dropped"] += 1
            if kind & _QOS:
                write(source, packet(_PUBACK, _packet_id(body)))
        elif (throw := throw - manners.double) < 0:
            manners.done["doubled"] += 1
            write(to, packet(kind, body) + packet(*_once(kind, body)))
        elif throw - manners.hold < 0:
            manners.done["held"] += 1
            held_s = self._mangler.rng.random() * manners.held_s
            asyncio.get_running_loop().call_later(held_s, write, to, packet(kind, body))
        else:
            write(to, packet(kind, body))


def _packet_id(body: bytes) -> bytes:
    start = 2 + int(struct.unpack_from(">H", body)[0])
    return body[start : start + 2]


def _once(kind: int, body: bytes) -> tuple[int, bytes]:
    """The same message at QoS 0, which has no packet identifier: nobody acknowledges it."""
    if not kind & _QOS:
        return kind, body
    start = 2 + int(struct.unpack_from(">H", body)[0])
    return kind & ~(_QOS | _DUP), body[:start] + body[start + 2 :]
