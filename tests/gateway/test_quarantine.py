"""The quarantine from its operator's side: what is kept is shown, judged again, and leaves when the ledger has it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import tallystick
from gateway import kept
from ledger.database import connect
from ledger.statement import EVENTS
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


def test_what_nobody_judges_is_not_asked_for_any_longer(world: World) -> None:
    """With no gateway running nothing changes, neither now nor when one starts."""
    late(world)
    world.close()
    assert replayed(world, timeout_s=0.2) == [("waiting", "unknown-key")] * 2
    world.tick()
    assert len(ids(world)) == 2


def test_a_writer_that_dies_before_it_removes_judges_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the block and the removal, the message is a repeat for the next writer, and enters once."""
    late(world)
    with connect(world.dsn) as connection:
        connection.execute("update quarantine set replay_at = now()")
    with monkeypatch.context() as patched:
        patched.setattr("gateway.replays.settle", lambda *_: (_ for _ in ()).throw(ConnectionError("killed here")))
        with pytest.raises(ConnectionError):
            world.tick()
    world.close()
    assert len(ids(world)) == 2
    world.tick()
    assert not ids(world)
    assert ask(world, "select count(*) from entry where entry_id >> 40 = 1") == [(2,)]


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
