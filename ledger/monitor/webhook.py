"""Handing alarms to an address, each as one POST of a JSON object, beside whatever else goes on."""

import queue
import time
from collections.abc import Callable, Mapping
from threading import Lock, Thread
from typing import Any

import httpx

from ledger.errors import said
from ledger.published.http import web_address

TRIES = 4
PAUSE_S = 0.5
"""Before each further try, of which the next waits more than twice as long."""
_TIMEOUT_S = 10.0


class Webhook:
    """Posts in a thread of its own, in order, with a few tries each. What was taken is told to `taken`, by its id."""

    def __init__(self, address: str, *, taken: Callable[[str], None], failed: Callable[[str], None]) -> None:
        self._address, self._taken, self._failed = web_address(address), taken, failed
        self._waiting: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
        self._known: set[str] = set()
        self._lock = Lock()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def send(self, alarm: Mapping[str, Any]) -> None:
        """Post an alarm's document soon, unless it waits already. Returns at once."""
        with self._lock:
            if alarm["id"] in self._known:
                return
            self._known.add(alarm["id"])
        self._waiting.put(alarm)

    def close(self, *, within_s: float) -> None:
        """Wait until all is posted or given up, but no longer than that."""
        self._waiting.put(None)
        self._thread.join(within_s)

    def _run(self) -> None:
        with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, headers={"user-agent": "tallystick"}) as client:
            while (alarm := self._waiting.get()) is not None:
                fault = self._post(client, alarm)
                with self._lock:
                    self._known.discard(alarm["id"])
                if fault is None:
                    self._taken(alarm["id"])
                else:
                    self._failed(fault)

    def _post(self, client: httpx.Client, alarm: Mapping[str, Any]) -> str | None:
        """Why nobody took it, or None."""
        fault = ""
        for attempt in range(TRIES):
            time.sleep(PAUSE_S * (2**attempt - 1))
            try:
                response = client.post(self._address, json=dict(alarm))
            except httpx.HTTPError as error:
                fault = f"{self._address} does not take an alarm: {said(error)}"
                continue
            if response.is_success:
                return None
            fault = f"{self._address} does not take an alarm: HTTP {response.status_code}"
        return fault
