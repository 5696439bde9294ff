"""A lot printed as the command does it: in pieces, by processes, and whatever kills it, each serial once."""

import os
import pickle
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from labels import gs1
from labels.batch import Label
from labels.listed import StoredLabel
from labels.printing import formats, workers
from labels.printing.decoded import texts_in
from labels.printing.folder import FolderOutlet
from labels.printing.lot import Lot, Wanted, print_lot
from labels.printing.outlet import Numbered, Piece
from labels.printing.renderers import Job, LotFace, PdfSheets, Pictures
from labels.printing.stopped import PrintStopped
from labels.printing.style import SheetStyle
from labels.printing.workers import Drawing
from labels.signature import DIGITS
from ledger.errors import UserError
from tests.bench.cpu import descendants
from tests.labels.printing.lots import GTIN, HOST, LOT, issued, journal, serials
from tests.running import eventually

STYLE = SheetStyle(formats.by_number("L7160"), sheets=1)
SHEETS = PdfSheets(LotFace(HOST, LOT, "Risotto Rice"), STYLE)


def lot(dsn: str, *counts: int) -> Lot:
    """An issued lot."""
    return Lot(GTIN, LOT, tuple(issued(dsn, *counts)))


def printed(folder: Path) -> Counter[str]:
    """How often each serial is on the sheets in a folder, by its code."""
    found = Counter[str]()
    for file in folder.glob("*.pdf"):
        with pypdfium2.PdfDocument(file) as document:
            for page in document:
                found.update(
                    gs1.parse(text).serial or ""
                    for text in texts_in(page.render(scale=203 / 72, grayscale=True).to_pil())
                )
    return found


