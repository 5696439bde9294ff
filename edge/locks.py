"""Two locks in a device's folder: one agent at a time, and whether it has taken the spool over.

`agent.lock` is held by the agent as long as it runs. `agent.ready` is held once that agent has marked every stream
as not cleared: from then on, a stream that is marked as cleared was cleared by this very agent, in this very file.
So another process may sign into it, too. Both end with the process, however it ends.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ledger.errors import UserError

_PATIENCE_S = 2.0


@contextmanager
def running(folder: Path, take_over: Callable[[], None]) -> Iterator[None]:
    """Be the folder's agent; `take_over` is called between the two locks. Raises UserError if there is one."""
    with (folder / "agent.lock").open("a") as lock, (folder / "agent.ready").open("a") as ready:
        _take(lock, folder)
        take_over()
        fcntl.flock(ready, fcntl.LOCK_EX)  # is_ready holds it for an instant only
        yield


def _take(lock: IO[str], folder: Path) -> None:
    end = time.monotonic() + _PATIENCE_S  # one that was told to stop may still be closing
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= end:
                raise UserError(f"an agent already runs in {folder}", "one is enough: stop it first") from error
            time.sleep(0.05)


def is_running(folder: Path) -> bool:
    """Whether an agent runs in this folder."""
    return _is_held(folder / "agent.lock")


def is_ready(folder: Path) -> bool:
    """Whether an agent runs in this folder and has taken its spool over."""
    return _is_held(folder / "agent.ready")


def _is_held(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
