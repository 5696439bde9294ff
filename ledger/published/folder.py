"""What is published, in a folder: an export, a mirror, or what `wget` made of either."""

import os
import stat
from pathlib import Path

from ledger.published.policy import parse
from ledger.published.reader import FILE_BYTES_MAX, NotPublishedError


class FolderReader:
    """Reads below `root`, and by no path elsewhere."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def read(self, path: str) -> bytes:
        """The bytes at `path`, or NotPublishedError. Raises OSError if they are there and cannot be read."""
        file = self._root / parse(path).path
        try:
            if not file.resolve().is_relative_to(self._root):
                raise NotPublishedError("it is a link that leads out of the folder")
            return _read(file)
        except (
            FileNotFoundError,
            NotADirectoryError,
            IsADirectoryError,
            RuntimeError,
        ) as error:  # the last: links in a ring
            raise NotPublishedError("there is no such file") from error


def _read(file: Path) -> bytes:
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:  # nothing waits
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES_MAX:
            raise NotPublishedError("it is no file, or over its size")
        return opened.read()
