"""The look around before the gateway starts: each thing that can be wrong is told, with what to do."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import tallystick
from gateway import probe
from gateway.check import BROKER, CLOCK, DATABASE, FOLDER, Check, ClockWatch, Level, look_at_clock
from gateway.check_broker import connect_packet, look_at_broker
from gateway.cli import CHAINS
from gateway.record import Record
from ledger import checkpoint_file
from ledger.database import connect
from ledger.errors import UserError
from ledger.registry import REGISTRY
from ledger.settings import BrokerAddress, Settings
from tests.gateway.test_service import serving
from tests.running import RunningBroker, eventually, free_port
from tests.world import World

NOW_MS = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


def looked(world: World, *, dsn: str | None = None, broker: str = "127.0.0.1:1", part: str) -> list[Check]:
    """What a look finds of one part."""
    settings = Settings.load(world.folder.path.parent, dsn=dsn or world.dsn, broker=broker, environ={})
    checks = probe.look(settings, world.folder, CHAINS, time.time_ns() // 1_000_000)
    return [check for check in checks if check.part == part]


def only(checks: list[Check], level: Level, text: str) -> Check:
    """The one check that is not good or the test server's own fsync: of this level, with this text, and a hint."""
    [check] = [check for check in checks if check.level is not Level.GOOD and "fsync" not in check.text]
    assert check.level is level and text in check.text and check.hint
    return check


def altered(dsn: str, **parts: str) -> str:
    return make_conninfo(**{**conninfo_to_dict(dsn), **parts})  # type: ignore[arg-type]


def run_sql(world: World, *statements: str) -> None:
    """As the database's owner, whom no grant binds."""
    with connect(world.dsn, role=None) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_all_is_good_where_all_is_good(world: World) -> None:
    """Folder, database and clock of a fresh ledger; only the test server's fsync, which is off, is warned of."""
    for part in (FOLDER, CLOCK):
        assert [check.level for check in looked(world, part=part)] == [Level.GOOD]
    warning, good = looked(world, part=DATABASE)
    assert (warning.level, good.level) == (Level.WARNING, Level.GOOD)
    assert warning.text.startswith("fsync is off") and warning.hint == "set 'fsync = on' in postgresql.conf"
    assert good.text.startswith("PostgreSQL ")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda folder: folder.key_file("log-trade").unlink(), "cannot read the key"),
        (lambda folder: folder.key_file("log-registry").replace(folder.key_file("log-trade")), "is not the key that"),
        (lambda folder: folder.key_file("gateway").unlink(), "cannot read the key"),
        (lambda folder: folder.trust_file.write_text("{"), "trust"),
        (lambda folder: (folder.checkpoints / "trade").write_text("?"), "checkpoint of 'trade' is damaged"),
        (lambda folder: (folder.checkpoints / REGISTRY).unlink(), "no published registry"),
    ],
)
def test_a_folder_that_lacks_something_is_a_fault(world: World, spoil: Callable[..., None], text: str) -> None:
    """A key that is missing or another's, a damaged checkpoint or trust file: told before the database is looked at."""
    spoil(world.folder)
    only(looked(world, part=FOLDER), Level.FAULT, text)
    assert [check.text for check in looked(world, part=DATABASE)] == ["it is reached"]


def test_a_database_that_is_not_up_is_waited_for(world: World) -> None:
    """Nobody listens: that passes."""
    only(looked(world, dsn=f"host=127.0.0.1 port={free_port()}", part=DATABASE), Level.WAITING, "refused")


@pytest.mark.parametrize("wrong", [{"dbname": "nonsense"}, {"user": "nobody-here"}])
def test_a_database_that_refuses_the_address_is_a_fault(world: World, wrong: dict[str, str]) -> None:
    """A name that the server does not know will not be known a second later."""
    only(looked(world, dsn=altered(world.dsn, **wrong), part=DATABASE), Level.FAULT, "does not exist")


def test_a_database_without_a_ledger_is_a_fault(world: World, fresh_database: Callable[[], str]) -> None:
    """Empty, or with another ledger's tables: both are the wrong database."""
    empty = fresh_database()
    only(looked(world, dsn=empty, part=DATABASE), Level.FAULT, "holds no ledger")
    run_sql(world, "update tallystick.chain set origin = 'example.org/' || name")
    only(looked(world, part=DATABASE), Level.FAULT, "holds the ledger of example.org/registry")


def test_a_user_without_the_writers_rights_is_a_fault(world: World) -> None:
    """Whoever may log in but not write for the ledger is told which right to grant."""
    run_sql(world, "drop role if exists probe_guest", "create role probe_guest login")
    try:
        check = only(
            looked(world, dsn=altered(world.dsn, user="probe_guest"), part=DATABASE), Level.FAULT, "permission"
        )
        assert "grant tallystick_writer to" in check.hint
    finally:
        run_sql(world, "drop role probe_guest")


