"""A print run: no serial comes out twice, none is left out, and what was refused is told exactly."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest

from labels import uses
from labels.batch import Batch
from labels.printing.folder import FolderOutlet
from labels.printing.journal import Journal
from labels.printing.outlet import Numbered, Outlet, Part, Piece, RefusedError
from labels.printing.run import send_all, settle
from labels.printing.stopped import Printed, PrintStopped
from labels.uses import Use
from ledger.database import connect
from ledger.errors import UserError
from tests.labels.made import recorded
from tests.labels.printing.lots import GTIN, LOT, issued, journal, serials

PARTS, EACH = 2, 3  # of a piece, and labels of a part


class Died(Exception):
    """The process ended here."""


class Printer(Outlet):
    """A printer that keeps what came out, and may die or refuse at a step, counted over all its steps."""

    where = "printer"

    def __init__(
        self, out: list[str], *, dies_at: int = -1, refuses: Callable[[int], RefusedError | None] | None = None
    ):
        self.out, self._steps, self._dies_at = out, 0, dies_at
        self._refuses = refuses or (lambda piece: None)
        self._pieces = 0

    def prepare(self, piece: Piece) -> None:
        self._step()

    def send(self, piece: Piece) -> None:
        self._step()
        refusal = self._refuses(self._pieces)
        self._pieces += 1
        for number, label in enumerate(piece.labels):
            if refusal is not None and number == (refusal.came_out or 0):
                break
            self.out.append(label.serial)
            self._step()
        if refusal is not None:
            raise refusal

    def _step(self) -> None:
        self._steps += 1
        if self._steps == self._dies_at:
            raise Died


class Folder(FolderOutlet):
    """A folder outlet that dies at a step."""

    def __init__(self, folder: Path, *, dies_at: int) -> None:
        super().__init__(folder)
        self._steps, self._dies_at = 0, dies_at

    def prepare(self, piece: Piece) -> None:
        self._step()
        super().prepare(piece)
        self._step()

    def send(self, piece: Piece) -> None:
        self._step()
        super().send(piece)
        self._step()

    def _put(self, name: str) -> None:
        self._step()
        super()._put(name)

    def _step(self) -> None:
        self._steps += 1
        if self._steps == self._dies_at:
            raise Died


def pieces(due: Iterator[Numbered]) -> Iterator[Piece]:
    """Pieces of two parts of three labels; a part's bytes are its serials."""
    while labels := list(islice(due, PARTS * EACH)):
        parts = [tuple(labels[first : first + EACH]) for first in range(0, len(labels), EACH)]
        yield Piece(tuple(Part(f"{part[0].number}.txt", said(part), part) for part in parts))


def said(labels: Sequence[Numbered]) -> bytes:
    """The bytes of a part."""
    return " ".join(label.serial for label in labels).encode()


def print_lot(
    dsn: str, batches: list[Batch], outlet: Outlet, *, came_out: str | None = None, anew: bool = False
) -> int:
    """What the command does, in a session that ends with it; returns how many labels came out."""
    with connect(dsn) as connection:
        lot = Journal(connection, batches, gtin=GTIN, lot=LOT)
        settle(lot, outlet, came_out=came_out)
        lot.begin(outlet.where, anew=anew)
        return send_all(lot, pieces(lot.due()), outlet, Printed(lot.count_due()))


def resume(dsn: str, batches: list[Batch], out: list[str]) -> None:
    """Print what is left on a printer that has printed `out`, answering truly if it asks what came out."""
    try:
        print_lot(dsn, batches, Printer(out))
    except UserError as error:
        assert "never heard whether it came out" in str(error) and "--came-out" in error.hint
        sent = re.findall(r"\b[A-Z2-9]{10}\b", str(error))
        seen = [serial for serial in sent if serial in out]
        came_out = "all" if seen == sent else seen[-1] if seen else "none"
        print_lot(dsn, batches, Printer(out), came_out=came_out)


def test_a_lot_of_several_batches_comes_out_once_and_in_order(postgres_dsn: str) -> None:
    """Its labels are numbered through; all are recorded as sent and printed; a second run has nothing to print."""
    batches, out = issued(postgres_dsn, 7, 1, 5), list[str]()
    expected = serials(postgres_dsn, batches)
    assert print_lot(postgres_dsn, batches, Printer(out)) == 13
    assert out == expected and len(set(out)) == 13
    assert print_lot(postgres_dsn, batches, Printer(out)) == 0
    with connect(postgres_dsn) as connection:
        counts = uses.counts(connection, batches[0].root)
        became = recorded(connection, batches[2].root, 0)
    assert (counts[Use.SENT], counts[Use.PRINTED], counts[Use.REFUSED]) == (7, 7, 0)
    assert [(one.use, one.note) for one in became] == [(Use.SENT, "7.txt"), (Use.PRINTED, "7.txt")]


