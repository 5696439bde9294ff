"""The whole agent as a process, with a real Mosquitto; the gateway is the simulator, on a connection of its own."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.spool import Spool
from ledger import senml
from ledger.keys import SigningKey
from ledger.section import ContentFormat
from ledger.trust.trust_file import Trust
from tests.edge.given import EVENT
from tests.edge.simulator import ISSUER, Ledger
from tests.running import free_port

ROOT = Path(__file__).parents[2]
MOSQUITTO = Path("/usr/sbin/mosquitto")
RSS_KB_MAX = 45 * 1024

pytestmark = pytest.mark.skipif(not MOSQUITTO.exists(), reason="Mosquitto is not installed")


def eventually(claim: Callable[[], bool], within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


class MosquittoProcess:
    """A broker that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([MOSQUITTO, "-c", self._config], stderr=subprocess.DEVNULL)
        eventually(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Gateway:
    """The simulator behind an MQTT client: it closes a block every 50 ms."""

    def __init__(self, port: int) -> None:
        self.ledger, self.port = Ledger(), port
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gateway", protocol=mqtt.MQTTv311)
        self._client.on_connect = lambda client, *_: client.subscribe("tallystick/v1/production/+/+", qos=1)
        self._client.on_message = self._receive
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._sealer = threading.Thread(target=self._seal)
        self._sealer.start()

    def _receive(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self.ledger.receive(message.topic, bytes(message.payload))

    def _seal(self) -> None:
        while not self._stop.wait(0.05):
            with self._lock:
                said = self.ledger.seal()
            for topic, payload, retain in said:
                self._client.publish(topic, payload, qos=1, retain=retain)

    def rotate(self) -> None:
        """The log's key changes, from the next block on."""
        with self._lock:
            self.ledger.rotate(first=self.ledger.size + 1, until=self.ledger.size)

    def close(self) -> None:
        self._stop.set()
        self._sealer.join()
        self._client.disconnect()
        self._client.loop_stop()

    def temperatures(self) -> list[float]:
        """The temperatures in the ledger, in its order."""
        with self._lock:
            bodies = [
                body
                for entry in self.ledger.entries
                for line, body in entry.sections.items()
                if entry.statement.manifest[line].content_format == ContentFormat.SENML_CBOR
            ]
        readings = [reading for body in bodies for reading in senml.decode(body, now=0)]
        return [float(reading.value) for reading in readings if reading.name.endswith(":temperature")]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoProcess]:
    process = MosquittoProcess(tmp_path)
    yield process
    process.kill()


@pytest.fixture
def gateway(broker: MosquittoProcess) -> Iterator[Gateway]:
    made = Gateway(broker.port)
    yield made
    made.close()


def edge(*args: str, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tallystick.py", "edge", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=check, input=text)


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "tallystick.py", "edge", "run", "--folder", str(folder), *args]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(edge("status", "--json", "--folder", str(folder)).stdout)
    return found


@pytest.fixture
def device(tmp_path: Path, gateway: Gateway) -> Path:
    """A registered device's folder, with a sensor that replays 200 rows, four a statement."""
    trust = Trust("example.com", gateway.ledger.genesis, {"production": gateway.ledger.log})
    (tmp_path / "trust.json").write_text(trust.text)
    folder = tmp_path / "line-1"
    edge("init", "--name", "line-1", "--organisation", ISSUER, "--trust", str(tmp_path / "trust.json"),
         "--broker", f"127.0.0.1:{gateway.port}", "--folder", str(folder))  # fmt: skip
    with (folder / "config.toml").open("a") as file:
        file.write(
            f'\n[[sensor]]\ntype = "csv"\nname = "replayed"\nfile = "{ROOT}/deploy/data/sf-temps.csv"\n'
            'rows = 200\npack = 4\ninterval_s = 0.01\nconvert = "F-to-Cel"\n'
        )
    key = SigningKey.load(folder / "device.key")
    gateway.ledger.registered[key.kid] = key.public
    return folder


def test_a_device_from_its_making_to_the_last_receipt(device: Path, gateway: Gateway) -> None:
    """init, event, run until drained: all is in the ledger, and the spool holds nothing any more."""
    told = edge("event", "-", "--folder", str(device), "--privacy", "public", text=json.dumps([EVENT, EVENT])).stdout
    assert [line.split()[1:] for line in told.splitlines()] == [
        ["ObjectEvent", "seq", "1"],
        ["ObjectEvent", "seq", "2"],
    ]
    ran = edge("run", "--folder", str(device), "--until-drained", "--timeout", "60")
    assert "connected to the broker" in ran.stderr
    assert len(gateway.temperatures()) == 200
    assert gateway.ledger.size == 3 + 51
    said = status(device)
    assert (said["spooled"], said["unconfirmed"], said["sections_waiting"], said["bytes"]) == (54, 0, 0, 0)
    assert said["running"] is False
    assert "no agent runs" in edge("status", "--folder", str(device)).stdout


def test_killed_agent_killed_broker_nothing_lost(device: Path, gateway: Gateway, broker: MosquittoProcess) -> None:
    """kill -9 of the agent and of the broker, in turns and in mid-stream: every row once, in order, in one stream."""
    for victim in ("agent", "broker", "agent"):
        had, agent = gateway.ledger.size, start(device)
        eventually(lambda had=had: gateway.ledger.size > had + 2)  # type: ignore[misc]
        if victim == "broker":
            broker.kill()
            broker.start()
            eventually(lambda had=had: gateway.ledger.size > had + 5)  # type: ignore[misc]
        agent.kill()
        agent.communicate()
    edge("run", "--folder", str(device), "--until-drained", "--timeout", "60")
    temperatures = gateway.temperatures()
    assert len(temperatures) == 200
    lines = (ROOT / "deploy/data/sf-temps.csv").read_text().splitlines()[1:201]
    assert temperatures == [round((float(line.split(",")[1]) - 32) / 1.8, 2) for line in lines]
    assert len(gateway.ledger.streams) == 1


def test_the_logs_key_changes_under_a_running_agent(device: Path, gateway: Gateway) -> None:
    """Twice, without an overlap, and the agent is killed in between: it learns over MQTT, and nothing is lost."""
    for _ in range(2):
        had, agent = gateway.ledger.size, start(device)
        eventually(lambda had=had: gateway.ledger.size > had + 3)  # type: ignore[misc]
        gateway.rotate()
        eventually(lambda had=had: gateway.ledger.size > had + 10)  # type: ignore[misc]
        agent.kill()
        agent.communicate()
    edge("run", "--folder", str(device), "--until-drained", "--timeout", "60")
    assert len(gateway.temperatures()) == 200 and len(gateway.ledger.streams) == 1
    assert status(device)["unconfirmed"] == 0
    with closing(Spool(device / "spool.sqlite")) as spool:
        assert len(json.loads(spool.state("root messages") or "")) == len(gateway.ledger.root_said) == 3


def test_an_event_beside_the_running_agent(device: Path, gateway: Gateway) -> None:
    """It is signed by the command, in the running agent's stream, and confirmed soon after; SIGTERM ends it well."""
    agent = start(device)
    try:
        for number in range(1, 4):
            line = edge("event", "-", "--folder", str(device), text=json.dumps(EVENT)).stdout
            assert line.split()[1:] == ["ObjectEvent", "seq", str(number)]
        eventually(lambda: status(device)["lanes"]["events"]["unconfirmed"] == 0)
        assert status(device)["running"] is True
    finally:
        agent.send_signal(signal.SIGTERM)
        _, errors = agent.communicate(timeout=10)
    assert agent.returncode == 0
    assert "Traceback" not in errors


def test_one_agent_a_folder(device: Path) -> None:
    """A second one is told so and ends with 1."""
    agent = start(device)
    try:
        eventually(lambda: status(device)["running"])
        second = edge("run", "--folder", str(device), check=False)
        assert second.returncode == 1
        assert "tallystick: error: an agent already runs in" in second.stderr
    finally:
        agent.kill()
        agent.communicate()


def test_a_refused_device_ends_with_an_error_when_it_is_to_drain(device: Path, gateway: Gateway) -> None:
    """A script learns that the device is refused, and why."""
    from ledger.refusal import Reason

    gateway.ledger.bad_keys[SigningKey.load(device / "device.key").kid] = Reason.REVOKED
    ran = edge("run", "--folder", str(device), "--until-drained", "--timeout", "30", check=False)
    assert ran.returncode == 1
    assert "tallystick: error: the ledger has refused this device: revoked-key" in ran.stderr
    event = edge("event", "-", "--folder", str(device), text=json.dumps(EVENT), check=False)
    assert event.returncode == 1
    assert "revoked-key" in event.stderr
    assert status(device)["state"] == "stopped"


def test_no_gateway_is_a_time_out(device: Path, gateway: Gateway) -> None:
    """Until drained, but nobody answers: exit 1 after the time."""
    gateway.ledger.silent = True
    ran = edge("run", "--folder", str(device), "--until-drained", "--timeout", "2", check=False)
    assert ran.returncode == 1
    assert "tallystick: error: not all is confirmed after 2 s" in ran.stderr


def test_an_idle_agent_is_small(device: Path, gateway: Gateway) -> None:
    """Resident memory of an agent with nothing left to do stays below 45 MB, and it takes next to no time."""
    agent = start(device)
    try:
        eventually(lambda: len(gateway.temperatures()) == 200)
        eventually(lambda: status(device)["unconfirmed"] == 0)
        lines = Path(f"/proc/{agent.pid}/status").read_text().splitlines()
        rss_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
        assert rss_kb < RSS_KB_MAX
        before = _cpu_s(agent.pid)
        time.sleep(2)
        assert _cpu_s(agent.pid) - before < 0.2
    finally:
        agent.kill()
        agent.communicate()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_help_is_quick() -> None:
    """No command's help imports what only running it needs."""
    for command in ("init", "run", "status", "event"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        edge(command, "--help")
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 0.3
