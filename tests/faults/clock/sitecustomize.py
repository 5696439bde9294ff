"""Found by a Python that has this folder in PYTHONPATH: its wall clock is off by what a file says, in seconds.

The file is named by TEST_CLOCK and read at every look at the clock, so that the clock can be set while the program
runs, as a person or an NTP server sets it. Monotonic time goes on as it does.
"""

import os
import time
from pathlib import Path

_FILE = Path(os.environ.get("TEST_CLOCK", os.devnull))
_true_ns = time.time_ns


def _offset_s() -> float:
    try:
        return float(_FILE.read_text() or 0)
    except (OSError, ValueError):
        return 0.0


def _time_ns() -> int:
    return _true_ns() + int(_offset_s() * 1e9)


time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
