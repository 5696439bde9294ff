"""`tallystick labels print --printer`: a lot on label printers, which run out, go away, and are mended."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

import tallystick
from labels import gs1
from labels.printers.raster import picture_of
from tests.labels.printers.fake_brother import FakeBrother, lines
from tests.labels.printers.fake_zebra import FakeZebra
from tests.labels.printers.zpl import graphics
from tests.labels.story import while_ticking
from tests.world import World

GTIN, LOT = "09506000134352", "L2606A"
COUNT = 30


@pytest.fixture
def serials(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[list[str]]:
    """The serials of a lot of thirty labels, in a ledger in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", postgres_dsn)
    with World(postgres_dsn, tmp_path / "ledger") as world:
        assert while_ticking(world, lambda: labels("key", "--gtin", GTIN)) == 0
        issue = ("issue", "--gtin", GTIN, "--lot", LOT, "--count", str(COUNT))
        assert while_ticking(world, lambda: labels(*issue)) == 0
        links = [gs1.parse(line) for line in capsys.readouterr().out.splitlines() if line.startswith("https")]
        yield [link.serial or "" for link in links]


def labels(*args: object) -> int:
    """The exit code of `tallystick labels ARGS`."""
    return tallystick.run(["labels", *map(str, args)])


def print_lot(*args: object) -> int:
    """The exit code of `tallystick labels print` of the lot."""
    return labels("print", "--gtin", GTIN, "--lot", LOT, *args)