@pytest.mark.parametrize("dies_at", range(1, 24))
def test_a_folder_gets_every_label_once_wherever_the_run_dies(postgres_dsn: str, tmp_path: Path, dies_at: int) -> None:
    """Whatever step the process ends at, the next run ends with each label in one file, and nobody is asked."""
    batches = issued(postgres_dsn, 14)
    expected = serials(postgres_dsn, batches)
    with pytest.raises(Died):
        print_lot(postgres_dsn, batches, Folder(tmp_path, dies_at=dies_at))
        raise Died  # it was done before
    print_lot(postgres_dsn, batches, FolderOutlet(tmp_path))
    files = sorted(tmp_path.glob("*.txt"), key=lambda file: int(file.stem))
    assert [serial for file in files for serial in file.read_text().split()] == expected
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in files}


def test_a_file_that_was_taken_away_came_out(postgres_dsn: str, tmp_path: Path) -> None:
    """A run that dies between putting files in place and recording it does not make them again."""
    batches = issued(postgres_dsn, 6)
    with pytest.raises(Died):
        print_lot(postgres_dsn, batches, Folder(tmp_path, dies_at=6))
    for file in tmp_path.glob("*.txt"):
        file.unlink()  # by a hot folder's printer
    assert print_lot(postgres_dsn, batches, FolderOutlet(tmp_path)) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dies_at", range(1, 18))
def test_a_printer_that_cannot_tell_prints_every_label_once(postgres_dsn: str, dies_at: int) -> None:
    """The next run asks which came out, and by the true answer each label comes out once."""
    batches, out = issued(postgres_dsn, 14), list[str]()
    expected = serials(postgres_dsn, batches)
    with pytest.raises(Died):
        print_lot(postgres_dsn, batches, Printer(out, dies_at=dies_at))
        raise Died
    resume(postgres_dsn, batches, out)
    assert out == expected


@pytest.mark.parametrize("came_out", range(7))
def test_a_refusal_half_way_is_told_exactly(postgres_dsn: str, came_out: int) -> None:
    """How many came out, up to which, how many of the lot did not, what was said; and the next run goes on there."""
    batches, out = issued(postgres_dsn, 14), list[str]()
    expected = serials(postgres_dsn, batches)
    refusal = RefusedError("out of paper", came_out=came_out, hint="put paper in")
    with pytest.raises(PrintStopped) as stopped:
        print_lot(postgres_dsn, batches, Printer(out, refuses=lambda piece: refusal if piece == 1 else None))
    last, next_ = (f"label {number} (serial {expected[number - 1]})" for number in (6 + came_out, 7 + came_out))
    assert out == expected[: 6 + came_out]
    assert str(stopped.value) == (
        f"out of paper; this run printed {6 + came_out} labels, the last of them {last}; "
        + (f"not printed: {8 - came_out} labels, from {next_} on" if came_out < 6 else "not printed: 2 other labels")
    )
    then = next_ if came_out < 6 else "what is left"
    assert stopped.value.hint == f"put paper in; then give the same command again: it goes on with {then}"
    assert print_lot(postgres_dsn, batches, Printer(out)) == 8 - came_out
    assert out == expected


def test_a_refusal_that_nobody_knows_the_extent_of_is_asked_about(postgres_dsn: str) -> None:
    """The piece's labels stay sent and unconfirmed."""
    batches, out = issued(postgres_dsn, 12), list[str]()
    refusal = RefusedError("connection reset", came_out=None)
    with pytest.raises(PrintStopped, match="nobody knows of 6 labels, 1 to 6"):
        print_lot(postgres_dsn, batches, Printer(out, refuses=lambda piece: refusal))
    with pytest.raises(UserError, match=r"an earlier run sent to printer .* 6 labels, 1 to 6"):
        print_lot(postgres_dsn, batches, Printer(out))
    with pytest.raises(UserError, match="no label with serial 'X'"):
        print_lot(postgres_dsn, batches, Printer(out), came_out="X")
    assert print_lot(postgres_dsn, batches, Printer(out), came_out="none") == 12


