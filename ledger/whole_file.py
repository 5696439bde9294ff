"""Files that are whole whatever happens: written beside their place, synced, and put there in one step."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from ledger.errors import UserError


def replace(path: Path, data: bytes, *, private: bool = False, owner: tuple[int, int] | None = None) -> None:
    """Make or replace the file at `path`: a crash leaves the old one or the new one. OSError leaves the old one.

    A `private` file is for its owner alone to read; `owner` is (uid, gid), if it is another's.
    """
    beside = _beside(path)
    try:
        write(beside, data, private=private, owner=owner)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync(path.parent)


def put_lines(path: Path, lines: Iterable[str]) -> None:
    """As `put`, for text of any length: few lines are in memory at a time. What `lines` raises leaves no file."""
    beside = _beside(path)
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
            settle(file)
        beside.replace(path)
        sync(path.parent)
    except OSError as error:
        raise UserError.of_system(f"cannot write {path}", error) from error
    finally:
        beside.unlink(missing_ok=True)


def put(path: Path, data: bytes) -> None:
    """As `replace`, for a file that the user has named; raises UserError."""
    try:
        replace(path, data)
    except OSError as error:
        raise UserError.of_system(f"cannot write {path}", error) from error


def create(path: Path, data: bytes) -> None:
    """Make a private file at `path`, and never over another: FileExistsError then."""
    beside = _beside(path)
    try:
        write(beside, data, private=True)
        os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    sync(path.parent)


def write(path: Path, data: bytes, *, private: bool = False, owner: tuple[int, int] | None = None) -> None:
    """Write a file where nobody looks for it yet, and see its content on the disk."""
    mode = 0o600 if private else 0o666
    path.unlink(missing_ok=True)  # what a dead run left, or a link that another put there: it is not followed
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(data)
        settle(file)


def settle(file: IO[str] | IO[bytes]) -> None:
    """See on the disk what was written to `file`."""
    file.flush()
    os.fsync(file.fileno())


def sync(path: Path) -> None:
    """See a file on the disk, or what names a folder has."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name.removeprefix('.')}.{os.urandom(4).hex()}.partial")
