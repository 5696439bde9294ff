"""The faults: each breaks one thing of a site under load, and puts it right again. What follows is not its affair.

`span` scales how long a fault lasts: 1 is short, for `make test`.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Callable

import psycopg

from ledger import checkpoint_file
from tests.faults.commits import Cut
from tests.faults.disk import filled, no_longer_files
from tests.faults.invariants import CHAIN
from tests.faults.mangler import HONEST, Manners
from tests.faults.site import GATEWAY, RECOVERY_S_MAX, Site, Violation, kill

Fault = Callable[[Site, float], None]
SECOND = "gateway-2"
HOUR_S = 3600
STOP_S_MAX = 5.0
MOMENTS_S = (0.003, 0.02)  # after COMMIT is sent: until the checkpoint is written, until receipts are published


def kill_gateway(site: Site, span: float) -> None:
    """kill -9 of the gateway, or of one of its workers, at random moments."""
    for _ in range(1 + int(span)):
        _at_a_random_moment(site)
        _kill(site, GATEWAY, site.rng.choice(site.gateway_processes()))


def kill_gateway_at_commit(site: Site, span: float) -> None:
    """kill -9 of the gateway within a few milliseconds of a COMMIT: about when it publishes."""
    for _ in range(1 + int(span)):
        _at_commit(site, site.gateway_processes)
        site.revive(GATEWAY)


def kill_broker(site: Site, span: float) -> None:
    """kill -9 of the broker: what it held for others is gone."""
    for _ in range(1 + int(span)):
        _at_a_random_moment(site)
        _kill(site, "broker")


def stop_broker(site: Site, span: float) -> None:
    """The broker stands still for a while, and reads nothing; a gateway that is told to stop meanwhile does stop."""
    _at_a_random_moment(site)
    stopped = site.supervisor.pid("broker") or 0
    kill(stopped, signal.SIGSTOP)
    try:
        time.sleep(span)
        began = time.monotonic()
        site.remove(GATEWAY)
        if (took := time.monotonic() - began) > STOP_S_MAX:
            raise Violation(f"the gateway stopped after {took:.1f} s")
    finally:
        kill(stopped, signal.SIGCONT)
        site.start_gateway()


def kill_postgres(site: Site, span: float) -> None:
    """kill -9 of PostgreSQL, or of one of its sessions, upon which it ends all others."""
    for _ in range(1 + int(span)):
        _at_a_random_moment(site)
        server, *sessions = site.postgres_processes()
        _kill(site, "postgres", site.rng.choice([server] * len(sessions) + sessions))


def kill_postgres_at_commit(site: Site, span: float) -> None:
    """kill -9 of PostgreSQL within a few milliseconds of a COMMIT."""
    for _ in range(1 + int(span)):
        _at_commit(site, site.postgres_processes)
        site.revive("postgres")


def kill_all(site: Site, span: float) -> None:
    """kill -9 of everything at once, as when the power fails."""
    _at_a_random_moment(site)
    for name in ("postgres", "broker", GATEWAY):
        kill(site.supervisor.pid(name) or 0)
    for name in ("postgres", "broker", GATEWAY):
        site.revive(name)


def stop_postgres(site: Site, span: float) -> None:
    """All of PostgreSQL stands still for a while: no answer, and no error."""
    _at_a_random_moment(site)
    stopped = site.postgres_processes()
    try:
        for pid in stopped:
            kill(pid, signal.SIGSTOP)
        time.sleep(span)
    finally:
        for pid in stopped:
            kill(pid, signal.SIGCONT)


def cut_commit(cut: Cut) -> Fault:
    """A session is cut at its COMMIT, twice: at `cut`."""

    def fault(site: Site, span: float) -> None:
        before = len(site.cutter.cuts)
        site.cutter.order(cut, times=2)
        site.wait(lambda: len(site.cutter.cuts) >= before + 2, "no COMMIT came to be cut")

    fault.__doc__ = f"A session is cut at its COMMIT: {cut}."
    return fault


def fill_database_disk(site: Site, span: float) -> None:
    """The disk under the database is full for a while."""
    _at_a_random_moment(site)
    with filled(site.data / "disk") if site.has_small_disks else no_longer_files(site.postgres_processes, 64 * 1024):
        _until_noticed(site, "postgres")
        time.sleep(span)


def fill_checkpoint_disk(site: Site, span: float) -> None:
    """The disk under the published checkpoints is full for a while: blocks commit, and cannot be published."""
    _at_a_random_moment(site)
    with filled(site.folder.checkpoints) if site.has_small_disks else no_longer_files(site.gateway_processes, 0):
        _until_noticed(site, GATEWAY)
        time.sleep(span)


def _until_noticed(site: Site, name: str) -> None:
    """Until its log speaks of a full disk; who cannot write at all has no log either."""
    if site.has_small_disks:
        mark = len(site.log(name, since=1)) + 1
        site.wait(lambda: "No space left on device" in site.log(name, since=mark), f"no full disk for {name}")


def mangle_messages(site: Site, span: float) -> None:
    """The broker drops what it acknowledged, doubles, and lets messages overtake each other."""
    site.mangler.manners = Manners(drop=0.1, double=0.15, hold=0.15)
    try:
        time.sleep(1 + span)
    finally:
        done, site.mangler.manners = site.mangler.manners.done, HONEST
    if not all(done.values()):
        raise Violation(f"the broker did not misbehave: {done}")


def run_two_gateways(site: Site, span: float) -> None:
    """A second gateway is started for the same chains; the first is killed, and the second goes on."""
    site.start_gateway(SECOND)
    try:
        time.sleep(0.5 + span)
        site.remove(GATEWAY)
        site.recover()
    finally:
        site.remove(SECOND)
        with contextlib.suppress(StopIteration):
            site.remove(GATEWAY)
        site.start_gateway()


def wake_old_gateway(site: Site, span: float) -> None:
    """A gateway stands still, loses its sessions, and another takes its chains; then the first wakes up again."""
    stopped = site.gateway_processes()
    _at_commit(site, lambda: stopped, signal.SIGSTOP)
    try:
        site.end_sessions()
        site.start_gateway(SECOND)
        site.recover()
    finally:
        for pid in stopped:
            kill(pid, signal.SIGCONT)
    site.recover()
    site.remove(SECOND)


def restore_older_database(site: Site, span: float) -> None:
    """The database is replaced by an older copy: nothing may be written then, and all goes on with the newer one."""
    site.remove(GATEWAY)
    site.copy_database("older")
    site.start_gateway()
    site.recover()
    site.remove(GATEWAY)
    site.put_database("older", aside="newer")
    try:
        _must_refuse(site, 0.5 + span)
    finally:
        site.put_database("newer", aside="older")
        site.drop_database("older")
        site.start_gateway()


def _must_refuse(site: Site, seconds: float) -> None:
    proven, published = site.load.proven, checkpoint_file.read(site.folder.checkpoints, CHAIN)
    blocks = _blocks(site)
    site.start_gateway()
    try:
        site.wait(lambda: "entries were published" in site.log(GATEWAY), "the gateway did not refuse an older database")
        time.sleep(seconds)
    finally:
        site.remove(GATEWAY)
    if (_blocks(site), checkpoint_file.read(site.folder.checkpoints, CHAIN)) != (blocks, published):
        raise Violation("an older database was written on")
    if site.load.proven != proven:
        raise Violation("receipts were given from an older database")


def _blocks(site: Site) -> list[tuple[object, ...]]:
    """The chain's blocks, each with its time in milliseconds."""
    query = """select size, time_ms from tallystick.block join tallystick.chain using (chain_id)
                where name = %s order by height"""
    with psycopg.connect(site.dsn) as connection:
        return connection.execute(query, [CHAIN]).fetchall()


