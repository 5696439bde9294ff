"""The quarantine from its operator's side: what is kept is shown, judged again, and leaves when the ledger has it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

import tallystick
from gateway import kept, replays
from gateway.replays import Replayed
from gateway.sift import Batch, Incoming, Sieve
from ledger import message
from ledger.author import Content
from ledger.database import connect
from ledger.message import MESSAGE_BYTES_MAX
from ledger.section import ContentFormat, Privacy
from ledger.statement import EVENTS
from tests import cast
from tests.world import Device, World, opening, ticking


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


def late(world: World) -> Device:
    """A device that spoke twice before the operator registered it: two messages are in quarantine."""
    press = Device("press-1")
    world.publish(press, press.readings(21.5))
    world.tick()
    world.operator_says(press.registration)
    return press


def replayed(world: World, *numbers: int, timeout_s: float = 10) -> list[tuple[str, str | None]]:
    with connect(world.dsn, autocommit=True) as connection:
        outcomes = list(kept.replay(connection, numbers or ids(world), timeout_s=timeout_s))
    return [(outcome.result, outcome.reason) for outcome in outcomes]


def ids(world: World) -> list[int]:
    with connect(world.dsn) as connection:
        return [item.id for item in kept.listed(connection)]


def ask(world: World, query: str) -> list[tuple[object, ...]]:
    with connect(world.dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def gateway(world: World, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    """`tallystick gateway quarantine ARGS`: its exit code, and all that it printed."""
    code = tallystick.run(["gateway", "quarantine", *args, "--dsn", world.dsn])
    out, err = capsys.readouterr()
    return code, out + err


def test_what_was_refused_by_the_operators_mistake_is_admitted(world: World) -> None:
    """Once its device is registered, a kept stream is judged again, in its order, and leaves the quarantine."""
    late(world)
    with ticking(world):
        assert replayed(world) == [("admitted", None), ("admitted", None)]
    assert not ids(world)
    assert ask(world, "select seq from entry where entry_id >> 40 = 1 order by seq") == [(0,), (1,)]
    assert ask(world, "select count(*) from reading") == [(1,)]


def test_what_is_in_the_ledger_already_is_a_repeat(world: World) -> None:
    """A message that came another way meanwhile leaves the quarantine, and enters the ledger once."""
    press = Device("press-1")
    _, first = world.sign(press, [opening()], tally=press.next_tally("production", EVENTS))
    world.send("press-1", first)
    world.tick()
    world.operator_says(press.registration)
    world.send("press-1", first)
    world.tick()
    with ticking(world):
        assert replayed(world) == [("repeat", None)]
    assert not ids(world)
    assert ask(world, "select count(*) from entry where entry_id >> 40 = 1") == [(1,)]


def test_what_is_refused_again_stays(world: World) -> None:
    """It keeps its id, takes its new reason, and is neither kept nor counted twice."""
    press = Device("press-1")
    world.publish(press, press.readings(21.5))
    world.tick()
    [opened, _] = ids(world)
    world.operator_says(press.registration)
    world.operator_says({"type": "suspension", "kid": press.key.kid, "reason": "lost"})
    with ticking(world):
        assert replayed(world, opened) == [("refused", "suspended-key")]
    assert ask(world, "select reason from quarantine order by quarantine_id") == [("suspended-key",), ("unknown-key",)]
    assert ask(world, "select reason, n from quarantine_count") == [("unknown-key", 2)]


def test_what_is_refused_again_is_no_news(world: World) -> None:
    """What is told outside counts a message when it is refused first, and not again."""
    press = Device("press-1")
    world.publish(press, press.readings(21.5))
    world.tick()
    assert world.chain("production").taken.refused == {"unknown-key": 2}
    with connect(world.dsn) as connection:
        connection.execute("update quarantine set replay_at = now()")
    world.tick()
    assert ask(world, "select replay_at from quarantine") == [(None,), (None,)]
    assert world.chain("production").taken.refused == {}


def test_what_nobody_judges_is_not_asked_for_any_longer(world: World) -> None:
    """With no gateway running nothing changes, neither now nor when one starts."""
    late(world)
    world.close()
    assert replayed(world, timeout_s=0.2) == [("waiting", "unknown-key")] * 2
    world.tick()
    assert len(ids(world)) == 2


def test_a_writer_that_dies_before_it_removes_judges_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the block and the removal, its message stays: asked for again it is a repeat, and goes."""
    late(world)
    with connect(world.dsn) as connection:
        connection.execute("update quarantine set replay_at = now()")
    settle = replays.settle

    def die(connection: Connection, messages: Sequence[Replayed], refused: Any) -> None:
        settle(connection, [], refused)
        if messages:
            raise ConnectionError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(replays, "settle", die)
        with pytest.raises(ConnectionError):
            world.tick()
    world.close()
    assert len(ids(world)) == 2
    assert ask(world, "select count(*) from entry where entry_id >> 40 = 1") == [(2,)]
    with ticking(world):
        assert replayed(world) == [("repeat", None)] * 2
    assert not ids(world)
    assert ask(world, "select count(*) from entry where entry_id >> 40 = 1") == [(2,)]


