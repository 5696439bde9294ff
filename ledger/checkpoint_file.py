"""The checkpoint beside the database: what has been published, and the guard against a restored backup.

A checkpoint is written here after COMMIT and before anything of it is served or receipted; so nothing may read a
state of the database that this file does not have.
"""

import os
from pathlib import Path


def read(folder: Path, chain: str) -> str | None:
    """The published checkpoint of `chain`: a signed note's text, or None before the first."""
    try:
        return (folder / chain).read_text("utf-8")
    except FileNotFoundError:
        return None


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