def test_tables_of_an_older_version_are_a_fault(world: World) -> None:
    """Where this user may not bring them up to date, the owner must."""
    run_sql(world, "delete from tallystick.schema_version where version = 47")
    only(looked(world, part=DATABASE), Level.FAULT, "older version")


def test_a_restored_backup_is_a_fault(world: World) -> None:
    """A database behind the published checkpoint, or with another root at its size, would fork history."""
    press = world.register_device("press-1")
    world.publish(press, press.readings(21.5))
    world.tick()
    world.close()
    chain = "(select chain_id from tallystick.chain where name = 'production')"
    run_sql(world, f"update tallystick.block set root = sha256('another') where chain_id = {chain}")
    only(looked(world, part=DATABASE), Level.FAULT, "it has another one")
    run_sql(world, f"delete from tallystick.block where chain_id = {chain}")
    only(looked(world, part=DATABASE), Level.FAULT, "2 entries were published, it has 0")


def test_a_database_ahead_of_the_checkpoint_is_good(world: World) -> None:
    """As a writer leaves it that dies between COMMIT and file; its next start writes the file."""
    press = world.register_device("press-1")
    world.publish(press, press.readings(21.5))
    world.tick()
    before = checkpoint_file.read(world.folder.checkpoints, "production")
    world.publish(press, press.readings(21.6))
    world.tick()
    assert before is not None
    (world.folder.checkpoints / "production").write_text(before)  # its writer would not let it go back
    assert looked(world, part=DATABASE)[-1].level is Level.GOOD


@pytest.mark.parametrize(
    ("now_ms", "database_ms", "block_ms", "level", "text"),
    [
        (NOW_MS, NOW_MS, NOW_MS - 1, Level.GOOD, "2030-01-01 00:00:00 UTC"),
        (NOW_MS, NOW_MS + 4_000, NOW_MS + 4_000, Level.GOOD, "2030"),
        (10_000, 10_000, None, Level.WAITING, "it is not set: it shows 1970-01-01 00:00:10 UTC"),
        (NOW_MS, NOW_MS, NOW_MS + 60_000, Level.WAITING, "60 s behind the ledger's newest block"),
        (NOW_MS, NOW_MS - 9_000, None, Level.WARNING, "9 s ahead of the database's"),
        (NOW_MS, NOW_MS + 9_000, None, Level.WARNING, "9 s behind the database's"),
    ],
)
def test_the_clock_is_held_against_database_and_ledger(
    now_ms: int, database_ms: int, block_ms: int | None, level: Level, text: str
) -> None:
    """Not set, behind what was sealed, or apart from the database's clock."""
    check = look_at_clock(now_ms, database_ms=database_ms, newest_block_ms=block_ms)
    assert check.level is level and text in check.text and bool(check.hint) == (level is not Level.GOOD)


def test_a_clock_that_is_set_is_seen() -> None:
    """Back or on, by at least a second; one that runs, however long, is not."""
    watch = ClockWatch(wall=1_000.0, monotonic=50.0)
    assert watch.jump(1_100.5, 150.0) is None
    assert watch.jump(1_090.5, 151.0) == pytest.approx(-11)
    assert watch.jump(1_095.5, 152.0) == pytest.approx(4)


def test_the_broker_lets_the_gateway_in(broker: RunningBroker) -> None:
    """Either kind; and a wrong password, or none, is a fault."""
    address = broker.gateway()
    assert look_at_broker(address, CHAINS).level is Level.GOOD
    for username, password in ((address.username, "wrong"), (None, None)):
        check = look_at_broker(BrokerAddress(address.host, address.port, username, password), CHAINS)
        assert check.level is Level.FAULT and "does not let" in check.text and "mqtt://user:password@" in check.hint


