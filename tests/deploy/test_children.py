"""Children are kept running, and end with whoever started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy import children
from deploy.children import Backoff, Child, State, Supervisor
from ledger.errors import UserError
from tests.running import eventually

SLEEP = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
# Ignores the polite signal, and has a child of its own.
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)",
)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state != "Z"


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.pid(name)
    assert pid is not None
    return pid


def test_a_dead_child_is_started_again(tmp_path: Path) -> None:
    """A killed child is back, its states are told, and its output is in its log."""
    told: list[tuple[str, State]] = []
    with Supervisor(tmp_path, lambda *change: told.append(change)) as supervisor:
        supervisor.start(Child("one", SLEEP, ready_line="up"))  # a run that is killed before has printed nothing
        first = pid_of(supervisor, "one")
        os.kill(first, signal.SIGKILL)
        eventually(lambda: supervisor.pid("one") not in (None, first))
        eventually(lambda: supervisor.state("one") is State.READY, within_s=5)
        second = pid_of(supervisor, "one")
        assert (tmp_path / "one.log").read_text().count("up") == 2
    assert not is_alive(second)
    assert [state for _, state in told] == [
        State.STARTING,
        State.READY,
        State.WAITING,
        State.STARTING,
        State.READY,
        State.STOPPED,
    ]


def test_a_child_says_when_it_is_ready(tmp_path: Path) -> None:
    """A ready line counts only if this run of the child printed it."""
    shell = "echo not ready; sleep 0.3; echo ready as can be; sleep 600"
    with Supervisor(tmp_path) as supervisor:
        for _ in range(2):
            started_s = time.monotonic()
            supervisor.start(Child("r", ("sh", "-c", shell), ready_line="ready"))
            assert time.monotonic() - started_s > 0.3
            supervisor.remove("r")


def test_stops_in_reverse_order(tmp_path: Path) -> None:
    """The last started is the first stopped, and each is gone before the next is told to stop."""
    stopped: list[str] = []

    def note(name: str, state: State) -> None:
        if state is State.STOPPED:
            stopped.append(name)

    with Supervisor(tmp_path, note) as supervisor:
        for name in ("a", "b", "c"):
            supervisor.start(Child(name, SLEEP))
        supervisor.remove("b")
    assert stopped == ["b", "c", "a"]


def test_a_stubborn_child_is_ended_by_force(tmp_path: Path) -> None:
    """A child that ignores the signal, and the children it made itself, are gone after the time-out."""
    with Supervisor(tmp_path) as supervisor:
        log = tmp_path / "mule.log"
        supervisor.start(Child("mule", STUBBORN, stop_s_max=0.2, ready=lambda: log.read_text().strip() != ""))
        pids = [pid_of(supervisor, "mule"), int(log.read_text())]
        assert all(map(is_alive, pids))
    eventually(lambda: not any(map(is_alive, pids)))


def test_a_child_that_ends_at_once_is_an_error(tmp_path: Path) -> None:
    """What never came up is told with its last words and their hint, and is not tried again."""
    with Supervisor(tmp_path) as supervisor:
        with pytest.raises(UserError, match="bad did not start: it ended with exit code 3: no such oven") as caught:
            supervisor.start(Child("bad", ("sh", "-c", "echo no such oven; exit 3"), ready=lambda: False))
        assert "bad.log" in caught.value.hint
        hinted = "echo tallystick: error: no oven; echo tallystick: hint: name another one with --oven; exit 1"
        with pytest.raises(UserError, match=r"exit code 1: no oven$") as caught:
            supervisor.start(Child("bad", ("sh", "-c", hinted), ready=lambda: False))
        assert caught.value.hint == f"name another one with --oven (its log is {tmp_path / 'bad.log'})"
        with pytest.raises(UserError, match=r"exit code 2$"):  # what it said in an earlier run says nothing of this one
            supervisor.start(Child("bad", ("sh", "-c", "exit 2"), ready=lambda: False))
        with pytest.raises(UserError, match="nonesuch: No such file"):
            supervisor.start(Child("none", ("nonesuch",), ready=lambda: False))
        with pytest.raises(UserError, match=r"it was not ready within 0\.2 s"):
            supervisor.start(Child("slow", SLEEP, ready=lambda: False, ready_s_max=0.2))


def test_nothing_outlives_sigkill_of_the_parent(tmp_path: Path) -> None:
    """When the supervisor's process is killed, its children are killed by the kernel."""
    script = (
        "import sys, time; from pathlib import Path; from deploy.children import *\n"
        "with Supervisor(Path(sys.argv[1])) as s:\n"
        "    s.start(Child('a', ('sleep', '600'))); s.start(Child('b', ('sleep', '600')))\n"
        "    print(s.pid('a'), s.pid('b'), flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(text) for text in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not any(map(is_alive, pids)))


def test_a_changed_file_reloads(tmp_path: Path) -> None:
    """Replacing the file a child reloads on sends it SIGHUP, once."""
    watched, log = tmp_path / "users", tmp_path / "r.log"
    watched.write_text("a")
    shell = "trap 'echo reloaded' HUP; echo up; while :; do sleep 0.05; done"
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(Child("r", ("sh", "-c", shell), reload_on=watched, ready=lambda: "up" in log.read_text()))
        (tmp_path / "new").write_text("b")
        (tmp_path / "new").replace(watched)
        eventually(lambda: log.read_text().count("reloaded") == 1)
        time.sleep(0.3)
        assert log.read_text().count("reloaded") == 1


def test_logs_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A talkative child leaves its log and one older one."""
    monkeypatch.setattr(children, "LOG_BYTES_MAX", 10_000)
    monkeypatch.setattr(children, "_LOG_CHECK_S", 0.1)
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(Child("t", ("sh", "-c", "while :; do echo chatter chatter chatter; sleep 0.001; done")))
        eventually(lambda: (tmp_path / "t.log.1").exists())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.log", "t.log.1"]


def test_backoff_grows_and_is_forgotten() -> None:
    """Each early death doubles the wait up to the most; a long life starts anew."""
    backoff = Backoff(first_s=1, max_s=5, lived_s_min=20)
    assert [backoff.died(0) for _ in range(4)] == [1, 2, 4, 5]
    assert backoff.died(30) == 1
    assert backoff.died(3) == 2
