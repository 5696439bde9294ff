"""Child processes: started, awaited, restarted when they die, and ended with us, whatever ends us.

A *child* is a program and what we need to know of it. The *supervisor* is one thread that starts every child,
because the kernel ties a parent-death signal to the thread that forked: while the process lives, that thread
does; when the process is killed, even with SIGKILL, the children die too (`tether.py`).
"""

import contextlib
import enum
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ledger.errors import UserError

LOG_BYTES_MAX = 8 * 1024 * 1024
_POLL_S = 0.05
_LOG_CHECK_S = 5.0
_TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class User:
    """Whom a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Child:
    """A program to keep running.

    `ready` is asked until it says True; `ready_line` is what the child prints when it is ready, at the start of
    a line; with neither it is ready at once. `before` runs before each start, restarts
    included; `env` replaces the environment (None: ours); `death_signal` is what the kernel sends when we die;
    a change of the file `reload_on` sends SIGHUP.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool] | None = None
    ready_line: str | None = None
    before: Callable[[], None] | None = None
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    ready_s_max: float = 60.0
    stop_s_max: float = 15.0
    reload_on: Path | None = None


class State(enum.Enum):
    """What a child does now."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting to restart"
    STOPPED = "stopped"


@dataclass(slots=True)
class Backoff:
    """How long to wait before a restart: longer each time, until the child has lived a while."""

    first_s: float = 0.25
    max_s: float = 10.0
    lived_s_min: float = 20.0
    _next_s: float = field(default=0.0, init=False)

    def died(self, lived_s: float) -> float:
        """The child died after `lived_s` seconds: wait this many seconds."""
        if lived_s >= self.lived_s_min or not self._next_s:
            self._next_s = self.first_s
        wait_s = self._next_s
        self._next_s = min(2 * wait_s, self.max_s)
        return wait_s


OnChange = Callable[[str, State], None]


class Supervisor:
    """Starts children in order, keeps them running, and stops them in reverse order.

    Use it as a block: `with Supervisor(log_folder) as supervisor: supervisor.start(child)`.
    `on_change(name, state)` is called in the supervisor's thread.
    """

    def __init__(self, log_folder: Path, on_change: OnChange = lambda name, state: None) -> None:
        self._log_folder = log_folder
        self._on_change = on_change
        self._slots: list[_Slot] = []
        self._changed = threading.Condition(threading.RLock())
        self._closing = False
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._log_folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, child: Child) -> None:
        """Start `child` and return when it is ready; raises UserError if it ends or hangs before."""
        slot = _Slot(child, self._log_folder / f"{child.name}.log", self._on_change)
        with self._changed:
            if any(other.child.name == child.name for other in self._slots):
                raise ValueError(f"there is a child '{child.name}' already")
            self._slots.append(slot)
            self._changed.notify_all()
            while not slot.was_ready and slot.failure is None:
                if not self._thread.is_alive():
                    raise RuntimeError("the supervisor does not run")
                self._changed.wait(1.0)
            if slot.failure is not None:
                self._slots.remove(slot)
                hint = f"its log is {slot.log_path}"
                raise UserError(
                    f"{child.name} did not start: {slot.failure}", f"{slot.hint} ({hint})" if slot.hint else hint
                )

    @property
    def names(self) -> list[str]:
        """The children that it keeps running, in the order of their start."""
        with self._changed:
            return [slot.child.name for slot in self._slots]

    def remove(self, name: str) -> None:
        """Stop the child and forget it."""
        with self._changed:
            slot = self._slot(name)
            slot.stop()
            self._slots.remove(slot)

    def stop(self) -> None:
        """Stop all children, the last first; every one is gone when this returns."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def pid(self, name: str) -> int | None:
        """The process id of the child now, if it runs."""
        with self._changed:
            process = self._slot(name).process
            return None if process is None else process.pid

    def state(self, name: str) -> State:
        """What the child does now."""
        with self._changed:
            return self._slot(name).state

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the child, if it runs."""
        with self._changed:
            process = self._slot(name).process
            if process is not None:
                os.kill(process.pid, number)  # Popen's own would reap it

    def _slot(self, name: str) -> "_Slot":
        return next(slot for slot in self._slots if slot.child.name == name)

    def _watch(self) -> None:
        with self._changed:
            while not self._closing:
                now_s = time.monotonic()
                for slot in self._slots:
                    slot.step(now_s)
                self._changed.notify_all()
                self._changed.wait(_POLL_S)
            for slot in reversed(self._slots):
                slot.stop()


class _Slot:
    """One child's state; touched only under the supervisor's lock, and `spawn` only in its thread."""

    def __init__(self, child: Child, log_path: Path, on_change: OnChange) -> None:
        self.child = child
        self.log_path = log_path
        self.state = State.STARTING
        self.process: subprocess.Popen[bytes] | None = None
        self.was_ready = False
        self.failure: str | None = None  # why it never became ready
        self.hint: str | None = None  # what it said of that to who would have started it
        self._on_change = on_change
        self._backoff = Backoff()
        self._started_s = 0.0
        self._start_at_s = 0.0
        self._log_checked_s = 0.0
        self._log_start = 0  # how long the log was when it was started
        self._version = (0, 0)  # of the file that it reloads on

    def step(self, now_s: float) -> None:
        """Do what is due now."""
        if self.failure is not None:
            return
        if self.process is None:
            if now_s >= self._start_at_s:
                self._spawn(now_s)
        elif _has_ended(self.process):
            self._bury(now_s, f"it ended with {_describe(_reap(self.process))}")
        elif self.state is State.STARTING:
            self._await_ready(now_s)
        else:
            self._look_after(self.process, now_s)

    def stop(self) -> None:
        """End the process and its group, by force if it takes too long."""
        if self.process is not None:
            os.kill(self.process.pid, self.child.stop_signal)  # not yet reaped, so the id is still its own
            _await_end(self.process, self.child.stop_s_max)
            _reap(self.process)
            self.process = None
        self._become(State.STOPPED)

    def _look_after(self, process: subprocess.Popen[bytes], now_s: float) -> None:
        seen = version(self.child.reload_on)
        if seen != self._version:
            self._version = seen
            os.kill(process.pid, signal.SIGHUP)
        if now_s - self._log_checked_s > _LOG_CHECK_S:
            self._log_checked_s = now_s
            _bound_log(self.log_path)

    def _become(self, state: State) -> None:
        self.state = state
        self._on_change(self.child.name, state)

    def _spawn(self, now_s: float) -> None:
        self._become(State.STARTING)
        self._started_s = now_s
        try:
            if self.child.before is not None:
                self.child.before()
            self._version = version(self.child.reload_on)
            _bound_log(self.log_path)
            self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
            self.process = _popen(self.child, self.log_path)
        except Exception as error:  # whatever it is, the others must be kept running
            self._bury(now_s, str(error))

    def _await_ready(self, now_s: float) -> None:
        assert self.process is not None
        if self._has_said_ready() and _is_ready(self.child):
            self.was_ready = True
            self._become(State.READY)
        elif now_s - self._started_s > self.child.ready_s_max:
            os.kill(self.process.pid, signal.SIGKILL)
            _reap(self.process)
            self._bury(now_s, f"it was not ready within {self.child.ready_s_max:g} s")

    def _has_said_ready(self) -> bool:
        if self.child.ready_line is None:
            return True
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return any(line.startswith(self.child.ready_line.encode()) for line in log)

    def _bury(self, now_s: float, reason: str) -> None:
        self.process = None
        if not self.was_ready:
            said, self.hint = _last_words(self.log_path, self._log_start)
            self.failure = f"{reason}: {said}" if said else reason
            return self._become(State.STOPPED)
        self._start_at_s = now_s + self._backoff.died(now_s - self._started_s)
        return self._become(State.WAITING)


def _is_ready(child: Child) -> bool:
    if child.ready is None:
        return True
    try:
        return child.ready()
    except Exception:  # a server that starts may answer anything
        return False


def _popen(child: Child, log_path: Path) -> subprocess.Popen[bytes]:
    user = f"{child.user.uid}:{child.user.gid}" if child.user else "-"
    tether = [sys.executable, "-IS", str(_TETHER), str(os.getpid()), str(int(child.death_signal)), user]
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [*tether, *child.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=child.cwd,
            env=child.env,
            start_new_session=True,  # a Ctrl-C at the terminal is for us; we stop the children
        )


def version(path: Path | None) -> tuple[int, int]:
    """What changes when the file at `path` is replaced."""
    if path is None or not path.exists():
        return (0, 0)
    found = path.stat()
    return (found.st_ino, found.st_mtime_ns)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it ended; it stays a zombie, so that its group's number is not given away."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _await_end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not _has_ended(process):
        if time.monotonic() > deadline_s:
            os.kill(process.pid, signal.SIGKILL)
            return
        time.sleep(0.01)


def _reap(process: subprocess.Popen[bytes]) -> int:
    """End what is left of its group, then take its exit code."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _describe(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _bound_log(path: Path) -> None:
    """Keep the log and one older one, each of about LOG_BYTES_MAX; the child goes on writing to the same file."""
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        os.truncate(path, 0)


def _last_words(path: Path, start: int) -> tuple[str, str | None]:
    """What it said last in the log from `start` on, and its hint: a command of ours says its error, then that."""
    if not path.exists():
        return "", None
    with path.open("rb") as log:
        log.seek(max(start, path.stat().st_size - 4096))
        text, _, hint = log.read().decode("utf-8", "replace").partition("\ntallystick: hint: ")
    lines = [line.strip().removeprefix("tallystick: error: ") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "", hint.partition("\n")[0].strip() or None
