"""A folder as an outlet: files come out whole, and none takes the place of another."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from labels.printing.folder import FolderOutlet
from labels.printing.outlet import Part, Piece, RefusedError
from ledger.errors import UserError

PIECE = Piece((Part("1.png", b"one", ()), Part("2.png", b"two", ())))


def contents(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_folder_is_made_for_its_first_file(tmp_path: Path) -> None:
    """And not before: a run that is refused leaves none. Later it is not made anew."""
    outlet = FolderOutlet(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists() and not outlet.finish(["1.png"])
    outlet.prepare(PIECE)
    outlet.send(PIECE)
    assert contents(tmp_path / "a" / "b") == {"1.png": b"one", "2.png": b"two"}
    (tmp_path / "a").rename(tmp_path / "away")
    with pytest.raises(RefusedError, match=r"cannot write .*/a/b/1.png: No such file"):
        outlet.prepare(PIECE)
    assert not (tmp_path / "a").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With the system's word."""
    (tmp_path / "file").touch()
    with pytest.raises(RefusedError, match=r"cannot make .*/file/out: Not a directory") as refused:
        FolderOutlet(tmp_path / "file" / "out").prepare(PIECE)
    assert "-o" in refused.value.hint and refused.value.came_out == 0


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    """Before anything is sent, and with nothing left beside it; what says the same may be there."""
    (tmp_path / "1.png").write_bytes(b"one")
    (tmp_path / "2.png").write_bytes(b"another's")
    with pytest.raises(RefusedError, match=r"2\.png is there already") as refused:
        FolderOutlet(tmp_path).prepare(PIECE)
    assert refused.value.came_out == 0 and "-o" in refused.value.hint
    assert contents(tmp_path) == {"1.png": b"one", "2.png": b"another's"}
    (tmp_path / "2.png").unlink()
    outlet = FolderOutlet(tmp_path)
    outlet.prepare(PIECE)
    outlet.send(PIECE)
    assert contents(tmp_path) == {"1.png": b"one", "2.png": b"two"}


def test_nor_is_it_by_the_run_after_one_that_died(tmp_path: Path) -> None:
    """What the first had sent is put in its place only where that is free."""
    FolderOutlet(tmp_path).prepare(PIECE)
    (tmp_path / "2.png").write_bytes(b"another's")
    with pytest.raises(UserError, match=r"2\.png is there already"):
        FolderOutlet(tmp_path).finish(["1.png", "2.png"])
    assert contents(tmp_path) == {"1.png": b"one", "2.png": b"another's", ".2.png.sent": b"two"}
    (tmp_path / "2.png").unlink()
    assert FolderOutlet(tmp_path).finish(["1.png", "2.png"])
    assert contents(tmp_path) == {"1.png": b"one", "2.png": b"two"}


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_in_the_way_as_well(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A pipe is not read, which would have no end; a folder or a link that leads nowhere is told as a file is."""
    make(tmp_path / "2.png")
    with pytest.raises(RefusedError, match=r"2\.png is there already") as refused:
        FolderOutlet(tmp_path).prepare(PIECE)
    assert refused.value.came_out == 0 and "-o" in refused.value.hint
    assert [file.name for file in tmp_path.iterdir()] == ["2.png"]
