"""A mirror's folder: read as any published folder, and written by one process alone."""

from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.errors import TrustError, UserError
from ledger.published.folder import FolderReader
from ledger.published.paths import Kind, Place
from ledger.published.reader import NotPublishedError
from ledger.published.writer import OWN, FolderWriter
from ledger.tile import TILE_WIDTH
from ledger.trust.trust_file import Trust

_MARK = f"{OWN}/mirror"
_WHERE = "name an empty folder, or a new one"


def is_mirror(folder: Path) -> bool:
    """Whether a mirror was made here: then its trust file is its user's."""
    return (folder / _MARK).exists()


def require_trust(root: Path, given: Trust | None) -> Trust:
    """The trust file with which a new mirror begins: the one `given`; raises UserError."""
    if given is None:
        raise UserError(
            f"{root} has no trust file yet",
            "name the operator's with --trust: a source's own word for it counts for nothing",
        )
    return given


class Store:
    """The folder `root`, for as long as the block lasts. What is written is durable after `settle`.

    Raises UserError if it holds what is no mirror, or another process writes it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._writer, self._reader = FolderWriter(root), FolderReader(root)
        self.settle = self._writer.settle

    def __enter__(self) -> Self:
        try:
            names = {path.name for path in self.root.iterdir()} if self.root.exists() else set()
            if names - {OWN} and not is_mirror(self.root):
                raise UserError(f"{self.root} holds something that is no mirror", _WHERE)
            self._writer.__enter__()
        except OSError as error:
            raise UserError.of_system(f"cannot write in {self.root}", error) from error
        self.write(_MARK, b"")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def trust(self, given: Trust | None) -> Trust:
        """The trust file by which the mirror is kept: the one `given`, which takes nothing back of that before."""
        kept = self._kept_trust()
        if kept is None:
            given = require_trust(self.root, given)
        if given is not None and kept is not None and given.genesis != kept.genesis:
            raise UserError(f"{self.root} mirrors another ledger than that of the trust file", _WHERE)
        trust = given.joined(kept) if given and kept else given or kept
        assert trust is not None
        if trust != kept:
            self.write(str(Kind.TRUST), trust.text.encode())
            self.settle()
        return trust

    def _kept_trust(self) -> Trust | None:
        try:
            return Trust.parse(self.read(str(Kind.TRUST)).decode())
        except NotPublishedError:
            return None
        except (TrustError, UnicodeDecodeError) as error:
            raise UserError(
                f"the trust file in {self.root} is damaged: {error}", "give it anew with --trust"
            ) from error

    def read(self, path: str) -> bytes:
        """As every reader."""
        return self._reader.read(path)

    def find(self, place: Place) -> bytes | None:
        """What is here at a place, or None."""
        try:
            return self.read(place.path)
        except NotPublishedError:
            return None

    def own(self, name: str) -> bytes | None:
        """What the mirror remembers for itself under a name, or None."""
        return self._writer.read(f"{OWN}/{name}")

    def remember(self, name: str, data: bytes) -> None:
        """Remember something that is not published."""
        self.write(f"{OWN}/{name}", data)

    def write(self, path: str, data: bytes) -> None:
        """Make or replace a file, which is whole whatever happens."""
        self._writer.write(path, data)

    def clear_partials(self, full: Place, *, keep: int) -> None:
        """Remove the partial files beside a full one's place that nobody needs, if the newest has the width `keep`.

        Those that never change stay until there is a full one (C2SP tlog-tiles, "Partial Tiles").
        """
        if keep >= TILE_WIDTH or full.kind is Kind.CONTENT:
            self.clear_others(full, keep=keep)

    def clear_others(self, full: Place, *, keep: int) -> None:
        """Remove the partial files beside a full one's place, but for that of the width `keep`: they are not true."""
        folder = self.root / f"{full.path}.p"
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if file.name != str(keep):
                self._writer.remove(f"{full.path}.p/{file.name}")
