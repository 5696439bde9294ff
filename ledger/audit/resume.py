"""Going on with an audit: its state, kept in a file from time to time, so that no end loses more than some seconds."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ledger import whole_file
from ledger.audit.report import Part
from ledger.audit.state import State
from ledger.audit.state_file import Saved
from ledger.errors import MalformedError, UserError
from ledger.trust.trust_file import Trust

SAVE_S = 5.0
_ANEW = "audit all of it with --anew; if this file is of this ledger, keep it: it may be evidence"


def load(file: Path, trust: Trust) -> Saved:
    """What was kept in `file`, or nothing if there is none; UserError if it is not of this ledger, or damaged."""
    try:
        saved = Saved.decode(file.read_bytes())
    except FileNotFoundError:
        return Saved(trust.genesis)
    except OSError as error:
        raise UserError.of_system(f"cannot read {file}", error) from error
    except MalformedError as error:
        raise UserError(f"{file} keeps no audit: {error}", _ANEW) from error
    if saved.genesis != trust.genesis:
        raise UserError(f"{file} is of another ledger: its genesis is {saved.genesis.hex()[:16]}…", _ANEW)
    return saved


def misfit(file: Path, error: Exception) -> UserError:
    """What to say of a file that the ledger contradicts."""
    return UserError(f"{file} does not fit this ledger: {error}", _ANEW)


class Keeper:
    """Keeps the state of each chain in `file`, on top of what was `saved` there."""

    def __init__(self, file: Path, saved: Saved, *, now_ms: Callable[[], int]) -> None:
        self._file, self._genesis, self._chains, self._now_ms = file, saved.genesis, dict(saved.chains), now_ms
        self._kept_at = time.monotonic()

    def __call__(self, chain: str, make: Callable[[], State], at_end: bool) -> None:
        """Keep a chain's state, if it is its last or some time has passed."""
        now = time.monotonic()
        if at_end or now - self._kept_at >= SAVE_S:
            self._kept_at = now
            self._chains[chain] = _parted(make(), self._now_ms())
            whole_file.put(self._file, Saved(self._genesis, self._chains).encode())


def _parted(state: State, now_ms: int) -> State:
    """The state with when its last entries were audited, if any are new."""
    if state.size <= (state.parts[-1].size if state.parts else 0):
        return state
    return replace(state, parts=(*state.parts, Part(state.size, now_ms)))
