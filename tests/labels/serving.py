"""The real command, serving pages in a process of its own."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.running import serving


def served(data: Path, dsn: str) -> AbstractContextManager[str]:
    """`tallystick labels serve` on a free port; gives its address."""
    return serving("labels", "serve", "--data", str(data), "--dsn", dsn)
