"""`tallystick labels print`, as it is typed."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest

import tallystick
from labels import gs1, uses
from labels.catalogue.place import Place
from labels.listed import StoredLabel
from labels.printing.decoded import texts_in
from labels.printing.folder import FolderOutlet
from labels.printing.outlet import Numbered, Piece
from labels.printing.renderers import LotFace
from labels.uses import Use
from ledger.database import connect
from tests.labels.printers.fake_zebra import FakeZebra
from tests.labels.story import GTIN, LOT, Story, issue_lot, make_story
from tests.running import eventually


@pytest.fixture
def story(postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """An issued lot of 24 of which nothing is printed, in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", postgres_dsn)
    made = make_story(postgres_dsn, tmp_path / "ledger")
    yield made
    made.world.close()


def print_(out: Path, *args: str) -> int:
    """The exit code of `tallystick labels print`."""
    return tallystick.run(["labels", "print", "--gtin", GTIN, "--lot", LOT, "-o", str(out), *args])


def links(file: Path) -> set[str]:
    """What the codes of a PDF say."""
    with pypdfium2.PdfDocument(file) as document:
        return {text for page in document for text in texts_in(page.render(scale=203 / 72, grayscale=True).to_pil())}


def wanted(story: Story) -> set[str]:
    """What all codes of the lot say."""
    return {label.link("ID.EXAMPLE.COM") for label in story.labels}


