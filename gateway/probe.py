"""The look around before the gateway starts: what is wrong with folder, database, clock or broker, and what to do.

What the operator must mend ends the start at once, for a restart would not mend it. A database that is not up yet is
waited for. A broker is not: the gateway seals what waits in the inbox without one, and connects when it comes. A clock
that lags behind the ledger is waited for a while, for after a start it is often about to be set; then it is only a
warning, for no proof hangs on it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from gateway.check import BROKER, CLOCK, DATABASE, Check, Level, look_at_folder
from gateway.check_broker import look_at_broker
from gateway.check_database import look_at_database, look_reached
from gateway.logs import Faults, say
from gateway.record import Record
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import Settings

CLOCK_S_MAX = 30.0
_RETRY_S = 1.0


def look(settings: Settings, folder: LedgerFolder, chains: Sequence[str], now_ms: int) -> list[Check]:
    """Everything, once; what depends on what is wrong is left out."""
    checks = list(look_at_folder(folder, chains))
    is_whole = all(check.level is not Level.FAULT for check in checks)
    try:
        reached = look_reached(settings.need_dsn())
        if reached.level is Level.GOOD and is_whole:
            checks += look_at_database(settings.need_dsn(), folder, chains, now_ms)
        else:
            checks.append(reached)
    except UserError as error:
        checks.append(Check(DATABASE, Level.FAULT, str(error), error.hint))
    try:
        checks.append(look_at_broker(settings.need_broker(), chains))
    except UserError as error:
        checks.append(Check(BROKER, Level.FAULT, str(error), error.hint))
    return checks


class Start:
    """The way to a gateway that may run. Meanwhile `record` says what it waits for."""

    def __init__(
        self, settings: Settings, folder: LedgerFolder, chains: Sequence[str], record: Record, now_ms: Callable[[], int]
    ) -> None:
        self._settings, self._folder, self._chains = settings, folder, chains
        self._record, self._now_ms, self._faults = record, now_ms, Faults()

    async def look(self, bring_up: Callable[[], None]) -> None:
        """Return when the gateway may start; raises UserError for what waiting does not mend.

        `bring_up` brings the tables up to date, once the database is there.
        """
        dsn, broker, chains = self._settings.need_dsn(), self._settings.need_broker(), self._chains
        await self._pass(lambda: look_at_folder(self._folder, chains))
        await self._pass(lambda: [look_reached(dsn)])
        await self._pass(lambda: look_at_database(dsn, self._folder, chains, self._now_ms(), is_old=True))
        await asyncio.to_thread(bring_up)
        await self._pass(lambda: look_at_database(dsn, self._folder, chains, self._now_ms()))
        await self._pass(lambda: [look_at_broker(broker, chains)])
        self._record.starting = ""

    async def _pass(self, look: Callable[[], Iterable[Check]]) -> None:
        began = time.monotonic()
        while True:
            checks = await asyncio.to_thread(lambda: list(look()))
            for check in checks:
                if check.level is Level.FAULT:
                    raise check.error()
            now = self._record.beat_at = time.monotonic()
            waiting = [check for check in checks if _is_waited_for(check, now - began)]
            if not waiting:
                break
            self._wait_for(waiting, now)
            await asyncio.sleep(_RETRY_S)
        self._tell(checks, now)

    def _wait_for(self, waiting: Sequence[Check], now: float) -> None:
        self._record.starting = f"{waiting[0].part}: {waiting[0].text}"
        for check in waiting:
            self._faults.failing(check.part, check.text, check.hint, now)

    def _tell(self, checks: Sequence[Check], now: float) -> None:
        for check in checks:
            if check.level is Level.GOOD:
                self._faults.well(check.part, now)
            elif check.part != BROKER or check.level is not Level.WAITING:  # the service tells of a broker's absence
                say(logging.WARNING, "warning", f"{check.part}: {check.text} ({check.hint})", part=check.part)


def _is_waited_for(check: Check, waited_s: float) -> bool:
    if check.level is not Level.WAITING or check.part == BROKER:
        return False
    return check.part != CLOCK or waited_s < CLOCK_S_MAX
