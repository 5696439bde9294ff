"""The checkpoint beside the database: what has been published, and the guard against a restored backup.

A checkpoint is written here after COMMIT and before anything of it is served or receipted; so nothing may read a
state of the database that this file does not have.
"""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ledger import whole_file
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointError, UserError

# The way on from an older state than was published, as a hint.
ACCEPT = (
    "'tallystick ledger accept-rollback' shows what there is to accept "
    "('tallystick up --only-database' starts the database of 'up' for it)"
)


@dataclass(frozen=True, slots=True)
class Published:
    """A published checkpoint: the signed note, and what it says."""

    note: str
    checkpoint: Checkpoint


def read(folder: Path, chain: str) -> str | None:
    """The published checkpoint of `chain`: a signed note's text, or None before the first."""
    try:
        return (folder / chain).read_text("utf-8")
    except FileNotFoundError:
        return None


def load(folder: Path, chain: str) -> Published | None:
    """The published checkpoint of `chain`, or None before the first; raises UserError if it cannot be read.

    Its signature is not looked at: this is our own file.
    """
    try:
        text = read(folder, chain)
        if text is None:
            return None
        return Published(text, parse(text))
    except (CheckpointError, UnicodeDecodeError) as error:
        raise UserError(
            f"the published checkpoint of {chain!r} is damaged: {error}", f"restore {folder / chain} from a copy"
        ) from error


def write(folder: Path, chain: str, text: str) -> None:
    """Replace the checkpoint of `chain` so that a crash leaves the old one or the new one, whole.

    A published checkpoint never goes back. A writer that stood still after its COMMIT and lost its session meanwhile
    may come here when the next writer has published more: it raises UserError, as does another root at one size.

    Between the look at the published one and its replacement a lock is held, and nobody waits for it: whoever finds
    it taken raises UserError, and may come again. A writer that stands still just there keeps the next from
    publishing until it goes on or ends: nothing may be published that it would then replace. All that takes time,
    the disk's part, is done without the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{chain}.{os.urandom(4).hex()}.new"
    try:
        with new.open("w", encoding="utf-8") as file:
            _take(file, chain)  # while it is being written, nobody clears it
            file.write(text)
            whole_file.settle(file)
            with (folder / f".{chain}.lock").open("a") as lock:
                _take(lock, chain)
                _require_newer(load(folder, chain), chain, text)
                new.replace(folder / chain)
        whole_file.sync(folder)
        _clear(folder, chain)
    finally:
        new.unlink(missing_ok=True)


def go_back(folder: Path, chain: str, text: str | None, *, keep_in: Path) -> None:
    """Let the published checkpoint of `chain` be `text`, whatever it is now, or none if it is None: the one way back.

    Only for the operator's decision, which must be on record before, and while nobody writes the chain. The one that
    is given up is kept in the folder `keep_in` first, as evidence; then nothing holds the chain any more. Raises
    UserError as `write` does. After a crash, the same again finishes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{chain}.lock").open("a") as lock:
        _take(lock, chain)
        lost = load(folder, chain)
        if lost is not None and lost.note != text:
            found = lost.checkpoint
            _put(keep_in / f"{chain}-{found.size}-{found.root.hex()[:16]}", lost.note)
        if text is None:
            (folder / chain).unlink(missing_ok=True)
        else:
            _put(folder / chain, text)
        (folder / f".{chain}.held").unlink(missing_ok=True)
        whole_file.sync(folder)


def hold(folder: Path, chain: str) -> None:
    """Say that the chain was restored from a backup: nobody writes it until `go_back` names where it goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / f".{chain}.held", "restored from a backup\n")


def is_held(folder: Path, chain: str) -> bool:
    """Whether the chain was restored from a backup, and nobody has decided on it."""
    return (folder / f".{chain}.held").exists()


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.replace(path, text.encode())


def _clear(folder: Path, chain: str) -> None:
    """Remove what writers left that were killed: what is still being written is locked by its writer."""
    for left in folder.glob(f".{chain}.*.new"):
        with suppress(BlockingIOError, FileNotFoundError), left.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def _take(lock: IO[str], chain: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(f"{chain!r}: another process is publishing its checkpoint", "stop the other gateway") from error


def _require_newer(published: Published | None, chain: str, text: str) -> None:
    new = parse(text)
    if published is None or published.checkpoint == new or published.checkpoint.size < new.size:
        return
    raise UserError(
        f"{chain!r}: a checkpoint of {new.size} entries comes after the published one of {published.checkpoint.size}",
        "does another gateway write this chain?",
    )


def parse(text: str) -> Checkpoint:
    """What a signed note of ours says; its signature is not looked at. Raises CheckpointError."""
    return Checkpoint.parse(text.rpartition("\n\n")[0] + "\n")
