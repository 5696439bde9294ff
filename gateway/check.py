"""What a look at one of the gateway's surroundings found, and the looks that need neither database nor broker."""

import enum
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.record import BROKER as BROKER
from ledger import checkpoint_file
from ledger.errors import OutsideError, UserError
from ledger.folder import LedgerFolder
from ledger.registry import ANCHOR, REGISTRY, Role
from ledger.trust.trust_file import Trust

FOLDER, DATABASE, CLOCK = "ledger folder", "database", "clock"
BUILT_MS = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)  # no clock that is set shows less
BEHIND_MS_MAX = 5_000
APART_MS_MAX = 5_000


class Level(enum.StrEnum):
    """How it is. WAITING will mend itself, or be mended by others; of a FAULT the operator must know first."""

    GOOD = "good"
    WARNING = "warning"
    WAITING = "waiting"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """What is so of a `part`; and, unless it is good, what to do."""

    part: str
    level: Level
    text: str
    hint: str = ""

    def error(self) -> UserError:
        """As the mistake that ends a command."""
        return UserError(f"{self.part}: {self.text}", self.hint)


def fault_of(part: str, error: Exception, hint: str) -> Check:
    """An error's own words, and its hint if it has one."""
    return Check(part, Level.FAULT, str(error), getattr(error, "hint", "") or hint)


def look_at_folder(folder: LedgerFolder, chains: Sequence[str]) -> Iterator[Check]:
    """Trust file, secret keys and published checkpoints: there, readable, and of one ledger."""
    try:
        trust = folder.trust()
        for chain in (*chains, ANCHOR):
            _see_key(folder, trust, chain)
            checkpoint_file.load(folder.checkpoints, chain)
        if checkpoint_file.load(folder.checkpoints, REGISTRY) is None:
            raise UserError(f"{folder.path} has no published registry", "restore the folder from a copy")
        folder.author(Role.GATEWAY, issuer="", subject="")
    except (UserError, OutsideError, OSError) as error:
        yield fault_of(FOLDER, error, "let the gateway's user read it, or restore the folder from a copy")
    else:
        if os.access(folder.checkpoints, os.W_OK | os.X_OK):
            yield Check(FOLDER, Level.GOOD, f"{folder.path}, of the ledger {trust.name}")
        else:
            yield Check(
                FOLDER,
                Level.FAULT,
                f"{folder.checkpoints} cannot be written by this user, and each block is published there",
                "give the folder to the gateway's user",
            )


def _see_key(folder: LedgerFolder, trust: Trust, chain: str) -> None:
    """The log's newest key, as far as the trust file has heard; those before it may be retired, and gone."""
    number = len(trust.log(chain).keys)
    if folder.log_key(chain, number).public != trust.log(chain).keys[-1].public_key:
        raise UserError(
            f"{folder.log_key_file(chain, number)} is not the key that {folder.trust_file.name} pins for {chain!r}",
            "restore the key from a copy: receipts under another one are worth nothing",
        )


def look_at_clock(now_ms: int, *, database_ms: int, newest_block_ms: int | None) -> Check:
    """The machine's clock against the database's, and against the newest block, which it cannot lie before."""
    hint = "set it, for example with NTP: 'timedatectl set-ntp true'"
    shown = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")
    if now_ms < BUILT_MS:
        return Check(CLOCK, Level.WAITING, f"it is not set: it shows {shown}", hint)
    if newest_block_ms is not None and now_ms < newest_block_ms - BEHIND_MS_MAX:
        behind = (newest_block_ms - now_ms) / 1000
        return Check(CLOCK, Level.WAITING, f"it is {behind:.0f} s behind the ledger's newest block: {shown}", hint)
    apart = (now_ms - database_ms) / 1000
    if abs(apart) * 1000 > APART_MS_MAX:
        way = "ahead of" if apart > 0 else "behind"
        return Check(CLOCK, Level.WARNING, f"it is {abs(apart):.0f} s {way} the database's: {shown}", hint)
    return Check(CLOCK, Level.GOOD, shown)


@dataclass
class ClockWatch:
    """Sees a clock that is set while the gateway runs; the times are in seconds."""

    wall: float
    monotonic: float
    jump_min: float = 1.0

    def jump(self, wall: float, monotonic: float) -> float | None:
        """By how much the clock was set since the last look, back if negative; None if it just ran."""
        by = (wall - self.wall) - (monotonic - self.monotonic)
        self.wall, self.monotonic = wall, monotonic
        return by if abs(by) >= self.jump_min else None
