"""The folder as an outlet: files that come out whole, or not at all, and of which a later run can tell.

Each file is first written beside its place and synced; then the journal has it as sent; then it is renamed. So after
a crash, a file that is still beside its place did not come out, and one that is not did: even if a hot folder's
printer has already taken it away.

No file takes the place of another: what is there under a file's name may be somebody's labels. One that says the same
does no harm.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from labels.printing.outlet import Outlet, Part, Piece, RefusedError
from ledger import whole_file
from ledger.errors import UserError


class FolderOutlet(Outlet):
    """Files in `folder`, which is made for the first of them if it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._begun = False

    @property
    def where(self) -> str:
        return str(self._folder)

    def prepare(self, piece: Piece) -> None:
        at = self._folder
        try:
            if not self._begun:  # later it is not made anew: it may be a disk that was pulled out
                make(self._folder)
            self._begun = True
            for part in piece.parts:
                at = self._folder / part.name
                require_free(at, part.data)
                whole_file.write(self._beside(part.name), part.data)
            whole_file.sync(self._folder)
        except OSError as error:
            self._forget(piece.parts)
            raise _refused(at, error, came_out=0) from error
        except UserError as error:
            self._forget(piece.parts)
            raise RefusedError(str(error), came_out=0, hint=error.hint) from error

    def send(self, piece: Piece) -> None:
        out = 0
        for number, part in enumerate(piece.parts):
            try:
                self._put(part.name)
            except OSError as error:
                self._forget(piece.parts[number:])
                raise _refused(self._folder / part.name, error, came_out=out) from error
            out += len(part.labels)
        whole_file.sync(self._folder)

    def finish(self, names: Sequence[str]) -> bool:
        if not self._folder.exists():
            return False
        try:
            for name in names:
                if self._beside(name).is_file():
                    require_free(self._folder / name, self._beside(name).read_bytes())
                    self._put(name)
            whole_file.sync(self._folder)
        except OSError as error:
            raise UserError.of_system(f"cannot put files in their places in {self._folder}", error) from error
        return True

    def _put(self, name: str) -> None:
        self._beside(name).replace(self._folder / name)

    def _beside(self, name: str) -> Path:
        return self._folder / f".{name}.sent"

    def _forget(self, parts: Sequence[Part]) -> None:
        for part in parts:
            try:
                self._beside(part.name).unlink(missing_ok=True)
            except OSError:
                return  # the folder is away: what lies there is written over, or renamed by nobody


def _refused(path: Path, error: OSError, *, came_out: int) -> RefusedError:
    told = UserError.of_system(f"cannot write {path}", error)
    return RefusedError(str(told), came_out=came_out, hint=told.hint)


def make(folder: Path) -> None:
    """Make a folder that a person has named, if it is not there; UserError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {folder}: {error.strerror}", "name another folder with -o") from error


def require_free(path: Path, data: bytes) -> None:
    """UserError if there is something at `path` that is no file saying `data`. Raises OSError.

    What is no file is not opened: a pipe would have nothing to say for ever.
    """
    if os.path.lexists(path) and not (path.is_file() and path.read_bytes() == data):
        raise _taken(path, "folder")


def require_new(path: Path) -> None:
    """UserError if a file of labels that a person has named cannot be written: also if anything is there already."""
    if os.path.lexists(path):
        raise _taken(path, "file")
    try:
        TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise UserError.of_system(f"cannot write {path}", error) from error


def _taken(path: Path, other: str) -> UserError:
    """What is said of a file in the way of labels; another `other` is the way out."""
    return UserError(
        f"{path} is there already, and may be somebody's labels", f"move it away, or name another {other} with -o"
    )
