"""Either broker lets a device speak for itself and hear what is its own, and nothing else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from deploy import acl
from deploy.broker import Broker
from ledger.errors import UserError
from ledger.settings import BrokerAddress
from tests.running import RunningBroker, eventually, free_port

TOPICS = "tallystick/v1/production"


@dataclass(slots=True)
class Peer:
    """A connected client and what it has received."""

    client: mqtt.Client
    received: list[tuple[str, bytes, bool]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)

    def payloads(self) -> list[bytes]:
        return [payload for _, payload, _ in self.received]


@contextmanager
def connect(
    address: BrokerAddress, *, client_id: str = "", will: str | None = None, within_s: float = 10
) -> Iterator[Peer]:
    """Connect as the user of `address`, or fail."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id)
    client.username_pw_set(address.username, address.password)
    if will is not None:
        client.will_set(will, b"will", qos=1)
    peer = Peer(client)
    client.on_message = lambda _client, _data, message: peer.received.append(
        (message.topic, bytes(message.payload), message.retain)
    )
    client.reconnect_delay_set(min_delay=1, max_delay=1)
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        eventually(client.is_connected, within_s=within_s)
        yield peer
    finally:
        client.disconnect()
        client.loop_stop()


def test_statements_and_receipts_pass(broker: RunningBroker) -> None:
    """A device's statement reaches the gateway, and a retained receipt reaches the device, before and after."""
    with connect(broker.gateway()) as gateway, connect(broker.device("oven-1")) as device:
        gateway.subscribe(f"{TOPICS}/+/statement")
        device.subscribe("tallystick/v1/+/oven-1/receipt/#")
        time.sleep(0.3)
        device.publish(f"{TOPICS}/oven-1/statement", b"a" * 256 * 1024)
        eventually(lambda: gateway.payloads() == [b"a" * 256 * 1024])
        gateway.publish(f"{TOPICS}/oven-1/receipt/1", b"receipt", retain=True)
        eventually(lambda: device.payloads() == [b"receipt"])
        with connect(broker.device("oven-1")) as again:
            again.subscribe(f"{TOPICS}/oven-1/receipt/+")
            eventually(lambda: again.received == [(f"{TOPICS}/oven-1/receipt/1", b"receipt", True)])


@pytest.mark.parametrize("what", ["oven-2/statement", "oven-2/birth", "oven-1/receipt/1", "oven-1/refusal/1", "oven-1"])
def test_device_speaks_only_for_itself(broker: RunningBroker, what: str) -> None:
    """What a device publishes for its neighbour, or as if it were the gateway, reaches nobody."""
    with (
        connect(broker.gateway()) as gateway,
        connect(broker.device("oven-1")) as device,
        connect(broker.device("oven-2")) as neighbour,
    ):
        gateway.subscribe("tallystick/v1/#")  # refused by one, emptied by the other
        gateway.subscribe(f"{TOPICS}/+/statement")
        gateway.subscribe(f"{TOPICS}/+/birth")
        neighbour.subscribe(f"{TOPICS}/oven-2/receipt/#")
        device.subscribe(f"{TOPICS}/oven-1/receipt/#")
        device.subscribe(f"{TOPICS}/oven-1/refusal/#")
        time.sleep(0.3)
        device.publish(f"{TOPICS}/{what}", b"forged", retain=True)
        device.publish(f"{TOPICS}/oven-1/statement", b"own")
        eventually(lambda: b"own" in gateway.payloads())
        assert b"forged" not in [*gateway.payloads(), *device.payloads(), *neighbour.payloads()]


