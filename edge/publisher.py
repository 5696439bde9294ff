"""The MQTT client, behind a narrow door: MQTT 3.1.1, QoS 1, and nothing that a broker has to keep for us.

paho's thread only puts what happened into a queue; whoever owns the agent takes it out. A PUBACK says nothing that
we rely on. paho reconnects by itself; a broker that stops answering is noticed by the keep-alive.
"""

import random
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ledger.receipt import ANSWER_BYTES_MAX

KEEPALIVE_S = 30
RECONNECT_MOST_S = 30
ARRIVED_MAX = 1_000  # unread messages; more are dropped, and asked for again
_REFUSED = 0x80  # a SUBACK's failure (MQTT 3.1.1, 3.9.3)


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker is there, and the subscriptions stand."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The broker is not there, or does not let us in; paho tries again."""

    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came."""

    topic: str
    payload: bytes


_HINT_UNREACHABLE = "is it up? its address is in [broker] of config.toml"
_HINT_SUBSCRIBE = "its operator lets a device read its own topics only: the username must be the device's name"
_HINT_REFUSED = (
    "see username and password_file in [broker] of config.toml; at 'tallystick up' the operator makes a new password"
    " with 'tallystick broker-user'"
)

Happening = Connected | Lost | Arrived


class Post(Protocol):
    """What the agent sends by."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message over; False if it was not taken, and is to be tried again."""


class Publisher:
    """A connection that is kept up from `start` to `stop`. `room` bounds the messages that paho holds."""

    def __init__(
        self,
        *,
        client_id: str,
        host: str,
        port: int,
        username: str | None,
        password: str | None,
        subscriptions: tuple[str, ...],
        room: int,
    ) -> None:
        self._address = host, port
        self._subscriptions = subscriptions
        self._queue: SimpleQueue[Happening] = SimpleQueue()
        self._is_refused = False  # paho's thread only
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True, protocol=mqtt.MQTTv311
        )
        if username is not None:
            client.username_pw_set(username, password)
        client.max_inflight_messages_set(room)
        client.max_queued_messages_set(room)
        client.reconnect_delay_set(min_delay=1, max_delay=random.randint(RECONNECT_MOST_S // 2, RECONNECT_MOST_S))  # noqa: S311
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._client = client

    def start(self) -> None:
        """Begin to connect, in a thread of paho's."""
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def next(self, timeout_s: float) -> Happening | None:
        """What happened next, or None if nothing does within `timeout_s`."""
        try:
            return self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except Empty:
            return None

    def publish(self, topic: str, payload: bytes) -> bool:
        """See Post."""
        if not self._client.is_connected():
            return False  # else paho would keep it
        return self._client.publish(topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    # In paho's thread: nothing but the queue.

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: mqtt.ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        self._is_refused = code.is_failure
        if code.is_failure:
            self._queue.put(Lost(f"the broker refuses us: {code}", _HINT_REFUSED))
        else:
            client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, codes: list[ReasonCode], _more: Properties | None
    ) -> None:
        if any(code.value >= _REFUSED for code in codes):
            self._queue.put(Lost("the broker does not let us subscribe to our receipts", _HINT_SUBSCRIBE))
        else:
            self._queue.put(Connected())

    def _on_connect_fail(self, _client: mqtt.Client, _data: Any) -> None:
        self._queue.put(Lost("the broker cannot be reached", _HINT_UNREACHABLE))

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: mqtt.DisconnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        if not self._is_refused:  # else it is the end of that attempt, and the refusal says more
            self._queue.put(Lost(f"the connection ended: {code}", _HINT_UNREACHABLE))

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if len(message.payload) <= ANSWER_BYTES_MAX and self._queue.qsize() < ARRIVED_MAX:
            self._queue.put(Arrived(message.topic, bytes(message.payload)))
