"""The broker, behind one small adapter over aiomqtt: messages come in, publications go out.

Nothing here is relied on: a message that is lost, doubled or reordered is sent again by its agent, and a
publication that is lost is asked for again. So a full queue drops, and a failed publication is only counted.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiomqtt

from gateway.replies import Publication
from gateway.sift import Incoming
from ledger.errors import MalformedError
from ledger.settings import BrokerAddress
from ledger.topic import BIRTHS, STATEMENTS, Topic

CLOSED = (aiomqtt.MqttError,)


class Intake:
    """A connection to the broker."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: BrokerAddress, chains: Sequence[str]) -> AsyncIterator["Intake"]:
        """Connected and subscribed to the chains' statements and births. Raises aiomqtt.MqttError."""
        client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            protocol=aiomqtt.ProtocolVersion.V311,
            max_queued_outgoing_messages=0,
        )
        client.pending_calls_threshold = 10_000  # it only warns
        async with client:
            for chain in chains:
                for topics in (STATEMENTS, BIRTHS):
                    await client.subscribe(topics.format(chain=chain), qos=1)
            yield cls(client)

    async def read(self, hand_on: Callable[[Incoming], None], refuse: Callable[[str, bytes], None]) -> None:
        """Hand every message on until the connection ends. Never cancelled between two messages."""
        async for message in self._client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            try:
                topic, what = Topic.parse(str(message.topic))
            except MalformedError:
                refuse(str(message.topic), payload)
            else:
                hand_on(Incoming(topic, what, payload, time.monotonic()))

    async def publish(self, publications: Sequence[Publication]) -> list[BaseException]:
        """Publish all, at once; returns what failed: a broker that is gone gets nothing, and agents ask again."""
        sends = [self._client.publish(item.topic, item.payload, qos=1, retain=item.retain) for item in publications]
        return [result for result in await asyncio.gather(*sends, return_exceptions=True) if result is not None]
