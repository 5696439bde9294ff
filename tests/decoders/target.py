"""A decoder as hypothesis and `make fuzz` see it: it reads bytes and gives a value, or raises one of its named errors.

Anything else is a fault. What has a `write` reads back what it writes; what has `one_encoding` reads nothing else.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ledger.errors import UserError

Errors = type[Exception] | tuple[type[Exception], ...]
NOT_JSON: Errors = (ValueError, RecursionError)  # of json.loads, for what is none


@dataclass(frozen=True, slots=True)
class Target:
    """A decoder. `name` is the function's, with what tells two of one function apart; `seeds` are valid inputs."""

    name: str
    read: Callable[[bytes], Any]
    errors: Errors
    seeds: tuple[bytes, ...]
    write: Callable[[Any], bytes] | None = None
    one_encoding: bool = False

    @property
    def function(self) -> str:
        """The dotted name of what is called."""
        return self.name.partition(" ")[0]

    def check(self, data: bytes) -> bool:
        """Whether `data` was taken. Raises what the decoder must not, or AssertionError."""
        try:
            value = self.read(data)
        except self.errors:
            return False
        if self.write is not None:
            written = self.write(value)
            assert written == data or not self.one_encoding, f"two encodings of one value: {data!r} and {written!r}"
            assert written == data or self.read(written) == value, f"{written!r} does not read back as {value!r}"
        return True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")  # a lone surrogate is text to Python


def as_bytes(text: str) -> bytes:
    """The bytes of a text that `of_text` reads."""
    return text.encode("utf-8", "surrogateescape")


def of_bytes(
    name: str,
    read: Callable[[bytes], Any],
    errors: Errors,
    *valid: bytes,
    write: Callable[[Any], bytes] | None = None,
    one_encoding: bool = True,
) -> Target:
    """A target that reads bytes."""
    return Target(name, read, errors, valid, write, write is not None and one_encoding)


def of_text(
    name: str,
    read: Callable[[str], Any],
    errors: Errors,
    *valid: str,
    write: Callable[[Any], str] | None = None,
    one_encoding: bool = True,
) -> Target:
    """A target that reads text."""
    back = None if write is None else lambda value: as_bytes(write(value))
    encoded = tuple(map(as_bytes, valid))
    return Target(name, lambda data: read(_text(data)), errors, encoded, back, write is not None and one_encoding)


def of_file(name: str, load: Callable[[Path], Any], *valid: str, file: str = "file") -> Target:
    """A target that reads a file, whose path it is given."""

    def read(data: bytes) -> Any:
        path = folder() / file
        path.write_bytes(data)
        return load(path)

    return Target(name, read, UserError, tuple(map(as_bytes, valid)))


@cache
def folder() -> Path:
    """A folder for this process's files; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="tally-decoders-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
