"""The real command, serving pages in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(data: Path, dsn: str) -> Iterator[str]:
    """`tallystick labels serve` on a free port; yields its address."""
    argv = [sys.executable, "-m", "tallystick", "labels", "serve", "--data", str(data), "--dsn", dsn, "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving http://127.0.0.1:"), line
            yield line.split()[1]
        finally:
            process.terminate()
            process.wait(10)
