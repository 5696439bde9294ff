"""kill -9 in mid-demo: nothing is lost once it is back."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from deploy.demo import CARGO, LINE, Demo
from deploy.demo_check import check
from deploy.stack import Options, Stack, temporary_data
from ledger.database import connect
from ledger.errors import UserError

KILLS = 2
BETWEEN_S = 3.0


class Killer(threading.Thread):
    """Kills one part of the stack, twice, once the devices' first statements are in the ledger."""

    def __init__(self, stack: Stack, victim: str) -> None:
        super().__init__(daemon=True)
        self._stack, self._victim = stack, victim
        self.killed: list[int] = []

    def run(self) -> None:
        while not self._is_under_way():
            time.sleep(0.1)
        for _ in range(KILLS):
            pid = self._stack.supervisor.pid(self._victim)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                self.killed.append(pid)
            time.sleep(BETWEEN_S)

    def _is_under_way(self) -> bool:
        try:
            with connect(self._stack.dsn) as connection:
                row = connection.execute("select count(*) > 2 from entry where entry_id >> 40 in (1, 2)").fetchone()
        except UserError:
            return False
        return row == (True,)


@pytest.mark.parametrize("victim", ["gateway", "broker", "postgres", f"edge-{LINE}"])
def test_a_kill_in_mid_demo_loses_nothing(victim: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every statement that was published is in the ledger, is proven to its device, and passes the audit."""
    with temporary_data() as data, Stack(data, Options(ledger="example.com")) as stack:
        stack.start()
        killer = Killer(stack, victim)
        killer.start()
        Demo(stack, print, endless=False).run()
        killer.join()
        outcome = check(stack, [LINE, CARGO], print)
        logs = {path.name: path.read_text()[-3000:] for path in Path(data / "log").glob("*.log")}
    assert len(set(killer.killed)) == KILLS, "it was killed, came back, and was killed again"
    assert outcome["ok"], (outcome, logs)
    assert outcome["lost"] == 0
