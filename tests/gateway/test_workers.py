"""Keeping workers: what keeps them from starting is told as a person reads it, and one that dies is started again."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tallystick
from gateway import workers
from gateway.workers import Worker
from tests.gateway.test_probe import altered
from tests.world import World


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        made.close()
        yield made


def run(world: World, *options: str, dsn: str | None = None) -> int:
    """`tallystick gateway run` with these options: its exit code."""
    where = ["--data", str(world.folder.path.parent), "--dsn", dsn or world.dsn, "--broker", "127.0.0.1:1"]
    return tallystick.run(["gateway", "run", *where, *options])


def test_each_worker_has_a_port_of_its_own() -> None:
    """One after another, from the one that is named; where any is good, any."""
    assert [Worker(number, 3).port(9464) for number in range(3)] == [9464, 9465, 9466]
    assert [Worker(number, 3).port(0) for number in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    "options",
    [
        ("--workers", "6"),
        ("--workers", "64"),
        ("--workers", "3", "--chains", "production"),
        ("--workers", "3", "--chains", "production,production"),
        ("--workers", "2", "--http", "127.0.0.1:65535"),
    ],
)
def test_more_workers_than_work_are_refused(
    world: World, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """Each has a chain that is its own, or the anchor, and a port: else an error and a hint before any starts."""
    assert run(world, *options) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in told] == ["error", "hint"]


def test_a_worker_that_cannot_work_ends_all_with_its_reason(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """A database that is not there: what the worker met, that it ended, what to do, exit code 1, and no traceback."""
    assert run(world, "--workers", "2", dsn=altered(world.dsn, dbname="nonsense")) == 1
    told = capfd.readouterr().err
    assert '"nonsense" does not exist' in told
    assert "Traceback" not in told, told
    assert told.splitlines()[-1] == "tallystick: hint: what it said stands above"
    assert "ended before it was ready" in told.splitlines()[-2]


def test_a_worker_that_cannot_be_started_ends_all(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its first start, as when its program has been removed."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert run(world, "--workers", "2") == 1
    assert "tallystick: error: worker 0 cannot be started: No such file" in capsys.readouterr().err


def test_a_worker_that_cannot_be_started_again_is_tried_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it was ready, a machine that has no process to give is a pause like any other."""
    monkeypatch.setattr(workers, "PAUSE_S", 0.01)
    starts = list[str]()
    ready = list[int]()

    async def scenario() -> None:
        restarted = asyncio.Event()
        monkeypatch.setattr(workers, "_start", _starting(starts, restarted))
        keeping = asyncio.create_task(workers.keep([], {}, 1, lambda: ready.append(1)))
        await asyncio.wait([keeping, asyncio.create_task(restarted.wait())], timeout=10, return_when="FIRST_COMPLETED")
        keeping.cancel()
        await asyncio.wait([keeping])
        assert keeping.cancelled()

    asyncio.run(scenario())
    assert starts == ["0/1"] * 4 and ready == [1]
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "worker 0 ended with code 0",
        *["worker 0 cannot be started (Resource temporarily unavailable)"] * 2,
    ]


def _starting(starts: list[str], restarted: asyncio.Event) -> Callable[..., object]:
    """Starts a program that is ready and ends, then none twice, then one that stays."""

    async def start(_arguments: object, _environment: object, worker: Worker) -> asyncio.subprocess.Process:
        starts.append(str(worker))
        if len(starts) in (2, 3):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        if len(starts) == 4:
            restarted.set()
        script = "echo ready" if len(starts) == 1 else "exec sleep 60"
        return await asyncio.create_subprocess_exec("sh", "-c", script, stdout=asyncio.subprocess.PIPE)

    return start
