"""A Brother QL, which no test can have, at the end of a pseudo-terminal: as /dev/usb/lp0, a file that talks back.

It takes jobs as Brother's Raster Command Reference has them, and says after each that it is printed.
"""

import os
import select
import threading
import tty
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from labels.printers.address import Address

_ASK, _RESET = b"\x1biS", b"\x1b@"


def status(
    *, kind: int = 0, errors: tuple[int, int] = (0, 0), media: tuple[int, int, int] = (0x0A, 62, 0), phase: int = 0
) -> bytes:
    """32 bytes: kind is 1 for printed, 2 for an error, 6 for a change of phase; media is its type, width and length."""
    head = bytes([0x80, 0x20, 0x42, 0x34, 0x38, 0x30, 0, 0, *errors, media[1], media[0], 0, 0, 0, 0, 0, media[2]])
    return (head + bytes([kind, phase])).ljust(32, b"\0")


@dataclass
class FakeBrother:
    """A printer with `paper` labels in it, and its media."""

    paper: int = 1_000_000
    media: tuple[int, int, int] = (0x0A, 62, 0)
    errors: tuple[int, int] = (0, 0)
    silent_after: int | None = None
    babbles_after: int | None = None
    printed: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.address = Address("", 0, os.ttyname(self._slave))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(5)
        os.close(self._master)
        os.close(self._slave)

    def _talk(self) -> None:
        come = b""
        while not self._over.is_set():
            if select.select([self._master], [], [], 0.02)[0]:
                come = self._obey(come + os.read(self._master, 65_536))

    def _obey(self, come: bytes) -> bytes:
        """What is left when each command has been carried out."""
        while command := _first(come):
            come = come[len(command) :]
            if command == _ASK:
                self._say(status(media=self.media, errors=self.errors))
            elif command == _RESET:
                self._job = b""
            elif command in (b"\x1a", b"\x0c"):
                self._print(self._job)
                self._job = b""
            elif command != b"\0":
                self._job += command
        return come

    def _print(self, job: bytes) -> None:
        if self.silent_after is not None and len(self.printed) >= self.silent_after:
            return
        self._say(status(kind=6, phase=1, media=self.media))
        if self.paper == 0:
            self.errors = (2, 0)
            self._say(status(kind=2, errors=self.errors, media=self.media))
            return
        self.paper -= 1
        self.printed.append(job)
        self._say(status(kind=1, media=self.media) + status(kind=6, media=self.media))

    def _say(self, answer: bytes) -> None:
        babbles = self.babbles_after is not None and len(self.printed) > self.babbles_after
        os.write(self._master, b"?" * 32 if babbles else answer)


_LENGTHS = {b"a": 4, b"z": 13, b"M": 4, b"A": 4, b"K": 4, b"d": 5, b"S": 3}


def _first(come: bytes) -> bytes:
    """The first command of `come`, b"" if it is not there whole."""
    if come[:1] == b"\x1b":
        length = 2 if come[1:2] == b"@" else _LENGTHS.get(come[2:3], 3)
    elif come[:1] == b"g":
        length = 3 + come[2] if len(come) > 2 else 3
    else:
        length = 1
    return come[:length] if len(come) >= length else b""


def lines(job: bytes) -> list[bytes]:
    """The raster lines of a job."""
    found = []
    while command := _first(job):
        job = job[len(command) :]
        if command[:1] == b"g":
            found.append(command[3:])
    return found
