"""CPU time of processes, children included, from /proc."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system seconds of `pid`, of its dead children, and of its living descendants."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    own = sum(map(int, fields[11:15])) / _TICKS  # utime, stime, cutime, cstime (proc(5), 14 to 17)
    return own + sum(cpu_s(child) for child in _children(pid))


def thread_s(pid: int) -> float:
    """Seconds that the one thread of `pid` has run, to the nanosecond: for a server's session."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def descendants(pid: int) -> list[int]:
    """The process ids of all living children, and theirs."""
    children = _children(pid)
    return [*children, *(further for child in children for further in descendants(child))]


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found