def test_a_message_that_makes_judging_fail_is_judged_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain fails with it once, and works when it is opened anew; the message stays, and may be asked for again."""
    late(world)
    sift = Sieve.sift

    def fails(sieve: Sieve, incoming: Sequence[Incoming], batch: Batch | None = None) -> Batch:
        if any(isinstance(message, Replayed) for message in incoming):
            raise RuntimeError("a fault of ours")
        return sift(sieve, incoming, batch)

    with connect(world.dsn) as connection:
        connection.execute("update quarantine set replay_at = now()")
    with monkeypatch.context() as patched:
        patched.setattr(Sieve, "sift", fails)
        with pytest.raises(RuntimeError):
            world.tick()
        world.close()
        world.tick()
    assert len(ids(world)) == 2
    with ticking(world):
        assert replayed(world) == [("admitted", None)] * 2


def test_a_refused_birth_is_counted_and_not_kept(world: World) -> None:
    """There is nothing in it to judge again: a device says it whenever it connects."""
    world.send("press-1", b"garbage", what="birth")
    world.tick()
    assert not ids(world)
    assert ask(world, "select reason, n from quarantine_count") == [("malformed", 1)]


@pytest.mark.parametrize("is_registered", [True, False])
def test_what_is_kept_in_part_is_not_judged_again(
    world: World, capsys: pytest.CaptureFixture[str], is_registered: bool
) -> None:
    """Whatever it was refused for, it is told so, with exit code 1, and it stays as it is."""
    press = world.register_device("press-1") if is_registered else Device("press-1")
    many = Content(Privacy.PRIVATE, ContentFormat.SENML_CBOR, bytes(MESSAGE_BYTES_MAX))
    world.publish(press, many)
    world.tick()
    before = ask(world, "select reason, replay_at from quarantine order by quarantine_id desc")
    number = str(ids(world)[-1])
    with ticking(world):
        code, shown = gateway(world, capsys, "replay", number)
    assert code == 1 and "too large and is kept in part only" in shown
    assert ask(world, "select reason, replay_at from quarantine order by quarantine_id desc") == before


def test_the_largest_message_is_kept_whole(world: World) -> None:
    """A message of the largest size is no part of one."""
    for size in (MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1):
        statement = cast.sign().encode()
        data = message.encode(statement, [bytes(size - len(message.encode(statement, [])) - 5)])
        assert len(data) == size
        assert kept.is_cut(data[:MESSAGE_BYTES_MAX]) == (size > MESSAGE_BYTES_MAX)


def test_the_commands_speak_to_people(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` shows what is kept, `show` what it says of itself, `replay` what came of it; then nothing is kept."""
    press = late(world)
    first, second = ids(world)
    code, shown = gateway(world, capsys, "list")
    assert code == 0
    assert [line.split()[0] for line in shown.splitlines()] == ["id", str(first), str(second)]
    assert "unknown-key" in shown and "production/press-1" in shown
    code, shown = gateway(world, capsys, "show", str(first))
    assert code == 0 and press.urn in shown and press.key.kid.hex() in shown
    with ticking(world):
        code, shown = gateway(world, capsys, "replay", "--all", "--reason", "unknown-key")
    assert code == 0 and shown.count("is in the ledger now") == 2
    assert gateway(world, capsys, "list") == (0, "nothing is kept\n")
    assert gateway(world, capsys, "show", str(first))[0] == 1


def test_the_commands_speak_to_machines(world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With --json each line is an object, of what cannot be read as well; -o writes the very bytes."""
    world.send("press-1", b"garbage")
    world.tick()
    [number] = ids(world)
    code, shown = gateway(world, capsys, "list", "--json")
    assert code == 0 and json.loads(shown).items() >= {"id": number, "reason": "malformed", "size": 7}.items()
    code, shown = gateway(world, capsys, "show", str(number), "--json")
    assert code == 0 and json.loads(shown).items() >= {"statement": None, "message": "Z2FyYmFnZQ=="}.items()
    assert gateway(world, capsys, "show", str(number), "-o", str(tmp_path / "bytes"))[0] == 0
    assert (tmp_path / "bytes").read_bytes() == b"garbage"
    with ticking(world):
        code, shown = gateway(world, capsys, "replay", str(number), "--json")
    assert (code, json.loads(shown)) == (1, {"id": number, "result": "refused", "reason": "malformed"})


@pytest.mark.parametrize("args", [[], ["--all", "7"], ["7", "--reason", "gap"], ["7"]])
def test_replay_asks_for_something_that_is_there(
    world: World, capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    """Ids or --all, never both, and only ids that are kept: else an error and a hint, exit 1."""
    code, shown = gateway(world, capsys, "replay", *args)
    assert code == 1 and "tallystick: hint: 'tallystick gateway quarantine list'" in shown
