"""What is cancelled gives up what it holds; and it is cancelled once, whatever has ended."""

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from gateway import service
from gateway.cli import _until_stopped
from gateway.in_thread import in_thread
from gateway.service import Service
from ledger.folder import LedgerFolder
from ledger.settings import BrokerAddress


class Slow:
    """What takes a while to open, as a chain does. `told` has what happened to it."""

    def __init__(self) -> None:
        self.told, self.opening, self.may_open = list[str](), threading.Event(), threading.Event()

    def open(self, *_: object, **__: object) -> "Slow":
        """Open it, once it may be."""
        self.opening.set()
        assert self.may_open.wait(5)
        self.told.append("opened")
        return self

    def close(self) -> None:
        """Give it up."""
        self.told.append("closed")


async def cancel_while_opening(slow: Slow, task: "asyncio.Task[Any]") -> None:
    """Cancel the task that opens it, twice, while it opens."""
    await asyncio.to_thread(slow.opening.wait, 5)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.01)
    slow.may_open.set()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


def test_what_opens_for_nobody_is_closed() -> None:
    """Whoever is cancelled while a thread opens something for it leaves nothing open."""
    slow = Slow()

    async def main() -> None:
        task = asyncio.create_task(in_thread(slow.open, Slow.close))
        await cancel_while_opening(slow, task)

    asyncio.run(main())
    assert slow.told == ["opened", "closed"]


def test_a_fault_beside_a_cancellation_is_no_fault() -> None:
    """What fails to open is not closed, and the caller is cancelled as it was told."""
    started = threading.Event()

    def fail() -> None:
        started.set()
        time.sleep(0.1)
        raise OSError("nothing there")

    async def main() -> None:
        unwanted = list[None]()
        task = asyncio.create_task(in_thread(fail, unwanted.append))
        await asyncio.to_thread(started.wait, 5)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled() and not unwanted

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["GatewayChain", "AnchorChain"])
def test_a_chain_that_opens_for_nobody_is_closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    """A gateway that is stopped while it opens a chain, or the anchor, does not keep it from the next."""
    slow = Slow()

    class Opened:
        close = Slow.close

        def __new__(cls, *_: object, **__: object) -> Slow:  # type: ignore[misc]
            return slow.open()

    async def main() -> None:
        broker = BrokerAddress("127.0.0.1", 1, None, None)
        gateway = Service(dsn="", broker=broker, folder=LedgerFolder(tmp_path), chains=["production"])
        run = gateway._run_anchor if kind == "AnchorChain" else gateway._chain_service("production").run
        await cancel_while_opening(slow, asyncio.create_task(run()))

    monkeypatch.setattr(service, kind, Opened)
    asyncio.run(main())
    assert slow.told == ["opened", "closed"]


def test_a_parent_that_ends_is_noticed_once() -> None:
    """A worker whose parent ends is cancelled once, and may take its time to stop, without a busy loop."""
    reading, writing = os.pipe()
    told, used = list[str](), list[float]()

    async def work() -> None:
        try:
            os.close(writing)
            await asyncio.sleep(5)
        finally:
            began = time.process_time()
            await asyncio.sleep(0.3)
            used.append(time.process_time() - began)
            told.append("stopped in good order")

    with os.fdopen(reading) as parent:
        asyncio.run(_until_stopped(work(), parent))
    assert told == ["stopped in good order"]
    assert used[0] < 0.15
