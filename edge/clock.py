"""Two clocks: the monotonic one runs every timer, the wall's only dates what is signed, and may be wrong."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNKNOWN, FREE_RUNNING, NTP, GNSS = range(4)

_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR = 5
_CHECK_MS = 60_000


@dataclass(frozen=True, slots=True)
class Moment:
    """`wall_s`: seconds since 1970, a claim. `ticks_ms`: milliseconds that never jump."""

    wall_s: float
    ticks_ms: int

    @property
    def issued_at(self) -> int:
        """The iat of a statement that is signed now."""
        return max(0, int(self.wall_s))


def now() -> Moment:
    """This moment, by both clocks."""
    return Moment(time.time(), time.monotonic_ns() // 1_000_000)


class Quality:
    """The wall clock's quality, asked of the system once a minute."""

    def __init__(self) -> None:
        self._checked_ms = -_CHECK_MS
        self._synchronised_once = False
        self._value = UNKNOWN
        self._adjtimex: Any = None

    def __call__(self, ticks_ms: int) -> int:
        """0 unknown, 1 free-running since a sync that we saw, 2 synchronised by NTP."""
        if ticks_ms - self._checked_ms >= _CHECK_MS:
            self._checked_ms = ticks_ms
            self._value = self._measure()
        return self._value

    def _measure(self) -> int:
        if self._kernel_is_synchronised() or _TIMESYNCD.exists():
            self._synchronised_once = True
            return NTP
        return FREE_RUNNING if self._synchronised_once else UNKNOWN

    def _kernel_is_synchronised(self) -> bool:
        """adjtimex(2) with modes 0 only reads; it returns TIME_ERROR while nothing disciplines the clock."""
        import ctypes

        try:
            if self._adjtimex is None:
                self._adjtimex = ctypes.CDLL(None).adjtimex
            state: int = self._adjtimex(ctypes.create_string_buffer(512))
        except (OSError, AttributeError):
            return False
        return 0 <= state < _TIME_ERROR
