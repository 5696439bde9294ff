"""Several gateway processes that share the chains, over a real broker and database."""

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.workers import Worker
from ledger.registry import CHAIN_KINDS
from tests.faults.site import GATEWAY, Site, kill
from tests.running import eventually

TAKEOVER_S_MAX = 5.0


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_each_chain_is_one_workers_own(count: int) -> None:
    """However many workers there are, each chain is preferred by exactly one."""
    own = [Worker(number, count).own(CHAIN_KINDS) for number in range(count)]
    assert sorted(chain for chains in own for chain in chains) == sorted(CHAIN_KINDS)


@pytest.mark.parametrize("text", ["", "1", "2/2", "-1/2", "a/b", "0/0", "0/1/2"])
def test_a_worker_that_cannot_be_is_refused(text: str) -> None:
    """A number below the count, and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        Worker.parse(text)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(random.Random(2), devices=3, rate=60, gateway_args=("--workers", "2")) as made:
        made.recover()
        yield made


def _worker(site: Site, number: int) -> int | None:
    """The process id of a worker, if it runs."""
    named = f"--worker\0{number}/2".encode()
    found = [pid for pid in site.gateway_processes() if named in _command(pid)]
    return found[0] if found else None


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill_worker(site: Site, number: int) -> None:
    pid = _worker(site, number)
    assert pid is not None
    kill(pid)


def test_a_dead_workers_chains_are_taken_over(site: Site) -> None:
    """Within 5 s receipts go on, from the other worker; the one that replaces it then stands by, and takes back."""
    for number in (0, 1):  # first the one that prefers the chain, then the one that has it
        _kill_worker(site, number)
        assert site.recover() < TAKEOVER_S_MAX
        eventually(lambda: _worker(site, number) is not None, within_s=20)  # noqa: B023
    assert "ended with code -9" in site.log(GATEWAY)
    site.rest()
    assert site.check(at_rest=True) == []


def test_workers_end_with_their_parent(site: Site) -> None:
    """Even when it is killed: a worker that goes on unseen would hold its chains against its successors."""
    processes, leader = site.gateway_processes(), site.supervisor.pid(GATEWAY)
    assert leader is not None and len(processes) == 3
    kill(leader, signal.SIGKILL)
    workers = [pid for pid in processes if pid != leader]
    eventually(lambda: not any(_command(pid) for pid in workers), within_s=10)
    site.recover()