def test_sheets_of_a_lot(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file with all labels, named by their numbers; a second call has nothing to print, and says how to."""
    assert print_(tmp_path / "out", "--labels", "L7160", "--skip", "20", "--title", "Risotto Rice") == 0
    file = tmp_path / "out" / f"{GTIN}-{LOT}-0000001-0000024.pdf"
    assert capsys.readouterr().out == f"{file}\n" and links(file) == wanted(story)
    with pypdfium2.PdfDocument(file) as document:
        assert len(document) == 3 and document[0].get_size() == pytest.approx((595.3, 841.9), abs=0.1)
    assert print_(tmp_path / "out", "--labels", "L7160") == 1
    captured = capsys.readouterr()
    assert (
        captured.out == "" and f"all 24 labels of lot {LOT} are printed" in captured.err and "--again" in captured.err
    )
    assert print_(tmp_path / "more", "--again", "--grid", "2x5", "--label", "90x50", "--sheets-per-file", "2") == 0
    files = sorted((tmp_path / "more").iterdir())
    assert [one.name for one in files] == [f"{GTIN}-{LOT}-0000001-0000020.pdf", f"{GTIN}-{LOT}-0000021-0000024.pdf"]
    assert links(files[0]) | links(files[1]) == wanted(story)


def test_a_test_print_counts_for_nothing(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sheet of specimens that are nobody's, and say so on every label; the lot is still to be printed."""
    assert print_(tmp_path / "out", "--test", "--skip", "1", "--title", "Rice") == 0
    file = tmp_path / "out" / f"specimens-{GTIN}-{LOT}.pdf"
    assert capsys.readouterr().out == f"{file}\n"
    found = links(file)
    assert len(found) == 20 and {gs1.parse(link).gtin for link in found} == {"09520000000004"}
    assert all(link.startswith("https://SPECIM.INVALID/01/") and link.endswith("0" * 169) for link in found)
    with pypdfium2.PdfDocument(file) as document:
        text = document[0].get_textpage().get_text_range()
    assert text.count("SPECIMEN Rice") == 20 and text.count("SPECIMEN") == 60
    assert print_(tmp_path / "out", "--format", "svg", "--label", "70x37") == 0
    assert len(list((tmp_path / "out").glob("*.svg"))) == 24


def test_a_test_print_replaces_its_own_file_alone(story: Story, tmp_path: Path) -> None:
    """Of a misfeed one prints several in turn; somebody's test.pdf stays as it is."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "test.pdf").write_bytes(b"somebody's")
    for offset in ("0,0", "1,2"):
        assert print_(tmp_path / "out", "--test", "--offset", offset) == 0
    names = [file.name for file in sorted((tmp_path / "out").iterdir())]
    assert names == [f"specimens-{GTIN}-{LOT}.pdf", "test.pdf"]
    assert (tmp_path / "out" / "test.pdf").read_bytes() == b"somebody's"


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--format", "zpl"], "not of a label printer"),
        (["--format", "ql"], "not of a label printer"),
        (["--printer", "127.0.0.1:1"], "not of a label printer"),
        (["--format", "svg"], "not svg"),
        (["--format", "png"], "not png"),
    ],
)
def test_specimens_are_a_pdf_alone(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], complaint: str
) -> None:
    """What else is asked for is refused, and nothing is written."""
    assert print_(tmp_path / "out", "--test", *args) == 1
    assert f"--test is a sheet of specimens as PDF, {complaint}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_label_is_named_as_the_catalogue_has_it(story: Story, tmp_path: Path) -> None:
    """The product's name stands beside the code, unless a title is given."""
    entry = {"type": "product", "organisation": "https://example.com", **Place(GTIN).entry(), "name": "Arborio Rice"}
    story.world.operator_says(entry)
    assert print_(tmp_path, "--format", "pdf") == 0
    with pypdfium2.PdfDocument(tmp_path / f"{GTIN}-{LOT}-0000001-0000024.pdf") as document:
        assert "Arborio Rice" in document[0].get_textpage().get_text_range()


def test_a_recalled_lot_is_not_printed(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor an item that is recalled: its neighbours are, and it is said that it is left out."""
    recall = {"type": "recall", "organisation": "https://example.com", "reason": "glass", "since": "2026-11-26"}
    serial, other = (story.link(number).serial or "" for number in (0, 1))
    story.world.operator_says({**recall, **Place(GTIN, serial=serial).entry()})
    assert print_(tmp_path / "out", "--serial", serial) == 1
    assert f"serial {serial} is recalled: glass" in capsys.readouterr().err
    assert print_(tmp_path / "out", "--serial", other) == 0
    capsys.readouterr()
    assert print_(tmp_path / "rest") == 0 and len(list((tmp_path / "rest").glob("*.png"))) == 22
    assert f"tallystick: warning: recalled, and left out: label 1 (serial {serial})\n" in capsys.readouterr().err
    assert not list((tmp_path / "rest").glob(f"*{serial}*"))
    assert print_(tmp_path / "rest") == 1
    told = capsys.readouterr().err
    assert f"left out: label 1 (serial {serial})" in told and f"all 23 other labels of lot {LOT} are printed" in told
    story.world.operator_says({**recall, **Place(GTIN, lot=LOT).entry()})
    assert print_(tmp_path / "out") == 1
    assert f"lot {LOT} is recalled: glass" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == [f"{GTIN}-{LOT}-0000002-{other}.png"]


@pytest.mark.parametrize("place", [{"gtin": GTIN}, {"gtin": GTIN, "lot": LOT}, {"gtin": GTIN, "serial": ""}])
def test_a_recall_that_is_said_while_sheets_are_printed_stops_them(
    story: Story,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    place: dict[str, str],
) -> None:
    """Of the product, the lot, or an item on a sheet that is not out: what is out stays, and is told; nothing follows.

    Once the recall is lifted, the same command goes on where it was stopped.
    """
    serials = [story.link(number).serial or "" for number in range(24)]
    entry = {"organisation": "https://example.com", "reason": "glass", **place}
    if "serial" in place:
        entry["serial"] = serials[23]
    send = FolderOutlet.send

    def sending(outlet: FolderOutlet, piece: Piece) -> None:
        send(outlet, piece)
        story.world.operator_says({"type": "recall", "since": "2026-11-26", **entry})

    sheets = ("--labels", "L7160", "--sheets-per-file", "1")
    with monkeypatch.context() as patched:
        patched.setattr(FolderOutlet, "send", sending)
        assert print_(tmp_path / "out", *sheets) == 1
    told = capsys.readouterr().err
    assert "is recalled: glass (registry entry" in told and "recall --lift" in told
    last = f"label 21 (serial {serials[20]})"
    assert f"; this run printed 21 labels, the last of them {last}; not printed: 3 other labels\n" in told
    first = f"{GTIN}-{LOT}-0000001-0000021.pdf"
    assert [file.name for file in (tmp_path / "out").iterdir()] == [first]
    story.world.operator_says({"type": "recall-lifting", **entry})
    assert print_(tmp_path / "out", *sheets) == 0
    assert links(tmp_path / "out" / f"{GTIN}-{LOT}-0000022-0000024.pdf") == {
        label.link("ID.EXAMPLE.COM") for label in story.labels[21:]
    }


def test_a_recall_that_is_said_while_a_label_printer_prints_stops_it(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it has been sent comes out, and no more; which labels these are is told, and none is in doubt."""
    more = issue_lot(story.world, 96, lot="L-LONG")
    recall = {"type": "recall", "organisation": "https://example.com", "reason": "glass", "since": "2026-11-26"}
    with FakeZebra(label_s=0.02) as printer, ThreadPoolExecutor(1) as pool:
        command = ["labels", "print", "--gtin", GTIN, "--lot", "L-LONG", "--printer", str(printer.address)]
        run = pool.submit(tallystick.run, command)
        eventually(lambda: len(printer.printed) >= 3)
        story.world.operator_says({**recall, "gtin": GTIN, "lot": "L-LONG"})
        assert run.result(60) == 1
        out = len(printer.printed)
        assert out in (24, 48, 72)
        told = capsys.readouterr().err
        assert f"error: GTIN {GTIN}, lot L-LONG is recalled: glass (registry entry" in told
        assert f"; this run printed {out} labels, the last of them label {out} " in told and "nobody knows" not in told
        assert f"(serial {more.labels[out - 1].serial}); not printed: {96 - out} other labels\n" in told
        with connect(story.world.dsn) as connection:
            counts = uses.counts(connection, more.batch.batch.root)
        assert (counts[Use.SENT], counts[Use.PRINTED], counts[Use.REFUSED]) == (out, out, 0)
        assert tallystick.run(command) == 1 and len(printer.printed) == out


def test_no_file_takes_the_place_of_another(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run is refused before anything is sent, and goes on when the file is away; what says the same is no other."""
    file = tmp_path / f"{GTIN}-{LOT}-0000001-0000024.pdf"
    file.write_text("another's")
    assert print_(tmp_path, "--format", "pdf") == 1
    told = capsys.readouterr().err
    assert f"{file} is there already" in told and "name another folder with -o" in told
    assert file.read_text() == "another's"
    file.unlink()
    assert print_(tmp_path, "--format", "pdf") == 0 and len(links(file)) == 24
    assert print_(tmp_path, "--format", "pdf", "--again") == 0
    assert print_(tmp_path, "--format", "pdf", "--again", "--title", "Other") == 1 and len(links(file)) == 24


def test_the_page_beside_pictures_is_no_strangers(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last run's page makes room for the next; somebody's index.html stays as it is, and that is said."""
    monkeypatch.setenv("TALLYSTICK_LABELS_URL", "http://127.0.0.1:8420")
    first, second, third = (story.link(number).serial or "" for number in range(3))
    page = tmp_path / "index.html"
    assert print_(tmp_path, "--serial", first) == 0 and first in page.read_text()
    assert print_(tmp_path, "--serial", second) == 0 and second in page.read_text()
    page.write_text("<html>mine</html>")
    capsys.readouterr()
    assert print_(tmp_path, "--serial", third) == 0 and page.read_text() == "<html>mine</html>"
    told = capsys.readouterr()
    assert "warning" in told.err and "index.html" in told.err and "index.html" not in told.out
    page.unlink()
    os.mkfifo(page)  # which nobody writes into
    assert print_(tmp_path, "--serial", third, "--again") == 0 and page.is_fifo()
    assert "has an index.html of somebody else" in capsys.readouterr().err


def test_what_a_picture_has_people_type_leads_where_its_code_leads(story: Story, tmp_path: Path) -> None:
    """The service at a loopback address is for this machine alone: no label has it."""
    host = "id.example.com"
    for number, url in enumerate(("", "http://127.0.0.1:8420")):
        settings = f'[labels]\nurl = "{url}"\n' if url else ""
        (tmp_path / "tallystick.toml").write_text(settings)
        assert print_(tmp_path / str(number), "--again", "--serial", story.link(0).serial or "") == 0
    [one], [other] = ((tmp_path / name).glob("*.png") for name in "01")
    assert one.read_bytes() == other.read_bytes()
    label = Numbered(1, StoredLabel(story.labels[0], b"", 0))
    note = LotFace(host, LOT).face(label).note
    assert note == f"Scan the code for proof. Typed, without proof:\nhttps://{host}{story.labels[0].path}"


@pytest.mark.parametrize(
    ("args", "error", "hint"),
    [
        (["--labels", "L7651"], "38.1 x 21.2 mm is too small for a code of 21.0 mm", 'first: --labels "Herma 4610"'),
        (["--labels", "X1"], "no format 'X1' is known", "labels formats"),
        (["--grid", "3x8"], "a grid is known by its counts and its labels' size", "--label 70x37"),
        (["--label", "70x37"], "are of a grid", "--grid"),
        (["--grid", "3x9", "--label", "70x37"], "333 mm high", "--margin"),
        (["--labels", "L7160", "--skip", "21"], "a sheet has 21 labels", "--skip 20"),
        (["--labels", "L7160", "--x-dimension", "0.3"], "not what GS1 allows", "0.375 to 0.990"),
        (["--labels", "L7160", "--offset", "x"], "is no offset", "0.5,-1"),
        (["--labels", "L7160", "--title", "\u05e9"], "cannot show", "another script"),
        (["--labels", "L7160", "--title", "\u4e00"], "cannot show", "--font"),
        (["--serial", "NOSUCH"], "has serial NOSUCH", "behind (21)"),
    ],
)
def test_mistakes_get_an_error_and_a_hint_and_print_nothing(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], error: str, hint: str
) -> None:
    """Exit 1; no file, and the lot is still to be printed."""
    assert print_(tmp_path / "out", *args) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and error in captured.err and hint in captured.err
    assert not (tmp_path / "out").exists()
    with connect(story.world.dsn) as connection:
        assert connection.execute("select count(*) from label_use").fetchone() == (0,)
