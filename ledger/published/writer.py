"""Writing a published folder so that whoever reads it, or comes after a crash, finds each file whole or not at all."""

import fcntl
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ledger import whole_file
from ledger.errors import UserError

OWN = ".tallystick"  # what in the folder is the writer's, and no path that is published
_NEW, _LOCK = f"{OWN}/new", f"{OWN}/lock"


class FolderWriter:
    """Writes below `root`, alone: a second writer gets a UserError. What is written is durable after `settle`.

    A file is written under another name, synced, and renamed. So one that is there is whole, whatever happened.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._touched: set[Path] = set()
        self._made: set[Path] = set()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            self._make((self.root / OWN).absolute())
            lock = entered.enter_context((self.root / _LOCK).open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(f"another process writes {self.root}", "wait until it has ended") from error
            (self.root / _NEW).unlink(missing_ok=True)
            self._exit = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return (self.root / path).is_file()

    def read(self, path: str) -> bytes | None:
        """What is in a file, or None."""
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, data: bytes) -> None:
        """Make or replace a file."""
        target, new = (self.root / path).absolute(), self.root / _NEW
        self._make(target.parent)
        whole_file.write(new, data)
        new.replace(target)
        self._touched.add(target.parent)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there, and its folder, if that was its last."""
        target = (self.root / path).absolute()
        target.unlink(missing_ok=True)
        self._touched.add(target.parent)
        with suppress(OSError):
            target.parent.rmdir()
            self._touched.discard(target.parent)
            self._made.discard(target.parent)

    def settle(self) -> None:
        """Wait until all names are on the disk."""
        for folder in sorted(self._touched):
            with suppress(FileNotFoundError):  # removed since
                whole_file.sync(folder)
        self._touched.clear()

    def _make(self, folder: Path) -> None:
        if folder in self._made:
            return
        missing = [folder, *folder.parents]
        missing = missing[: next(n for n, parent in enumerate(missing) if parent.is_dir())]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            self._touched.add(parent.parent)
        self._made.add(folder)
