"""The processes of an audit: `python -m ledger.audit.worker`, started by `ledger.audit.workers` and by nobody else.

One is started with the module of their source and the pipes of all, two descriptors for each, and forks them. A worker
hears where the source is and what the registry says, then one job after another, and answers each with a piece.
"""

import gc
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from multiprocessing.connection import Connection

from ledger.audit.examine import Examiner
from ledger.audit.workers import Begin, Failed
from ledger.errors import UserError


def main(module: str, descriptors: Sequence[int]) -> None:
    """Fork a worker for each pair of pipes (jobs to read, pieces to write), and wait for all to end."""
    import_module(module)  # once, for all that are forked; and what reads no database needs no psycopg
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this: then the pipes end
    pairs = list(zip(descriptors[::2], descriptors[1::2], strict=True))
    gc.freeze()
    for pair in pairs:
        if os.fork() == 0:
            for other in pairs:
                if other != pair:
                    os.close(other[0])
                    os.close(other[1])
            run(*pair)
            os._exit(0)
    for descriptor in descriptors:
        os.close(descriptor)
    for _ in pairs:
        os.wait()


def run(jobs: int, pieces: int) -> None:
    """Work until the jobs end."""
    reads, writes = Connection(jobs, writable=False), Connection(pieces, readable=False)
    try:
        _work(reads, writes)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except UserError as error:
        writes.send(Failed(str(error), error.hint))
    except Exception:
        writes.send(Failed(traceback.format_exc(), None))


def _work(jobs: Connection, pieces: Connection) -> None:
    begin: Begin = jobs.recv()
    with begin.at.open() as source:
        examiner = Examiner(begin.voices, is_whole=source.is_whole)
        gc.disable()  # a range makes ten thousands of values, and no cycles: there is nothing to find
        while True:
            job = jobs.recv()
            piece = examiner.examine(source.entries(job.log.chain, job.first, job.end), job)
            piece.unread = list(source.unread())
            pieces.send(piece)


if __name__ == "__main__":
    main(sys.argv[1], [int(argument) for argument in sys.argv[2:]])
