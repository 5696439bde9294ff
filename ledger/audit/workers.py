"""Processes that examine ranges beside one another: one a core, started when there is enough to do.

Each opens the source by itself, from a `SourceAt`. Jobs go to them and pieces come back as pickles over pipes, so a
worker ends when this process does, however that ends. Pieces are given on in the order of their jobs.

They are forked by one process that does nothing else (`ledger.audit.worker`): to start Python costs as much as to check
five thousand signatures, and this process may have threads and connections, which do not survive a fork.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import NamedTuple, Self

from ledger.audit.histories import Voices
from ledger.audit.piece import Job, Piece
from ledger.audit.rows import Source, SourceAt
from ledger.audit.walk import in_process
from ledger.errors import UserError

FEW = 8  # ranges that are sooner examined here than by processes that have to start first
AHEAD = 2  # jobs that a worker has: one at work, one waiting


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Begin(NamedTuple):
    """What a worker hears first."""

    at: SourceAt
    voices: Voices


class Failed(NamedTuple):
    """What a worker says when it cannot go on: in its user's words with a hint, or a traceback."""

    message: str
    hint: str | None


class Workers:
    """At most `count` processes that examine what is at `at`; what is little is examined here, from `source`."""

    def __init__(self, source: Source, at: SourceAt, count: int) -> None:
        self._source, self._at, self._count = source, at, count
        self._workers: list[_Worker] = []
        self._starter: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        if self._starter is not None:
            self._starter.wait()  # for all of them

    def examine(self, voices: Voices, jobs: Iterator[Job]) -> Iterator[Piece]:
        """Examine a chain's ranges; what comes of them comes in order."""
        first = list(islice(jobs, FEW + 1))
        if len(first) <= FEW or self._count < 2:
            return in_process(self._source)(voices, chain(first, jobs))
        if not self._workers:
            self._start(Begin(self._at, voices))
        return self._spread(chain(first, jobs))

    def _start(self, begin: Begin) -> None:
        ours, theirs = list[tuple[int, int]](), list[int]()
        for _ in range(self._count):
            (jobs_out, jobs_in), (pieces_out, pieces_in) = os.pipe(), os.pipe()
            ours.append((jobs_in, pieces_out))
            theirs += [jobs_out, pieces_in]
        # -P: what lies in the working folder, which may be somebody's export, is no module of ours.
        command = [sys.executable, "-P", "-m", "ledger.audit.worker", type(begin.at).__module__, *map(str, theirs)]
        self._starter = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=theirs)
        for descriptor in theirs:
            os.close(descriptor)
        self._workers = [_Worker(*pipes) for pipes in ours]
        for worker in self._workers:
            worker.send(begin)

    def _spread(self, jobs: Iterator[Job]) -> Iterator[Piece]:
        """Keep all at work, and no more than some ranges ahead of what was given on: those are in memory."""
        done, handed, given, more = dict[int, Piece](), 0, 0, True
        while more or given < handed:
            while more and handed - given < 2 * AHEAD * self._count and (worker := self._idle()) is not None:
                job = next(jobs, None)
                if job is None:
                    more = False
                else:
                    worker.give(handed, job)
                    handed += 1
            if given in done:
                yield done.pop(given)
                given += 1
            elif given < handed:
                done |= dict(worker.take() for worker in self._ready())

    def _idle(self) -> "_Worker | None":
        """Who has the fewest jobs, if any can take one."""
        worker = min(self._workers, key=lambda worker: len(worker.jobs))
        return worker if len(worker.jobs) < AHEAD else None

    def _ready(self) -> list["_Worker"]:
        """Those who have something to say, once any has."""
        ready = wait([worker.output for worker in self._workers if worker.jobs])
        return [worker for worker in self._workers if worker.output in ready]


class _Worker:
    """One process, by the pipes to it and from it, and the numbers of the jobs that it has."""

    def __init__(self, to: int, output: int) -> None:
        self._input = Connection(to, readable=False)
        self.output = Connection(output, writable=False)
        self.jobs: deque[int] = deque()

    def give(self, number: int, job: Job) -> None:
        """Give it a job."""
        self.send(job)
        self.jobs.append(number)

    def take(self) -> tuple[int, Piece]:
        """What came of its first job, with the job's number. Raises what it met, in its words."""
        try:
            said = self.output.recv()
        except EOFError:
            raise _gone() from None
        if isinstance(said, Failed):
            raise UserError(said.message, said.hint) if said.hint else RuntimeError(said.message)
        assert isinstance(said, Piece)
        return self.jobs.popleft(), said

    def send(self, what: Begin | Job) -> None:
        """Say something to it."""
        with suppress(BrokenPipeError):  # then it has ended, and may have said why: `take` hears it
            self._input.send(what)

    def end(self) -> None:
        """Let it end."""
        self._input.close()
        self.output.close()


def _gone() -> UserError:
    return UserError(
        "a process of the audit ended before it was done",
        "if something ended it for want of memory, make room and run the audit again",
    )