def serial_in(picture: Image.Image) -> str:
    """The serial of the label in a picture."""
    framed = Image.new("L", (picture.width + 40, picture.height + 40), 255)
    framed.paste(picture, (20, 20))
    [code] = zxingcpp.read_barcodes(framed, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    return gs1.parse(code.text).serial or ""


def numbers_told(message: str) -> list[int]:
    """How many labels a run that stopped half-way printed, knows nothing of, and did not print."""
    parts = message[message.index("this run printed") :].splitlines()[0].split("; ")
    counts = [re.search(r"(\d+) (?:other )?labels?\b", part) for part in parts]
    return [int(count[1]) if count else 1 for count in counts]


def on(printer: FakeZebra) -> list[str]:
    """The serials of the labels that came out of a printer."""
    return [serial_in(picture_of(*graphics(label))) for label in printer.printed]


def test_a_lot_comes_out_once(serials: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each serial in order; the same command then says that all is printed."""
    with FakeZebra() as printer:
        assert print_lot("--printer", printer.address, "--title", "Rice ^XZ") == 0
        assert on(printer) == serials and len(serials) == COUNT
        assert f"{COUNT} labels came out of {printer.address}" in capsys.readouterr().out
        assert print_lot("--printer", printer.address) == 1
        assert "all 30 labels of lot L2606A are printed" in capsys.readouterr().err
        assert len(printer.printed) == COUNT


@pytest.mark.parametrize("paper", [0, 10, 24, 29])
def test_a_roll_that_ends(serials: list[str], paper: int, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told which came out, which not, and of which nobody knows; a person says that of those, and it goes on."""
    with FakeZebra(paper=paper) as printer:
        assert print_lot("--printer", printer.address) == 1
        told = capsys.readouterr().err
        assert "out of labels; this run printed" in told and "give the same command again, with --came-out" in told
        assert ".zpl" not in told and sum(numbers_told(told)) == COUNT
        printer.mend()
        assert on(printer) == serials[:paper]
        assert print_lot("--printer", printer.address) == 1
        asked = capsys.readouterr().err
        assert "never heard whether it came out" in asked
        doubtful = [serial for serial in serials if serial in asked]
        assert len(doubtful) <= 2 and serials[paper] in doubtful and len(printer.printed) == paper
        came_out = [serial for serial in doubtful if serial in serials[:paper]]
        seen = came_out[-1] if came_out else "none"
        assert print_lot("--printer", printer.address, "--came-out", seen) == 0
        assert on(printer) == serials


def test_a_printer_that_cannot(serials: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent, nothing is doubtful, and the next run begins with the first label."""
    with FakeZebra(fault="head") as printer:
        assert print_lot("--printer", printer.address) == 1
        told = capsys.readouterr().err
        assert "the head is open" in told and "goes on with label 1" in told and "nobody knows" not in told
        printer.mend()
        assert print_lot("--printer", printer.address) == 0
        assert on(printer) == serials


def test_a_run_that_is_killed(serials: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What it sent comes out without it; the next run asks, goes on behind what was seen, and prints nothing twice."""
    with FakeZebra(label_s=0.05) as printer:
        command = [sys.executable, "-m", "tallystick", "labels", "print", "--gtin", GTIN, "--lot", LOT]
        run = subprocess.Popen([*command, "--printer", str(printer.address)])
        deadline = time.monotonic() + 60
        while len(printer.printed) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        run.kill()
        run.wait()
        while len(printer.printed) < printer.came and time.monotonic() < deadline:
            time.sleep(0.05)
        came = len(printer.printed)
        assert 3 <= came < COUNT and on(printer) == serials[:came]
        assert print_lot("--printer", printer.address) == 1
        assert "never heard whether it came out: 24 labels" in capsys.readouterr().err and len(printer.printed) == came
        assert print_lot("--printer", printer.address, "--came-out", serials[came - 1]) == 0
        assert on(printer) == serials


def test_files_for_printers(serials: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ZPL and QL in a folder, all labels in one file, and read back from it."""
    assert print_lot("--format", "zpl", "-o", tmp_path / "out", "--label", "57x32", "--dpi", "300") == 0
    [name] = capsys.readouterr().out.splitlines()
    assert [serial_in(picture_of(dots)) for dots in graphics(Path(name).read_bytes())] == serials
    assert print_lot("--format", "ql", "-o", tmp_path / "out", "--roll", "62", "--again") == 0
    [name] = capsys.readouterr().out.splitlines()
    assert name.endswith(f"{GTIN}-{LOT}-0000001-0000030.ql") and Path(name).read_bytes().count(b"\x1b@") == COUNT


def test_a_brother(serials: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A roll that ends: one label is doubtful."""
    with FakeBrother(paper=3) as printer:
        assert print_lot("--printer", printer.address, "--language", "ql", "--roll", "62") == 1
        assert (
            f"this run printed 3 labels, the last of them label 3 (serial {serials[2]}); nobody knows of label 4 "
            f"(serial {serials[3]}); not printed: 26 labels, from label 5 (serial {serials[4]}) on\n"
        ) in capsys.readouterr().err
        printer.paper, printer.errors = 100, (0, 0)
        again = ("--printer", printer.address, "--language", "ql", "--roll", "62", "--came-out", "none")
        assert print_lot(*again) == 0
        assert len(printer.printed) == COUNT and len(lines(printer.printed[0])) == 354


def test_a_printer_that_answers_nothing(serials: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Is refused as it is, and printed on if the user says that it answers nothing."""
    with FakeZebra(answer=lambda truth: []) as printer:
        assert print_lot("--printer", printer.address, "--serial", serials[0]) == 1
        assert "it does not say how it is" in capsys.readouterr().err and not printer.printed
        assert print_lot("--printer", printer.address, "--serial", serials[0], "--no-status") == 0
        printer.mend()
        assert on(printer) == serials[:1]


@pytest.mark.parametrize(
    ("args", "error", "hint"),
    [
        ([], "not said where the labels go", "--printer"),
        (["--printer", "zebra", "-o", "x"], "not said where the labels go", "--printer"),
        (["--printer", "a b"], "no address of a printer", "zebra.example.com"),
        (["--printer", "127.0.0.1:1"], "cannot be reached", "goes on with label 1"),
        (["--printer", "zebra", "--labels", "L7160"], "--labels is of sheets", "leave it out"),
        (["--printer", "zebra", "--language", "ql"], "which roll", "--roll"),
        (["--printer", "zebra", "--label", "50x20"], "too small for a code", "larger label"),
        (["--printer", "zebra", "--x-dimension", "2"], "not what GS1 allows", "0.396"),
    ],
)
def test_mistakes(
    serials: list[str], args: list[str], error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 with an error and a hint, and nothing is recorded as sent."""
    assert print_lot(*args) == 1
    told = capsys.readouterr()
    assert error in told.err and hint in told.err and told.out == ""
    first, second = (line for line in told.err.splitlines() if "warning" not in line)
    assert first.startswith("tallystick: error: ") and second.startswith("tallystick: hint: ") and len(first) < 120
    with FakeZebra() as printer:
        assert print_lot("--printer", printer.address, "--serial", serials[0]) == 0
