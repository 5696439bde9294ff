"""The broker, behind one small adapter over gmqtt: messages come in, publications go out.

Nothing here is relied on: a message that is lost, doubled or reordered is sent again by its agent, and a
publication that is lost is asked for again. So what is in the way is dropped, here as at the broker.

A chain has a connection of its own, so that one chain's flood holds up no other.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTError
from gmqtt.storage import PersistentStorage

from gateway.replies import Publication
from ledger.settings import BrokerAddress
from ledger.topic import BIRTHS, STATEMENTS

CONNECT_S_MAX = 10.0
GOODBYE_S_MAX = 1.0  # for what is still to be sent when a connection is closed: a broker may read no more
UNACKNOWLEDGED_MAX = 20_000  # publications that the broker has not taken yet; an MQTT packet id has 16 bits
NO_RECONNECT = -2  # gmqtt tries while it failed no more often than that; we connect anew ourselves
CLOSED = (OSError, MQTTError)  # what a connection ends with
_CLOSED_BY_BROKER = ConnectionResetError("the broker closed the connection, or sent what is no MQTT")

logging.getLogger("gmqtt").setLevel(logging.CRITICAL)  # it tells with a traceback what we tell in a line


class Intake:
    """A connection to the broker, subscribed to a chain."""

    def __init__(self, received: Callable[[str, bytes], None]) -> None:
        """`received(topic, payload)` is called for each message, in the event loop; what it raises ends it all."""
        self._waiting = PersistentStorage()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client = gmqtt.Client(None, persistent_storage=self._waiting)
        self._client.reconnect_retries = NO_RECONNECT

        def on_message(client: gmqtt.Client, topic: str | bytes, payload: bytes, *_: object) -> None:
            try:
                received(_text(topic), payload)
            except Exception as error:  # gmqtt would swallow it
                self._end(error)

        self._client.on_message = on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = lambda *_: self._end(_CLOSED_BY_BROKER)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, address: BrokerAddress, chain: str, received: Callable[[str, bytes], None]
    ) -> AsyncIterator["Intake"]:
        """Connected, and subscribed to the chain's statements and births. Raises one of CLOSED.

        What is published in the block is sent at its end, as far as the broker takes it within GOODBYE_S_MAX.
        """
        intake = cls(received)
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                await intake._open(address, [topics.format(chain=chain) for topics in (STATEMENTS, BIRTHS)])
            yield intake
        finally:
            intake._end(None)
            await intake._client.disconnect()

    async def closed(self) -> None:
        """Wait for the connection's end; raises what ended it."""
        await asyncio.shield(self._ended)

    async def lasts(self, seconds: float) -> bool:
        """Wait so long, or for the connection's end; whether it is still there."""
        ended, _ = await asyncio.wait([self._ended], timeout=seconds)
        return not ended

    def publish(self, publications: Sequence[Publication]) -> int:
        """Send all, at QoS 1; returns how many were dropped because the broker takes nothing. Agents ask again."""
        room = max(0, UNACKNOWLEDGED_MAX - len(self._waiting.get_all()))
        for item in publications[:room]:
            self._client.publish(item.topic, item.payload, qos=1, retain=item.retain)
        return len(publications[room:])

    async def _open(self, address: BrokerAddress, topics: Sequence[str]) -> None:
        if address.username is not None:
            self._client.set_auth_credentials(address.username, address.password)
        await self._before_the_end(self._client.connect(address.host, address.port, version=MQTTv311))
        connection: Any = self._client._connection  # there is no other way in
        protocol = connection._protocol
        connection._transport = protocol._transport = _Gathering(protocol._transport)
        # It stops reading without a word at what is no MQTT packet.
        protocol._read_loop_future.add_done_callback(lambda _: self._end(_CLOSED_BY_BROKER))
        self._client.subscribe([gmqtt.Subscription(topic, qos=1) for topic in topics])
        await self._before_the_end(self._subscribed)

    async def _before_the_end(self, step: Awaitable[None]) -> None:
        """Wait for `step`, or for what ends the connection before."""
        future = asyncio.ensure_future(step)
        try:
            await asyncio.wait([future, self._ended], return_when=asyncio.FIRST_COMPLETED)
            (self._ended if self._ended.done() else future).result()
        finally:
            future.cancel()

    def _on_subscribe(self, client: gmqtt.Client, mid: int, granted: Sequence[int], properties: object) -> None:
        if self._subscribed.done():
            return
        if any(code >= 128 for code in granted):
            self._subscribed.set_exception(PermissionError("the broker does not let this user read statements"))
        else:
            self._subscribed.set_result(None)

    def _end(self, error: Exception | None) -> None:
        if not self._ended.done():
            if error is None:
                self._ended.set_result(None)
            else:
                self._ended.set_exception(error)
                self._ended.exception()  # seen: whoever waits for `closed` is told, and nobody need wait


def _text(topic: str | bytes) -> str:
    """A topic that is not UTF-8 comes as bytes: it is nobody's, and is told of as what can be read of it."""
    return topic if isinstance(topic, str) else topic.decode("utf-8", "replace")


class _Gathering:
    """A transport that sends what is written within one turn of the loop at once, and that ends soon once it is closed.

    gmqtt acknowledges each message with a write of its own: a system call a message, and each gives the interpreter's
    lock to the thread that seals, to wait for it again. And it waits without a limit for the end, which an ordinary
    transport puts off until the other side has read everything.
    """

    def __init__(self, transport: Any) -> None:
        self._transport, self._parts = transport, list[bytes]()

    def write(self, data: bytes) -> None:
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()
        asyncio.get_running_loop().call_later(GOODBYE_S_MAX, self._transport.abort)

    def _flush(self) -> None:
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
