"""A Brother QL: what is sent to it, what it says of itself, and what came out of it."""

import time

import pytest

from labels.printers import brother_ql
from labels.printers.brother import Brother
from labels.printers.brother_ql import ROLLS, roll_of
from labels.printers.brother_status import BrotherStatus, Kind, Media
from labels.printers.dots import Dots
from labels.printers.patience import Patience
from labels.printers.stopped import StoppedError
from labels.printers.wire import Wire
from ledger.errors import MalformedError, UserError
from tests.labels.printers.fake_brother import FakeBrother, lines, status

ROLL = ROLLS["62"]
SOON = Patience(answer_s=0.4, stall_s=0.6, poll_s=0.02)


def page(number: int, *, height: int = 150) -> Dots:
    """A page for a roll of 62 mm, whose first dot of each row is black, and whose rows differ from other pages'."""
    row = (1 << 695 | number).to_bytes(87)
    return Dots(696, height, row * height)


JOBS = [brother_ql.job([page(number)], ROLL) for number in range(6)]


def run(printer: FakeBrother, roll: str = "62") -> list[int]:
    """Print the labels, and return what was told on the way."""
    told: list[int] = []
    with Wire(printer.address, timeout_s=0.5) as wire:
        Brother(wire, ROLLS[roll], SOON, name="brother").print(JOBS, tell=told.append)
    return told


def stopped(printer: FakeBrother, roll: str = "62") -> StoppedError:
    """The same where it must not go well."""
    with pytest.raises(StoppedError) as raised:
        run(printer, roll)
    time.sleep(0.1)
    assert raised.value.came_out <= len(printer.printed) <= raised.value.came_out + raised.value.doubtful
    return raised.value


def test_labels_come_out_one_by_one() -> None:
    """Each is confirmed before the next is sent."""
    with FakeBrother() as printer:
        assert run(printer) == [1, 2, 3, 4, 5, 6]
        assert [lines(job)[0] for job in printer.printed] == [lines(job[402:])[0] for job in JOBS]


@pytest.mark.parametrize("paper", [0, 3, 5])
def test_a_roll_that_ends(paper: int) -> None:
    """What came out is told, and the one that it was at is doubtful."""
    with FakeBrother(paper=paper) as printer:
        error = stopped(printer)
        assert (error.came_out, error.doubtful) == (paper, 1) and "out of labels" in str(error)
        assert len(printer.printed) == paper


def test_a_printer_that_falls_silent() -> None:
    """The label that it does not confirm is doubtful."""
    with FakeBrother(silent_after=2) as printer:
        error = stopped(printer)
        assert (error.came_out, error.doubtful) == (2, 1) and "said nothing for 0.6 s" in str(error)


def test_garbage_is_not_believed() -> None:
    """A label that is confirmed by what is no status is doubtful."""
    with FakeBrother(babbles_after=2) as printer:
        error = stopped(printer)
        assert (error.came_out, error.doubtful) == (2, 1) and "no printer's status" in str(error)


def test_another_roll_is_in_it() -> None:
    """Nothing is sent to a printer with other labels in it than were drawn."""
    with FakeBrother(media=(0x0B, 29, 90)) as printer:
        error = stopped(printer)
        assert "29x90 mm is in it, and the labels are for roll 62" in str(error)
        assert (error.came_out, error.doubtful, printer.printed) == (0, 0, [])


def test_an_open_cover_is_told_first() -> None:
    """Nothing is sent to a printer that cannot print."""
    with FakeBrother(errors=(0, 0x10)) as printer:
        assert "its cover is open" in str(stopped(printer)) and printer.printed == []


def test_a_row_lies_as_the_head_does() -> None:
    """A row of 62 mm begins behind 12 dots, from the right edge; 90 bytes go over all 720 dots of the head."""
    (first, *_) = lines(brother_ql.job([page(5)], ROLL)[402:])
    bits = f"{int.from_bytes(first):0720b}"
    assert len(first) == 90 and bits.count("1") == 3
    assert bits[12:16] == "1010" and bits[12 + 695] == "1"


def test_a_job_says_what_it_is_for() -> None:
    """The print information of a die-cut roll names its kind, width, length and lines."""
    roll = ROLLS["29x90"]
    job = brother_ql.job([Dots(306, 991, bytes(39 * 991))] * 2, roll)
    assert (
        job.count(b"\x1biz\xce\x0b\x1d\x5a\xdf\x03\0\0\0\0") == 1
        and job.count(b"\x1biz\xce\x0b\x1d\x5a\xdf\x03\0\0\1\0") == 1
    )
    assert job.startswith(bytes(400) + b"\x1b@") and job.endswith(b"\x1a") and job.count(b"\x0c\x1bia\x01") == 1
    with pytest.raises(ValueError, match="no label of roll"):
        brother_ql.job([page(1)], roll)


def test_a_roll_by_its_name() -> None:
    """Each roll fits under its head; another name is told with those that there are."""
    for roll in ROLLS.values():
        assert roll.dots[0] + roll.offset <= (1296 if roll.wide else 720)
    assert roll_of("29X90") is ROLLS["29x90"]
    with pytest.raises(UserError, match="no roll '63'") as raised:
        roll_of("63")
    assert "62x100" in raised.value.hint


def test_a_status_is_read() -> None:
    """Errors, media and kind are where Brother's reference has them; newer printers name media with another bit."""
    read = BrotherStatus.parse(status(kind=2, errors=(0x02, 0x10), media=(0x4B, 29, 90), phase=1))
    assert read.faults == ("it is out of labels", "its cover is open")
    assert (read.kind, read.media, read.loaded, read.printing) == (Kind.ERROR, Media.DIE_CUT, "29x90 mm", True)
    assert BrotherStatus.parse(status()).loaded == "62 mm continuous"


@pytest.mark.parametrize(
    "spoiled", [b"", status()[:31], b"\x81" + status()[1:], status(kind=9), status(media=(7, 62, 0))]
)
def test_a_spoiled_status_is_refused(spoiled: bytes) -> None:
    """What is shorter, begins otherwise, or says what no status does."""
    with pytest.raises(MalformedError):
        BrotherStatus.parse(spoiled)