def set_clock_back(site: Site, span: float) -> None:
    """The gateway's clock is set back by an hour under way, and later on again."""
    site.clock.write_text(str(-HOUR_S))
    try:
        site.recover()
        if span > 1:  # it starts by the wrong clock, too, once it has waited half a minute for a better one
            _kill(site, GATEWAY)
            site.recover()
        _, last = _blocks(site)[-1]
    finally:
        site.clock.unlink()
    if time.time() - int(str(last)) / 1000 < HOUR_S / 2:
        raise Violation("the clock did not go back")


def _kill(site: Site, name: str, pid: int | None = None) -> None:
    """kill -9 of a part, which is started again, or of one of its processes, which it has to see to itself."""
    whole = site.supervisor.pid(name) or 0
    kill(pid or whole)
    if pid in (None, whole):
        site.revive(name)


def _at_commit(site: Site, pids: Callable[[], list[int]], number: signal.Signals = signal.SIGKILL) -> None:
    """Let a COMMIT pass, and send these a signal within a few milliseconds; returns when that is done."""
    done = threading.Event()

    def act_and_tell() -> None:
        for pid in pids():
            kill(pid, number)
        done.set()

    site.cutter.at_commit(act_and_tell, within_s=site.rng.choice(MOMENTS_S))
    if not done.wait(RECOVERY_S_MAX):
        raise Violation("nobody committed anything")


def _at_a_random_moment(site: Site) -> None:
    time.sleep(site.rng.random() * 0.6)


FAULTS: dict[str, Fault] = {
    "kill-gateway": kill_gateway,
    "kill-gateway-at-commit": kill_gateway_at_commit,
    "kill-broker": kill_broker,
    "stop-broker": stop_broker,
    "kill-postgres": kill_postgres,
    "kill-postgres-at-commit": kill_postgres_at_commit,
    "kill-all": kill_all,
    "stop-postgres": stop_postgres,
    **{f"commit-{cut}": cut_commit(cut) for cut in Cut},
    "disk-full-database": fill_database_disk,
    "disk-full-checkpoints": fill_checkpoint_disk,
    "mangling-broker": mangle_messages,
    "two-gateways": run_two_gateways,
    "old-gateway-wakes": wake_old_gateway,
    "older-database": restore_older_database,
    "clock-back": set_clock_back,
}


def play(site: Site, name: str, span: float) -> list[str]:
    """One round: the fault under load, then receipts for all, then rest; returns what is wrong."""
    site.load.sign(True)
    FAULTS[name](site, span)
    site.recover()
    site.rest()
    return site.check(at_rest=True)
