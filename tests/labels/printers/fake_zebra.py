"""A label printer that speaks ZPL over TCP, which no test can have: it prints, runs out, answers and sulks as told.

    with FakeZebra(paper=7) as printer:
        …                       # what is sent to printer.address comes out in printer.printed, label by label
        printer.mend()          # someone puts a new roll in; what is still in its memory comes out

It knows ^XA…^XZ, ~HS and ~JA. A label at the roll's end, of which half came out, is in `spoiled` if nobody mends that.
"""

import re
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from labels.printers.address import Address

_COMMAND = re.compile(rb"\^XA.*?\^XZ|~HS|~JA", re.DOTALL)
Answer = Callable[[bytes], list[bytes]]


def host_status(*, formats: int = 0, remaining: int = 0, faults: str = "") -> bytes:
    """An answer to ~HS; faults are named in a word each: paper, ribbon, head, pause."""
    has = {fault: int(fault in faults.split()) for fault in ("paper", "ribbon", "head", "pause", "partial")}
    lines = (
        f"030,{has['paper']},{has['pause']},0240,{formats:03},0,0,{has['partial']},000,0,0,0",
        f"001,0,{has['head']},{has['ribbon']},1,2,6,0,{remaining:08},1,000",
        "1234,0",
    )
    return b"".join(b"\x02" + line.encode() + b"\x03\r\n" for line in lines)


@dataclass
class FakeZebra:
    """A printer with `paper` labels on its roll, which takes `label_s` seconds for one."""

    paper: int = 1_000_000
    label_s: float = 0.01
    fault: str = ""  # what it begins with
    counts_current: str = "remaining"  # where ~HS counts the label under the head: remaining, formats, or nowhere
    silent_when_out: bool = False  # as Zebra's newer guides say of a printer that is out of labels
    forgets: bool = True  # whether ~JA works
    answer: Answer | None = None  # what it says instead, in pieces
    hangs_up_after: int | None = None  # ... so many labels have come
    reads: bool = True
    family: int = socket.AF_INET
    printed: list[bytes] = field(default_factory=list)
    spoiled: list[bytes] = field(default_factory=list)
    asked: int = 0

    def __enter__(self) -> Self:
        self._queue: list[bytes] = []
        self._current: bytes | None = None
        self.came, self._over, self._lock = 0, threading.Event(), threading.RLock()
        self._server = socket.socket(self.family, socket.SOCK_STREAM)
        self._server.bind(("::1" if self.family == socket.AF_INET6 else "127.0.0.1", 0))
        self._server.listen()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._serve, self._print)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._server.close()

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._server.getsockname()[:2]
        return Address(host, port)

    def mend(self) -> None:
        """Put a new roll in, and let come out what is still to come."""
        with self._lock:
            self.paper, self.fault = 1_000_000, ""
        time.sleep(min(1.0, self.label_s * (len(self._queue) + 2) + 0.05))

    def _serve(self) -> None:
        while not self._over.is_set():
            if not select.select([self._server], [], [], 0.05)[0]:
                continue
            with self._server.accept()[0] as line, suppress(ConnectionError):
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        come = b""
        while not self._over.is_set():
            if not self.reads or not select.select([line], [], [], 0.02)[0]:
                time.sleep(0.001)
                continue
            more = line.recv(4096)
            if not more:
                return
            come = self._obey(come + more, line)
            if self.hangs_up_after is not None and self.came >= self.hangs_up_after:
                return

    def _obey(self, come: bytes, line: socket.socket) -> bytes:
        at = 0
        for found in _COMMAND.finditer(come):
            at = found.end()
            if found[0] == b"~HS":
                self._tell(line)
            elif found[0] == b"~JA":
                self._forget()
            else:
                with self._lock:
                    self._queue.append(found[0])
                self.came += 1
        return come[at:]

    def _tell(self, line: socket.socket) -> None:
        self.asked += 1
        if self.fault and self.silent_when_out:
            return
        with self._lock:
            formats, current = len(self._queue), int(self._current is not None)
            truth = host_status(
                formats=formats + current * (self.counts_current == "formats"),
                remaining=current * (self.counts_current == "remaining"),
                faults=self.fault,
            )
        for piece in self.answer(truth) if self.answer else [truth]:
            line.sendall(piece)
            time.sleep(0.002)

    def _forget(self) -> None:
        with self._lock:
            if self.forgets:
                self._queue.clear()
                if self._current is not None and self.fault:
                    self.spoiled.append(self._current)
                    self._current = None

    def _print(self) -> None:
        while not self._over.is_set():
            with self._lock:
                if self._current is None and self._queue and not self.fault:
                    self._current = self._queue.pop(0)
            self._over.wait(self.label_s)
            with self._lock:
                if self._current is None or self.fault:
                    continue
                if self.paper == 0:
                    self.fault = "paper"  # it noticed with the label half printed, and prints that again when mended
                else:
                    self.paper -= 1
                    self.printed.append(self._current)
                    self._current = None
