"""Lines on the disk while a batch is made: of a million labels few are in memory at a time."""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self


class Spool:
    """Lines of ASCII in a file without a name, in `folder`: it goes with this process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `__exit__`
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def extend(self, lines: Iterable[str]) -> None:
        """Add lines, in order."""
        for line in lines:
            self._file.write(line.encode("ascii") + b"\n")
            self._count += 1

    def clear(self) -> None:
        """Begin anew."""
        self._file.seek(0)
        self._file.truncate()
        self._count = 0

    def __iter__(self) -> Iterator[str]:
        """All lines, from the first on."""
        self._file.seek(0)
        for line in self._file:
            yield line[:-1].decode("ascii")

    def runs(self, size: int) -> Iterator[list[str]]:
        """All lines, so many at a time."""
        lines = iter(self)
        while found := list(islice(lines, size)):
            yield found
