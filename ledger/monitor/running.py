"""Rounds of a monitor: each alarm told once for as long as it stands, to people and to a webhook.

People are reminded, when a monitor starts, of what it found before and still finds.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import NoReturn

from ledger.monitor import state_file
from ledger.monitor.alarm import Alarm, Kind
from ledger.monitor.state import State
from ledger.monitor.watch import Watch
from ledger.monitor.webhook import Webhook
from ledger.published.reader import Reader

_LAST_POSTS_S = 30.0


class Monitor:
    """Tells what `watch` finds; what was told and handed on is in `state`, which is kept in a file.

    `remind` hears in the first round of what was told by a run before, and stands.
    """

    def __init__(
        self,
        watch: Watch,
        state: State,
        file: Path,
        *,
        tell: Callable[[Alarm], None],
        remind: Callable[[Alarm], None],
        grown: Callable[[Mapping[str, int]], None],
        warn: Callable[[str], None],
        webhook: str | None = None,
    ) -> None:
        self._watch, self._state, self._file = watch, state, file
        self._tell, self._remind, self._grown = tell, remind, grown
        self.kinds: set[Kind] = set()  # of all that was the matter in any round
        self._is_first = True
        self._lock = Lock()  # the webhook's thread takes alarms off the state
        self._webhook = Webhook(webhook, taken=self._taken, failed=warn) if webhook else None

    def close(self) -> None:
        """Let the last alarms be posted."""
        if self._webhook is not None:
            self._webhook.close(within_s=_LAST_POSTS_S)
        self._save()

    def round(self, sources: Mapping[str, Reader], now_ms: int) -> list[Alarm]:
        """Look once; what stands now, told before or not."""
        told = self._state.told
        found = self._watch.round(sources, now_ms)
        alarms = [replace(alarm, since_ms=told.get(alarm.key, now_ms)) for alarm in found]
        new = [alarm for alarm in alarms if alarm.key not in told]
        with self._lock:
            self._state.told = {alarm.key: alarm.since_ms for alarm in alarms}
            if self._webhook is not None:
                self._state.undelivered += [alarm.document for alarm in new]
        for alarm in alarms:
            if alarm in new:
                self._tell(alarm)
            elif self._is_first:
                self._remind(alarm)
        self.kinds |= {alarm.kind for alarm in alarms}
        self._is_first = False
        self._save()  # before anything is posted: a run that dies here hands it on next time
        if self._webhook is not None:
            for document in list(self._state.undelivered):
                self._webhook.send(document)
        return alarms

    def follow(self, sources: Mapping[str, Reader], *, every_s: float) -> NoReturn:
        """Look again and again; what has grown is told, too."""
        sizes: Mapping[str, int] = {}
        while True:
            self.round(sources, time.time_ns() // 1_000_000)
            if self._watch.sizes != sizes:
                sizes = self._watch.sizes
                self._grown(sizes)
            time.sleep(every_s)

    def _taken(self, alarm: str) -> None:
        with self._lock:
            self._state.undelivered = [held for held in self._state.undelivered if held.get("id") != alarm]

    def _save(self) -> None:
        with self._lock:
            state_file.save(self._state, self._file)