def test_a_broker_whose_name_nobody_knows_is_told_of(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """By the look, and by the gateway that runs on without it: what is wrong, and to look at the spelling."""
    address = BrokerAddress("nope.invalid", 1883, None, None)  # RFC 6761, 6.4
    check = only([look_at_broker(address, CHAINS)], Level.WAITING, "nobody knows where 'nope.invalid' is: ")
    assert "spelt" in check.hint
    with serving(world, address, await_ready=False):
        eventually(lambda: f"{check.text} ({check.hint})" in caplog.text)


@pytest.mark.parametrize("broker", ["amqtt"], indirect=True)
def test_a_user_that_may_not_read_is_a_fault(broker: RunningBroker) -> None:
    """A device's own user may not read all statements (Mosquitto grants the subscription, and sends nothing)."""
    check = look_at_broker(broker.device("press-1"), CHAINS)
    assert check.level is Level.FAULT and "'press-1' read tallystick/v1/production/+/statement" in check.text


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\x02\x00\x01",
        b"\x20",
        b"",
        b"\x30\xff\xff\xff\x7f",
        b"\x30\x00" * 2_000,
    ],
)
def test_what_is_no_broker_is_a_fault(greeting: bytes) -> None:
    """Something else listens there, or a broker of another protocol version, or one that only wastes our time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def greet() -> None:
            with server.accept()[0] as connection:
                connection.recv(100)
                connection.sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        check = look_at_broker(BrokerAddress("127.0.0.1", port, None, None), CHAINS)
        thread.join()
    assert check.level is Level.FAULT and check.hint
    nobody = look_at_broker(BrokerAddress("127.0.0.1", free_port(), None, None), CHAINS)
    assert nobody.level is Level.WAITING and "is not reached: Connection refused" in nobody.text


def test_a_connect_packet_is_what_the_standard_says() -> None:
    """MQTT 3.1.1, 3.1: the example of figure 3.6 in its fields; a long password has a length of two bytes."""
    assert connect_packet("u", "pw").hex() == "101300044d51545404c2000a000000017500027077"
    assert connect_packet("u", "p" * 200)[:3] == bytes([0x10, 0x80 | 217 & 0x7F, 217 >> 7])


# The start


def test_a_start_waits_for_the_database(world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Said in one line, and in /ready; when the server is there it goes on, and brings its tables up to date."""
    parts = conninfo_to_dict(world.dsn)
    sockets, record, brought = tmp_path / "sockets", Record.of([], time.monotonic()), list[str]()
    settings = Settings.load(tmp_path, dsn=altered(world.dsn, host=str(sockets)), broker="127.0.0.1:1", environ={})
    start = probe.Start(settings, world.folder, CHAINS, record, lambda: time.time_ns() // 1_000_000)

    async def run() -> None:
        looking = asyncio.create_task(start.look(lambda: brought.append("up")))
        await asyncio.sleep(2.5)
        assert record.why_not_ready(time.monotonic()) == [record.starting] and "database: " in record.starting
        assert not brought
        sockets.symlink_to(str(parts["host"]))
        await asyncio.wait_for(looking, 10)

    with caplog.at_level("INFO"):
        asyncio.run(run())
    assert brought == ["up"] and not record.starting
    told = [message for message in caplog.messages if message.startswith("database: ") and "fsync" not in message]
    assert len(told) == 2 and "No such file" in told[0] and "works again" in told[1]


def test_a_start_does_not_wait_for_ever_for_the_clock(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock behind the ledger is waited for, then only warned of: no proof hangs on it."""
    monkeypatch.setattr(probe, "CLOCK_S_MAX", 1.5)
    settings = Settings.load(tmp_path, dsn=world.dsn, broker="127.0.0.1:1", environ={})
    start = probe.Start(settings, world.folder, CHAINS, Record.of([], 0), lambda: 0)
    began = time.monotonic()
    asyncio.run(start.look(lambda: None))
    assert time.monotonic() - began > 1.5
    assert [message for message in caplog.messages if message.startswith("clock: it is not set")]


def test_a_start_makes_no_tables_in_another_database(
    world: World, tmp_path: Path, fresh_database: Callable[[], str]
) -> None:
    """An empty one, or another ledger's, is left as it is."""
    brought = list[str]()
    for dsn, text in ((fresh_database(), "holds no ledger"), (world.dsn, "of example.org")):
        run_sql(world, "update tallystick.chain set origin = 'example.org/' || name")
        settings = Settings.load(tmp_path, dsn=dsn, broker="127.0.0.1:1", environ={})
        start = probe.Start(settings, world.folder, CHAINS, Record.of([], 0), lambda: NOW_MS)
        with pytest.raises(UserError, match=text):
            asyncio.run(start.look(lambda: brought.append("up")))
    assert not brought


def test_a_start_ends_at_what_only_the_operator_mends(world: World, tmp_path: Path) -> None:
    """It waits for nothing else first."""
    dsn = altered(world.dsn, dbname="nonsense")
    settings = Settings.load(tmp_path, dsn=dsn, broker="127.0.0.1:1", environ={})
    start = probe.Start(settings, world.folder, CHAINS, Record.of([], 0), lambda: 0)
    with pytest.raises(UserError, match="nonsense"):
        asyncio.run(start.look(lambda: None))


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_the_commands_say_so(
    world: World, broker: RunningBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a wrong password `check` says which part is at fault, and `run` ends: exit code 1, and 0 if all is good."""
    address = broker.gateway()
    where = ["--data", str(tmp_path), "--dsn", world.dsn, "--broker"]
    good = f"mqtt://{address.username}:{address.password}@{address.host}:{address.port}"
    assert tallystick.run(["gateway", "check", *where, good]) == 0
    parts = [line[9:23].strip() for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert parts == [FOLDER, DATABASE, DATABASE, CLOCK, BROKER]
    wrong = good.replace(f":{address.password}@", ":wrong@")
    assert tallystick.run(["gateway", "check", *where, wrong]) == 1
    assert "fault    broker" in capsys.readouterr().out
    assert tallystick.run(["gateway", "run", *where, wrong]) == 1
    assert "tallystick: error: broker: " in capsys.readouterr().err
