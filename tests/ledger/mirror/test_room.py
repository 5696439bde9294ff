"""Claims about how much a mirror holds in memory of what it fetches ahead."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import pytest

from ledger.errors import SourceRefused
from ledger.mirror import room
from ledger.mirror.growth import Source
from ledger.mirror.mirror import Mirror
from ledger.mirror.store import Store
from ledger.published.reader import FILE_BYTES_MAX, Reader
from tests.ledger.published.made import Copy, Made, everything


class Slow:
    """A source whose content takes its time; it knows how many were reading it at once."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.lock, self.now, self.most = reader, Lock(), 0, 0

    def read(self, path: str) -> bytes:
        """As its reader."""
        if "/content/" not in path:
            return self.reader.read(path)
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.2)
        with self.lock:
            self.now -= 1
        return self.reader.read(path)


def _problems(reader: Reader, folder: Path, made: Made) -> list[Exception]:
    with Store(folder) as store, ThreadPoolExecutor(8) as pool:
        outcomes = Mirror(store, store.trust(made.world.trust)).round(Source(reader, pool, "a test"))
    return [outcome.problem for outcome in outcomes if outcome.problem]


@pytest.mark.parametrize("files", [1, 2])
def test_as_many_large_files_as_there_is_room_for(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    """A file of content may be of 256 MiB: no more are asked for at once than there is room, and all come."""
    monkeypatch.setattr(room, "ROOM_BYTES", files * FILE_BYTES_MAX)
    slow = Slow(Copy(everything(made.reader(), made.every_path())))
    assert _problems(slow, tmp_path, made) == []
    assert slow.most == files


def test_whoever_waits_for_room_is_let_go(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a file before is refused, those that wait behind it end too."""
    monkeypatch.setattr(room, "ROOM_BYTES", FILE_BYTES_MAX)
    copy = Copy(everything(made.reader(), made.every_path()))
    copy.flip(f"{made.origins['production']}/tile/0/000", 5)
    [problem] = _problems(Slow(copy), tmp_path, made)
    assert isinstance(problem, SourceRefused)
