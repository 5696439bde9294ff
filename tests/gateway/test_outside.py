"""The running gateway seen from outside: its metrics, and whether it lives and is ready, over real HTTP."""

import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway import web
from gateway.address import parse_address
from gateway.metrics import Metrics
from gateway.record import ChainRecord, Record, Taken
from gateway.service import Service
from gateway.waiting import COUNT_MAX
from ledger import operate
from ledger.database import connect
from ledger.errors import UserError
from ledger.settings import BrokerAddress
from tests.gateway.test_service import Line, serving
from tests.running import RunningBroker, eventually
from tests.world import Device, World

MOSQUITTO = pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


@contextmanager
def asking(record: Record) -> Iterator["Asking"]:
    with web.serving(record, ("127.0.0.1", 0)) as port:
        yield Asking(port)


class Asking:
    """Someone outside."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def verdict(self, name: str) -> tuple[int, list[str]]:
        status, body = self.get(f"/{name}")
        said = json.loads(body)
        assert said[name] == (status == 200) == (not said["why_not"])
        return status, said["why_not"]

    def samples(self) -> dict[str, float]:
        """All samples of /metrics, as `name{label="value",…}`, read by Prometheus' own parser."""
        status, body = self.get("/metrics")
        assert status == 200
        return {
            sample.name + "".join(f"|{label}={value}" for label, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(body)
            for sample in family.samples
        }


@contextmanager
def outside(service: Service) -> Iterator[Asking]:
    with asking(service.record) as seen:
        yield seen


@MOSQUITTO
def test_the_metrics_count_what_came_and_what_came_of_it(world: World, broker: RunningBroker) -> None:
    """Accepted, repeated and refused by reason; blocks timed; each message's latency; sizes; and a device's age."""
    press = Device("press-1")
    with serving(world, broker.gateway()) as service, outside(service) as seen:
        operate.post(world.folder, world.dsn, [press.registration], timeout_s=15)
        line = Line(world, press, broker.device("press-1"))
        payloads = [line.next() for _ in range(5)]
        for payload in payloads:
            line.send(payload)
        line.await_receipt(4)
        line.send(payloads[4])
        line.send(b"garbage")
        line.send(b"garbage")
        refused = "tallystick_messages_refused_total|chain=production|reason=malformed"
        eventually(lambda: seen.samples().get(refused) == 2)
        line.close()
        told = seen.samples()
    assert told["tallystick_statements_accepted_total|chain=production"] == 5
    assert told["tallystick_statements_repeated_total|chain=production"] == 1
    assert told["tallystick_chain_size|chain=production"] == 5
    assert told["tallystick_receipt_latency_seconds_count|chain=production"] == 8
    assert 0 < told["tallystick_receipt_latency_seconds_sum|chain=production"] < 8 * 20
    blocks = told["tallystick_seal_seconds_count|chain=production"]
    assert 1 <= blocks <= 5 and blocks == told["tallystick_commit_seconds_count|chain=production"]
    seal, commit = (told[f"tallystick_{name}_seconds_sum|chain=production"] for name in ("seal", "commit"))
    assert 0 < commit < seal
    assert 0 <= told["tallystick_device_age_seconds|chain=production|device=press-1"] < 30
    assert told["tallystick_queue_messages|chain=production"] == 0
    assert told["tallystick_chain_held|chain=anchor"] == told["tallystick_broker_connected|chain=production"] == 1
    assert told["process_resident_memory_bytes"] > 0


def test_what_a_full_queue_drops_is_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """By reason in the metrics, and in the log as one line, not one a message."""
    nowhere = BrokerAddress("127.0.0.1", 1, None, None)
    service = Service(dsn=world.dsn, broker=nowhere, folder=world.folder, chains=["production"])
    chain = service._chain_service("production")
    for number in range(COUNT_MAX + 7):  # of as many devices: one alone never fills it
        chain._receive(f"tallystick/v1/production/noise-{number}/statement", b"garbage")
    with outside(service) as seen:
        told = seen.samples()
    assert told["tallystick_messages_dropped_total|chain=production|reason=queue-full"] == 7
    assert told["tallystick_queue_messages|chain=production"] == COUNT_MAX
    assert caplog.messages == ["1 message dropped: queue-full; the last from production/noise-5000"]


@MOSQUITTO
def test_a_gateway_without_its_broker_lives_and_is_not_ready(world: World, broker: RunningBroker) -> None:
    """Ready once it holds its chains and is subscribed; a broker that dies is named, and its return is seen."""
    with serving(world, broker.gateway()) as service, outside(service) as seen:
        eventually(lambda: seen.verdict("ready") == (200, []))
        broker.supervisor.remove("broker")
        eventually(lambda: seen.verdict("ready")[0] == 503)
        [why] = seen.verdict("ready")[1]
        assert why.startswith("broker: ") and seen.verdict("live") == (200, [])
        broker.supervisor.start(broker.broker.child())
        eventually(lambda: seen.verdict("ready") == (200, []), within_s=20)


def test_a_second_gateway_stands_by(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It holds and hears nothing, and its states say so, its log in one line; it is ready to take over."""
    caplog.set_level("INFO")
    nowhere = BrokerAddress("127.0.0.1", 1, None, None)
    with serving(world, nowhere, await_ready=False) as first, outside(first) as seen:
        eventually(lambda: len(seen.verdict("ready")[1]) == 1, within_s=20)
        with serving(world, nowhere, await_ready=False) as second, outside(second) as standing_by:
            eventually(lambda: standing_by.verdict("ready") == (200, []))
            states = json.loads(standing_by.get("/ready")[1])["chains"]
            assert set(states.values()) == {"standby"}
            held = [value for name, value in standing_by.samples().items() if "chain_held" in name]
            assert held == [0] * len(states)
            assert not [name for name in standing_by.samples() if "chain_size" in name]
    assert len([message for message in caplog.messages if "standing by" in message]) == 1


def test_a_database_that_ends_all_sessions_is_one_fault(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """All five chains lose theirs at once: a line that the database failed, and one that it works again."""
    caplog.set_level("INFO")
    with serving(world, BrokerAddress("127.0.0.1", 1, None, None), await_ready=False) as service:
        eventually(lambda: {chain.state for chain in service.record.chains.values()} == {"held"}, within_s=20)
        with connect(world.dsn, role=None, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        eventually(lambda: any("works again" in message for message in caplog.messages), within_s=20)
    told = [message for message in caplog.messages if message.startswith("database: ")]
    assert len(told) == 2 and "terminating connection" in told[0] and "works again" in told[1]


def test_a_devices_age_goes_on_over_a_restart(world: World) -> None:
    """A gateway that starts anew knows from the ledger when each device was last heard; a revoked one is forgotten."""
    press, lathe, silent = (world.register_device(name) for name in ("press-1", "lathe-1", "silent-1"))
    world.publish(press, press.readings(21.5))
    world.tick()
    world.publish(lathe, lathe.readings(21.5))
    world.tick(60_000)
    world.close()
    now = world.now_ms + 5_000
    assert world.chain("production").ages.seconds(now) == {"press-1": 65.0, "lathe-1": 5.0}
    world.operator_says({"type": "revocation", "kid": press.key.kid, "reason": "scrapped", "entries": {}})
    assert set(world.chain("production").ages.seconds(now)) == {"lathe-1"}
    assert silent.name not in world.chain("production").ages.seconds(now)


def test_a_stuck_loop_is_answered_for() -> None:
    """/live answers from a thread of its own, so that it can say that the loop stands still."""
    record = Record.of(["production"], time.monotonic() - 31)
    with asking(record) as seen:
        status, why = seen.verdict("live")
        assert status == 503 and re.fullmatch(r"its loop has not turned for 3\d s", why[0])
        assert seen.get("/")[0] == 404


def test_the_metrics_are_openmetrics_for_who_asks() -> None:
    """Prometheus asks for OpenMetrics first: it gets that, with its own content type and end."""
    body, content_type = Metrics(Record.of(["production"], 0)).encode("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text") and body.endswith(b"# EOF\n")


def test_one_who_says_nothing_holds_nobody_up() -> None:
    """A connection that never asks does not keep the next one from being answered, and a taken port is told."""
    with web.serving(Record.of([], time.monotonic()), ("127.0.0.1", 0)) as port:
        with socket.create_connection(("127.0.0.1", port)):
            assert Asking(port).verdict("live") == (200, [])
        with pytest.raises(UserError, match="cannot listen on"), web.serving(Record.of([], 0), ("127.0.0.1", port)):
            pass


@pytest.mark.parametrize("text", ["", "9464", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "a:1/b", "u@a:1"])
def test_an_address_is_a_host_and_a_port(text: str) -> None:
    """Anything else is told with an example."""
    with pytest.raises(UserError, match="is no address to listen on"):
        parse_address(text)
    assert parse_address("[::1]:9464") == ("::1", 9464)


def test_recording_costs_less_than_a_microsecond_a_statement() -> None:
    """Of a block of a thousand: its counts, its times, and the latency of each message."""
    chain, reasons = ChainRecord(), {"gap": 10}
    arrived, best = [time.monotonic()] * 1_000, 1.0
    for _ in range(20):
        began = time.perf_counter()
        chain.took(Taken(size=1, accepted=1_000, refused=reasons, seal_s=0.1, commit_s=0.1), 0.0)
        chain.answered(arrived, time.monotonic())
        best = min(best, time.perf_counter() - began)
    assert best / 1_000 < 1e-6
