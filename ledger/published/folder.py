"""What is published, in a folder: an export, a mirror, or what `wget` made of either."""

import errno
import os
import stat
from pathlib import Path

from ledger.published.policy import parse
from ledger.published.reader import FILE_BYTES_MAX, NotPublishedError

# What is wrong with this machine, not with the folder: whoever reads must not take it for a ledger without the file.
_OURS = {errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class FolderReader:
    """Reads below `root`, and by no path elsewhere."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root).rstrip(os.sep) + os.sep

    def read(self, path: str) -> bytes:
        """The bytes at `path`, or NotPublishedError. Raises OSError if they are there and cannot be read."""
        parse(path)
        file = self._root + path
        try:
            if not os.path.realpath(file).startswith(self._root):
                raise NotPublishedError("it is a link that leads out of the folder")
            return _read(file)
        except OSError as error:
            if error.errno in _OURS:
                raise
            raise NotPublishedError("there is no such file") from error


def _read(file: str) -> bytes:
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:  # nothing waits
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES_MAX:
            raise NotPublishedError("it is no file, or over its size")
        return opened.read()
