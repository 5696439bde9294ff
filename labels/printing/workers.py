"""Processes that draw: pieces come back in the order of their jobs, and only a few are in memory at once.

Jobs go to a worker by its standard input and pieces come back by its standard output, both as pickles; so it ends
when this process does, however that ends. The first pieces are drawn here, for most runs are done sooner than a
process has started.
"""

import pickle
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from queue import Queue
from threading import Thread
from typing import IO, NamedTuple, Self

from labels.printing.outlet import Piece
from labels.printing.renderers import Job, Renderer
from ledger.audit.workers import cores
from ledger.errors import UserError

AHEAD = 2  # jobs that a worker has: one at work, one waiting
FEW = 500  # labels that are drawn here
_ENDED = (EOFError, OSError, pickle.UnpicklingError)  # between two pickles, or within one


class Failed(NamedTuple):
    """What a worker says when it cannot draw: in its user's words with a hint, or a traceback."""

    message: str
    hint: str | None


class Worker:
    """One process."""

    def __init__(self, renderer: Renderer) -> None:
        # -P: what lies in the working folder is no module of ours.
        command = [sys.executable, "-P", "-m", "labels.printing.workers"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self.jobs = 0
        _say(self._to, renderer)

    def give(self, job: Job) -> None:
        """Give it a job."""
        _say(self._to, job)
        self.jobs += 1

    def take(self) -> Piece:
        """The piece of its first job; UserError if it cannot be drawn."""
        try:
            said = pickle.load(self._from)  # noqa: S301 - our own process
        except _ENDED:
            raise UserError(
                "a process that draws labels ended before it was done",
                "if something ended it for want of memory, make room and give the same command again",
            ) from None
        if isinstance(said, Failed):
            raise UserError(said.message, said.hint) if said.hint else RuntimeError(said.message)
        assert isinstance(said, Piece)
        self.jobs -= 1
        return said

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()


class Drawing:
    """Draws with a renderer, in `processes`: one a core if it is not said."""

    def __init__(self, renderer: Renderer, processes: int | None = None) -> None:
        self._renderer, self._processes = renderer, processes or cores()
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    def pieces(self, jobs: Iterator[Job]) -> Iterator[Piece]:
        """The jobs' pieces, in order. Raises UserError if one cannot be drawn; those before it are given first."""
        here = 0
        for job in jobs:
            if here + len(job.labels) > FEW and self._processes > 1:
                yield from self._spread(job, jobs)
                return
            here += len(job.labels)
            yield self._renderer.draw(job)

    def _spread(self, first: Job, jobs: Iterator[Job]) -> Iterator[Piece]:
        self._workers = [Worker(self._renderer) for _ in range(self._processes)]
        asked, turn = deque[Worker](), cycle(self._workers)
        job: Job | None = first
        while job is not None or asked:
            while job is not None and len(asked) < AHEAD * self._processes:
                asked.append(next(turn))
                asked[-1].give(job)
                job = next(jobs, None)
            yield asked.popleft().take()


def serve(given: IO[bytes], out: IO[bytes]) -> None:
    """A worker's life: a renderer first, then jobs, until there are no more.

    A thread takes jobs in while others are drawn: else this process could wait for somebody to take its piece while
    that one waits for it to take a job.
    """
    renderer = pickle.load(given)  # noqa: S301 - our own process
    jobs = Queue[Job | None]()
    Thread(target=_listen, args=(given, jobs), daemon=True).start()
    while (job := jobs.get()) is not None:
        if not _say(out, _drawn(renderer, job)):
            return


def _listen(given: IO[bytes], jobs: "Queue[Job | None]") -> None:
    try:
        while True:
            jobs.put(pickle.load(given))  # noqa: S301
    except _ENDED:
        jobs.put(None)


def _drawn(renderer: Renderer, job: Job) -> Piece | Failed:
    try:
        return renderer.draw(job)
    except UserError as error:
        return Failed(str(error), error.hint)
    except Exception:
        return Failed(traceback.format_exc(), None)


def _say(to: IO[bytes], what: object) -> bool:
    """False if the other has ended; whoever listens to it hears it."""
    try:
        pickle.dump(what, to, pickle.HIGHEST_PROTOCOL)
        to.flush()
    except BrokenPipeError:
        return False
    return True


if __name__ == "__main__":
    from labels.printing.workers import serve as begin  # by its name, so that both sides unpickle the same

    begin(sys.stdin.buffer, sys.stdout.buffer)
