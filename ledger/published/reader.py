"""The one interface by which all that is published is read."""

from typing import Protocol

from ledger.errors import OutsideError

FILE_BYTES_MAX = 256 * 1024 * 1024


class NotPublishedError(OutsideError):
    """Nothing is published at that path."""


class NotForYouError(NotPublishedError):
    """What is published at that path is not for who asks."""


class Reader(Protocol):
    """Where published things are: a database, a folder, an address."""

    def read(self, path: str) -> bytes:
        """The bytes at `path`, or NotPublishedError, whatever the path is."""
