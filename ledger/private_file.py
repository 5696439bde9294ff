"""Secrets in files of their own."""

import os
from pathlib import Path


def create(path: Path, text: str) -> None:
    """Make a file that only its owner may read: whole or not at all, and never over another: FileExistsError then."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    finally:
        partial.unlink()