@pytest.mark.parametrize("topic", ["#", "tallystick/v1/#", "tallystick/v1/+/+/receipt/#", f"{TOPICS}/oven-2/receipt/0"])
def test_device_hears_only_its_own(broker: RunningBroker, topic: str) -> None:
    """No subscription, made before or after, shows a device another's statements or receipts."""
    with (
        connect(broker.gateway()) as gateway,
        connect(broker.device("oven-2")) as neighbour,
        connect(broker.device("oven-1")) as device,
    ):
        device.subscribe(topic)
        device.subscribe(f"{TOPICS}/oven-1/receipt/#")
        neighbour.subscribe(f"{TOPICS}/oven-2/receipt/#")
        time.sleep(0.3)
        gateway.publish(f"{TOPICS}/oven-2/receipt/0", b"not yours", retain=True)
        neighbour.publish(f"{TOPICS}/oven-2/statement", b"not yours")
        gateway.publish(f"{TOPICS}/oven-1/receipt/0", b"yours", retain=True)
        eventually(lambda: b"yours" in device.payloads())
        eventually(lambda: neighbour.payloads() == [b"not yours"])
        with connect(broker.device("oven-3")) as late:
            late.subscribe(topic)
            time.sleep(0.5)
            assert late.payloads() == []
        assert set(device.payloads()) == {b"yours"}


def test_a_will_is_held_to_the_rights(broker: RunningBroker) -> None:
    """A device cannot forge with its last will what it may not publish."""
    with connect(broker.gateway()) as gateway:
        gateway.subscribe(f"{TOPICS}/+/statement")
        device = broker.device("oven-1")
        try:
            with connect(device, will=f"{TOPICS}/oven-2/statement", within_s=2) as forger:
                sock = forger.client.socket()
                assert sock is not None
                sock.close()
        except AssertionError:
            pass  # refused at once
        time.sleep(0.5)
        assert gateway.payloads() == []


def test_a_session_is_its_users(broker: RunningBroker) -> None:
    """Whoever is not known is not let in, and a password is its user's alone."""
    password = broker.device("oven-1").password or ""
    broker.device("oven-2")
    assert broker.broker.lets_in("oven-1", password)
    for name, guess in [("oven-1", "guess"), ("oven-2", password), ("oven-3", password), (acl.GATEWAY, "")]:
        assert not broker.broker.lets_in(name, guess)
    assert broker.broker._connack() == 5  # nor anybody without a name


def test_users_are_added_while_it_runs(broker: RunningBroker) -> None:
    """A device that is added from elsewhere gets in, without a restart, and those before it stay."""
    pid = broker.supervisor.pid("broker")
    with connect(broker.gateway()) as gateway:
        for number in range(3):
            with connect(broker.device(f"oven-{number}")):
                assert gateway.client.is_connected()
    assert broker.supervisor.pid("broker") == pid


def test_listens_on_loopback_only(broker: RunningBroker) -> None:
    """Nothing but 127.0.0.1 is bound."""
    port = f"{broker.broker.port:04X}"
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    assert [address for address in listening if address.endswith(f":{port}")] == [f"0100007F:{port}"]


def test_names_and_kinds_are_checked(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that would be a wildcard, or a broker that is not there, is the user's mistake."""
    made = Broker.open(open_folder / "broker", free_port(), "amqtt")
    for name in ("+", "#", "a/b", "Oven", "a b", "", "x" * 33, "_other"):
        with pytest.raises(UserError, match="is no name for a device"):
            made.add_user(name)
    monkeypatch.setattr("deploy.broker._mosquitto", lambda: None)
    assert Broker.open(open_folder / "broker", free_port()).kind == "amqtt"
    with pytest.raises(UserError, match="Mosquitto is not installed"):
        Broker.open(open_folder / "broker", free_port(), "mosquitto")


@pytest.mark.parametrize(
    ("pattern", "topic", "covered"),
    [
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/+/c", True),
        ("a/+/c", "a/#", False),
        ("a/+/c", "a/b", False),
        ("a/+/c", "a/b/c/d", False),
        ("a/b/#", "a/b/#", True),
        ("a/b/#", "a/b/c/d", True),
        ("a/b/#", "a/+/#", False),
        ("a/b/#", "#", False),
        ("a/b/#", "", False),
        ("a/b/#", "a/b", True),
    ],
)
def test_covers(pattern: str, topic: str, covered: bool) -> None:
    """A pattern covers a filter if it matches all that the filter matches."""
    assert acl.covers(pattern, topic) is covered