def test_what_came_out_what_may_have_and_what_did_not_are_told_apart(postgres_dsn: str) -> None:
    """The next run asks of those in the middle alone, and prints those that did not without being asked."""
    batches, out = issued(postgres_dsn, 6), list[str]()
    expected = serials(postgres_dsn, batches)
    refusal = RefusedError("jammed", came_out=2, doubtful=1)
    with pytest.raises(PrintStopped) as stopped:
        print_lot(postgres_dsn, batches, Printer(out, refuses=lambda piece: refusal))
    assert f"this run printed 2 labels, the last of them label 2 (serial {expected[1]}); " in str(stopped.value)
    assert f"nobody knows of label 3 (serial {expected[2]}); not printed: 3 labels, 4 to 6" in str(stopped.value)
    assert stopped.value.hint.endswith("and give the same command again, with --came-out all or none")
    with pytest.raises(UserError, match=rf"whether it came out: label 3 \(serial {expected[2]}\)"):
        print_lot(postgres_dsn, batches, Printer(out))
    assert print_lot(postgres_dsn, batches, Printer(out), came_out="all") == 3
    assert out == [*expected[:2], *expected[3:]]


def test_what_a_printer_was_sent_a_folder_does_not_settle(postgres_dsn: str, tmp_path: Path) -> None:
    """An outlet tells only of what was sent to it."""
    batches = issued(postgres_dsn, 6)
    with pytest.raises(Died):
        print_lot(postgres_dsn, batches, Printer([], dies_at=3))
    with pytest.raises(UserError, match="sent to printer"):
        print_lot(postgres_dsn, batches, FolderOutlet(tmp_path))


@pytest.mark.parametrize("dies_at", [1, 9, 12, 100])
def test_printing_anew_is_resumed_as_well(postgres_dsn: str, dies_at: int) -> None:
    """Each label comes out once more and not twice, although the second run that makes it so does not say `anew`."""
    batches, out = issued(postgres_dsn, 14), list[str]()
    expected = serials(postgres_dsn, batches)
    print_lot(postgres_dsn, batches, Printer([]))
    with pytest.raises(Died):
        print_lot(postgres_dsn, batches, Printer(out, dies_at=dies_at), anew=True)
        raise Died
    resume(postgres_dsn, batches, out)
    assert out == expected


def test_two_runs_of_a_lot_are_not_at_once(postgres_dsn: str) -> None:
    """The second is refused while the first has the lot, and taken when it has ended."""
    batches = issued(postgres_dsn, 3)
    refused = pytest.raises(UserError, match=f"another run is printing lot {LOT}")
    with journal(postgres_dsn, batches), refused, journal(postgres_dsn, batches):
        pass
    with journal(postgres_dsn, batches):
        pass


def test_a_folder_that_cannot_be_written_stops_before_anything_is_sent(postgres_dsn: str, tmp_path: Path) -> None:
    """The system's word is told, no label counts as sent, and the folder is as it was."""
    batches, folder = issued(postgres_dsn, 14), tmp_path / "out"
    outlet = FolderOutlet(folder)
    (folder / ".10.txt.sent").mkdir(parents=True)  # the second part of the second piece cannot be written
    with pytest.raises(
        PrintStopped,
        match=r"cannot write .*/out/10.txt: Is a directory; this run printed 6 labels, .* not printed: 8 labels",
    ):
        print_lot(postgres_dsn, batches, outlet)
    assert sorted(file.name for file in folder.iterdir()) == [".10.txt.sent", "1.txt", "4.txt"]
    (folder / ".10.txt.sent").rmdir()
    assert print_lot(postgres_dsn, batches, outlet) == 8


def test_a_run_that_does_not_begin_says_no_more_than_why(postgres_dsn: str) -> None:
    """Where nothing has come out, there is nothing to tell of labels."""
    batches, out = issued(postgres_dsn, 14), list[str]()
    refusal = RefusedError("printer x cannot be reached", came_out=0, hint="is it switched on?")
    with pytest.raises(PrintStopped) as stopped:
        print_lot(postgres_dsn, batches, Printer(out, refuses=lambda piece: refusal))
    assert str(stopped.value) == "printer x cannot be reached"
    then = f"it goes on with label 1 (serial {serials(postgres_dsn, batches)[0]})"
    assert stopped.value.hint == f"is it switched on? Then give the same command again: {then}"
