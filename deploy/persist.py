"""Taking a step again, while a part of the stack is down and coming back."""

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from ledger.errors import UserError

S_MAX = 20.0
_PAUSE_S = 1.0

Result = TypeVar("Result")


def persist(
    step: Callable[[], Result],
    *,
    tell: Callable[[str], None],
    is_passing: Callable[[Exception], bool] = lambda error: True,
) -> Result:
    """Take a step, which may be taken twice, again and again for S_MAX seconds while it meets a passing error."""
    deadline_s = time.monotonic() + S_MAX
    while True:
        try:
            return step()
        except (UserError, psycopg.OperationalError) as error:
            if not is_passing(error) or time.monotonic() > deadline_s:
                raise
            tell(f"trying again: {' '.join(str(error).split())}")
            time.sleep(_PAUSE_S)
