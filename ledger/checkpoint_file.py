"""The checkpoint beside the database: what has been published, and the guard against a restored backup.

A checkpoint is written here after COMMIT and before anything of it is served or receipted; so nothing may read a
state of the database that this file does not have.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointError, UserError


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
        return Published(text, Checkpoint.parse(text.rpartition("\n\n")[0] + "\n"))
    except (CheckpointError, UnicodeDecodeError) as error:
        raise UserError(
            f"the published checkpoint of {chain!r} is damaged: {error}", f"restore {folder / chain} from a copy"
        ) from error


def write(folder: Path, chain: str, text: str) -> None:
    """Replace the checkpoint of `chain` so that a crash leaves the old one or the new one, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{chain}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / chain)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