def test_a_lot_is_drawn_by_processes_in_order(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces come out in the order of the lot, whoever drew them; each serial is on the sheets once."""
    monkeypatch.setattr(workers, "FEW", 0)
    whole, done = lot(postgres_dsn, 100, 40), list[tuple[str, int, int]]()
    count = print_lot(
        postgres_dsn, whole, SHEETS, FolderOutlet(tmp_path), processes=2,
        tell=lambda piece, out, of: done.append((piece.parts[0].name, out, of)),
    )  # fmt: skip
    assert count == 140 and [out for _, out, _ in done] == [21, 42, 63, 84, 105, 126, 140]
    assert (
        done[0] == (f"{GTIN}-{LOT}-0000001-0000021.pdf", 21, 140) and done[-1][0] == f"{GTIN}-{LOT}-0000127-0000140.pdf"
    )
    found = printed(tmp_path)
    assert len(found) == 140 and set(found.values()) == {1}


def test_a_recalled_item_is_left_out(postgres_dsn: str, tmp_path: Path) -> None:
    """Its label comes out with none of the lot's, the first time as when all is printed again; others are counted."""
    whole = lot(postgres_dsn, 5)
    [first, second, *_] = serials(postgres_dsn, list(whole.batches))
    some = replace(whole, recalled=frozenset({second, "OF-ANOTHER-LOT"}))
    told = list[str]()
    for number, wanted in enumerate((Wanted(serials=(first,)), Wanted(), Wanted(again=True))):
        outlet = FolderOutlet(tmp_path / str(number))
        count = print_lot(
            postgres_dsn, some, SHEETS, outlet, wanted=wanted,
            tell_left_out=lambda labels: told.extend(label.serial for label in labels),
        )  # fmt: skip
        assert count == [1, 3, 4][number] and told == [second] * number
        assert second not in printed(tmp_path / str(number))
    with pytest.raises(UserError, match="are printed"):
        print_lot(postgres_dsn, some, SHEETS, FolderOutlet(tmp_path))


def test_two_lots_in_one_folder_keep_their_files(postgres_dsn: str, tmp_path: Path) -> None:
    """No file of the one takes the place of the other's, which the journal has as printed."""
    whole = lot(postgres_dsn, 5)
    for name in (LOT, "A/1"):
        lot_face, one = replace(SHEETS.lot_face, lot=name), replace(whole, lot=name)
        sheets = replace(SHEETS, lot_face=lot_face)
        print_lot(postgres_dsn, one, sheets, FolderOutlet(tmp_path), wanted=Wanted(again=True))
    ends = "0000001-0000005.pdf"
    assert {file.name for file in tmp_path.iterdir()} == {f"{GTIN}-{LOT}-{ends}", f"{GTIN}-A%2F1-{ends}"}


def test_equal_serials_are_files_of_their_own() -> None:
    """Of two products, of two lots, of two links of one lot, and such as differ by their case alone."""
    names = []
    for gtin, lot_name in ((GTIN, LOT), ("09506000134369", LOT), (GTIN, "L2606B")):
        links = [gs1.item(gtin, serial=serial) for serial in ("a/1", "A/1", ".5", "B-1")]
        links.append(gs1.item(gtin, lot=lot_name, serial="A/1"))
        labels = [
            Numbered(number, StoredLabel(Label(link.canonical_path, "0" * DIGITS), b"", number - 1))
            for number, link in enumerate(links, 1)
        ]
        names += [part.name for part in Pictures(LotFace(HOST, lot_name)).draw(Job(tuple(labels))).parts]
    assert names[:3] == [f"{GTIN}-{LOT}-000000{end}.png" for end in ("1-a%2F1", "2-A%2F1", "3-.5")]
    assert len({name.lower() for name in names}) == 15 and not any("/" in name for name in names)


def test_what_is_printed_is_printed_again_only_when_asked(postgres_dsn: str, tmp_path: Path) -> None:
    """All of it, or some serials."""
    whole, outlet = lot(postgres_dsn, 5), FolderOutlet(tmp_path)
    [first, second, *_] = serials(postgres_dsn, list(whole.batches))

    def run(wanted: Wanted) -> int:
        return print_lot(postgres_dsn, whole, Pictures(LotFace(HOST, LOT)), outlet, wanted=wanted)

    assert run(Wanted(serials=(second,))) == 1 and len(list(tmp_path.glob(f"*-{second}.png"))) == 1
    with pytest.raises(UserError, match=f"the label with serial {second} is printed"):
        run(Wanted(serials=(first, second)))
    assert run(Wanted()) == 4
    with pytest.raises(UserError, match=f"all 5 labels of lot {LOT} are printed") as refused:
        run(Wanted())
    assert "--again" in refused.value.hint
    assert run(Wanted(again=True, serials=(first, first))) == 1 and run(Wanted(again=True)) == 5
    with pytest.raises(UserError, match=f"no label of lot {LOT} has serial NOSUCH"):
        run(Wanted(serials=("NOSUCH",)))


@pytest.mark.parametrize("seed", range(2))
def test_a_run_that_is_killed_at_any_moment_prints_each_label_once(
    postgres_dsn: str, tmp_path: Path, seed: int
) -> None:
    """Killed again and again: in the end each serial is on one sheet, and none is lacking."""
    whole, chance = lot(postgres_dsn, 150), random.Random(seed)
    expected = serials(postgres_dsn, list(whole.batches))
    for _ in range(40):
        child = subprocess.Popen([sys.executable, "-c", _RUN, postgres_dsn, str(tmp_path), *_roots(whole)])
        if (drawing := _starts_drawing(tmp_path, child)) is not None:
            time.sleep(chance.uniform(0, 0.5))
        child.send_signal(signal.SIGKILL)
        if child.wait() == 0 or drawing is None:
            break
    print_or_done(postgres_dsn, whole, tmp_path)
    found = printed(tmp_path)
    assert sorted(found) == sorted(expected) and set(found.values()) == {1}
    assert not list(tmp_path.glob(".*"))


def _starts_drawing(folder: Path, child: subprocess.Popen[bytes]) -> int | None:
    """How many files there are once the run adds one, or None when it has ended by itself."""
    before = len(list(folder.glob("*.pdf")))
    while child.poll() is None:
        if (now := len(list(folder.glob("*.pdf")))) > before:
            return now
        time.sleep(0.01)
    return None


def print_or_done(dsn: str, whole: Lot, folder: Path) -> None:
    """Print what is left, if anything is."""
    try:
        print_lot(dsn, whole, SHEETS, FolderOutlet(folder))
    except UserError as error:
        assert "are printed" in str(error)


def _roots(whole: Lot) -> list[str]:
    return [batch.root.hex() for batch in whole.batches]


_RUN = f"""
import sys
from pathlib import Path
from labels.batch import Batch
from labels.batch import Label
from labels.listed import StoredLabel
from labels.printing import formats, workers
from labels.printing.folder import FolderOutlet
from labels.printing.lot import Lot, print_lot
from labels.printing.renderers import PdfSheets, LotFace
from labels.printing.style import SheetStyle
workers.FEW = 0
dsn, folder, *roots = sys.argv[1:]
batches = tuple(Batch("{GTIN}", "{LOT}", 150, bytes.fromhex(root), bytes(32), 0) for root in roots)
sheets = PdfSheets(LotFace("{HOST}", "{LOT}", "Risotto Rice"), SheetStyle(formats.by_number("L7160"), sheets=1))
print_lot(dsn, Lot("{GTIN}", "{LOT}", batches), sheets, FolderOutlet(Path(folder)), processes=2)
"""


def test_processes_that_draw_end_with_the_run(postgres_dsn: str, tmp_path: Path) -> None:
    """However it ends: killed, it leaves none behind."""
    whole = lot(postgres_dsn, 150)
    child = subprocess.Popen([sys.executable, "-c", _RUN, postgres_dsn, str(tmp_path), *_roots(whole)])
    eventually(lambda: len(descendants(child.pid)) >= 2, within_s=30)
    drawing = descendants(child.pid)
    child.kill()
    child.wait()
    eventually(lambda: not any(map(_lives, drawing)), within_s=30)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def no_file_larger_than(count: int) -> Iterator[None]:
    """This process can write no larger files: as on a full disk, a write fails half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Filling(FolderOutlet):
    """A folder whose disk is full after two pieces."""

    full_after = 2

    def prepare(self, piece: Piece) -> None:
        self.full_after -= 1
        if self.full_after < 0:
            with no_file_larger_than(4_096):
                super().prepare(piece)
        super().prepare(piece)


def test_a_full_disk_is_told_exactly(postgres_dsn: str, tmp_path: Path) -> None:
    """Which sheet, how many are out, which was the last, the next; nothing half-written is left, the rest follows."""
    whole = lot(postgres_dsn, 100)
    expected = serials(postgres_dsn, list(whole.batches))
    with pytest.raises(PrintStopped) as stopped:
        print_lot(postgres_dsn, whole, SHEETS, Filling(tmp_path))
    message = str(stopped.value)
    assert f"{tmp_path}/{GTIN}-{LOT}-0000043-0000063.pdf: File too large" in message
    assert f"this run printed 42 labels, the last of them label 42 (serial {expected[41]}); " in message
    assert f"not printed: 58 labels, from label 43 (serial {expected[42]}) on" in message
    assert "goes on with label 43" in stopped.value.hint
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        f"{GTIN}-{LOT}-0000001-0000021.pdf", f"{GTIN}-{LOT}-0000022-0000042.pdf",
    ]  # fmt: skip
    assert print_lot(postgres_dsn, whole, SHEETS, FolderOutlet(tmp_path)) == 58
    assert sorted(printed(tmp_path)) == sorted(expected)


def test_a_run_that_prints_anew_is_gone_on_with_as_its_hint_says(postgres_dsn: str, tmp_path: Path) -> None:
    """Without --again: else what it has printed once more would be printed a third time."""
    whole, again = lot(postgres_dsn, 60), Wanted(again=True)
    expected = serials(postgres_dsn, list(whole.batches))
    print_lot(postgres_dsn, whole, SHEETS, FolderOutlet(tmp_path / "first"))
    with pytest.raises(PrintStopped) as stopped:
        print_lot(postgres_dsn, whole, SHEETS, Filling(tmp_path / "again"), wanted=again)
    assert "; then give the same command again without --again: it goes on with label 43" in stopped.value.hint
    assert print_lot(postgres_dsn, whole, SHEETS, FolderOutlet(tmp_path / "again")) == 18
    assert printed(tmp_path / "again") == Counter(expected)


def test_serials_that_came_out_are_left_out_when_a_run_is_gone_on_with(postgres_dsn: str, tmp_path: Path) -> None:
    """Named once more they would be refused as printed; where none came out, all are named again."""
    whole = lot(postgres_dsn, 43)
    some = Wanted(serials=tuple(serials(postgres_dsn, list(whole.batches))))
    outlet = Filling(tmp_path)
    with pytest.raises(PrintStopped) as stopped:
        print_lot(postgres_dsn, whole, SHEETS, outlet, wanted=some)
    assert "; then give the same command again without the serials that came out: it goes on" in stopped.value.hint
    left = Wanted(serials=some.serials[42:])
    with pytest.raises(PrintStopped) as stopped:
        print_lot(postgres_dsn, whole, SHEETS, outlet, wanted=left)
    assert "; then give the same command again: it goes on with label 43" in stopped.value.hint
    assert print_lot(postgres_dsn, whole, SHEETS, FolderOutlet(tmp_path), wanted=left) == 1


def test_a_folder_that_goes_away_half_way_is_told(postgres_dsn: str, tmp_path: Path) -> None:
    """As when a disk is pulled out."""
    whole, folder = lot(postgres_dsn, 50), tmp_path / "stick"

    def pull(piece: Piece, done: int, of: int) -> None:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()

    with pytest.raises(PrintStopped, match=r"cannot write .*/stick/.*: No such file .* this run printed 21 labels"):
        print_lot(postgres_dsn, whole, SHEETS, FolderOutlet(folder), tell=pull)
    with journal(postgres_dsn, list(whole.batches)) as left:
        assert left.count_due() == 29


def test_a_label_that_cannot_be_drawn_stops_the_run_before_anything_is_sent(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its user's error comes through, also from a process."""
    whole, small = lot(postgres_dsn, 30), replace(SHEETS, style=SheetStyle(formats.by_number("L7651")))
    for few in (500, 0):
        monkeypatch.setattr(workers, "FEW", few)
        with pytest.raises(UserError, match="too small for a code"):
            print_lot(postgres_dsn, whole, small, FolderOutlet(tmp_path), processes=2)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_is_told(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the system has no memory left for it."""
    monkeypatch.setattr(workers, "FEW", 0)
    whole = lot(postgres_dsn, 200)
    with journal(postgres_dsn, list(whole.batches)) as taken, Drawing(SHEETS, 2) as drawing:
        pieces = drawing.pieces(SHEETS.jobs(taken.due()))
        next(pieces)
        for pid in descendants(os.getpid()):
            if b"printing.workers" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        with pytest.raises(UserError, match="a process that draws labels ended"):
            list(pieces)


def test_a_sheet_that_was_begun_is_filled(postgres_dsn: str) -> None:
    """The first places stay free on the first sheet alone; a file has no more sheets than it may."""
    whole = lot(postgres_dsn, 60)
    begun = replace(SHEETS, skip=20)
    with journal(postgres_dsn, list(whole.batches)) as taken:
        jobs = list(begun.jobs(taken.due()))
    assert [(len(job.labels), job.skip) for job in jobs] == [(1, 20), (21, 0), (21, 0), (17, 0)]
    [part] = begun.draw(Job(jobs[0].labels, 20)).parts
    with pypdfium2.PdfDocument(part.data) as document:
        assert len(document) == 1


@pytest.mark.parametrize("sent", [0, 1, 40])
def test_a_process_ends_with_the_one_that_sends_it_jobs(sent: int) -> None:
    """Between two jobs or within one: what was begun of a job is none."""
    child = subprocess.Popen(
        [sys.executable, "-m", "labels.printing.workers"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert child.stdin is not None
    child.stdin.write(pickle.dumps(SHEETS) + pickle.dumps(Job(()))[:sent])
    child.stdin.close()
    assert child.wait(60) == 0
