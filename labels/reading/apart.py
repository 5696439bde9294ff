"""Decoding in a process apart: what breaks a decoder, or never ends, costs its picture and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from types import TracebackType
from typing import Self

from labels.reading.code import Limits, Page, PictureError
from labels.reading.protocol import LINE_BYTES_MAX, head, read_line
from ledger.errors import MalformedError

_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")  # of the environment: it may hold passwords
_BREAKS = "it breaks the program that decodes it"


class Decoder:
    """Decodes pictures one after the other, in a child that is started anew when it died. Not for several threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def read(self, picture: bytes) -> Iterator[Page]:
        """Each page of a picture as it is read; raises PictureError, also after some pages."""
        if len(picture) > self.limits.bytes_max:
            raise PictureError(f"it is larger than {self.limits.bytes_max / 1024 / 1024:,.0f} MB")
        try:
            self._send(picture)
            while (page := self._answer()) is not None:
                yield page
        except PictureError:  # after which the child waits for the next picture, or is ended
            raise
        except (OSError, MalformedError) as error:
            self._end()
            raise PictureError(_BREAKS) from error
        except BaseException:  # nobody takes the other pages
            self._end()
            raise

    def _send(self, picture: bytes) -> None:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = _start()
        assert self._child.stdin is not None
        with self._watched():
            self._child.stdin.write(head(len(picture), self.limits) + picture)
            self._child.stdin.flush()

    def _answer(self) -> Page | None:
        """The next page, or None after the last."""
        assert self._child is not None and self._child.stdout is not None
        with self._watched() as late:
            line = self._child.stdout.readline(LINE_BYTES_MAX)
        if line.endswith(b"\n"):
            return read_line(line)
        self._end()
        raise PictureError(f"a page of it takes longer than {self.limits.page_s:g} seconds" if late else _BREAKS)

    @contextmanager
    def _watched(self) -> Iterator[list[bool]]:
        """The child is killed if the block takes longer than a page may; then what is yielded is not empty."""
        child, late = self._child, list[bool]()
        assert child is not None

        def kill() -> None:
            late.append(True)
            child.kill()

        timer = Timer(self.limits.page_s, kill)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with suppress(OSError), child:  # which closes its pipes, and waits for it
                pass


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "labels.reading.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        process_group=0,  # Ctrl-C ends it by way of us; a session of its own would have its share, however nice it is
    )
