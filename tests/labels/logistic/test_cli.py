"""`tallystick labels sscc` and `labels printer`, as they are typed."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

import tallystick
from labels.logistic import given
from labels.logistic.unit import Unit, numbers
from labels.printers.raster import picture_of
from ledger import operate
from tests.labels.printers.fake_brother import FakeBrother
from tests.labels.printers.fake_zebra import FakeZebra
from tests.labels.printers.zpl import graphics
from tests.labels.story import while_ticking
from tests.running import eventually
from tests.world import NAME, ORGANISATION, World

NUMBERS = [sscc for sscc, _ in zip(numbers("9506000", 3, 0), range(12), strict=False)]
NEW = ("--prefix", "9506000", "--extension", "3")


def sscc(*args: object) -> int:
    """The exit code of `tallystick labels sscc ARGS`."""
    return tallystick.run(["labels", "sscc", *map(str, args)])


def bar_codes(image: Image.Image) -> list[str]:
    """What the bar codes in a picture say, in GS1's brackets."""
    wanted = zxingcpp.barcode_formats_from_str("Code128")
    return sorted(code.text for code in zxingcpp.read_barcodes(image, formats=wanted))


def test_a_pdf(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page a unit, whose numbers are printed; the next call gives the next ones."""
    out = tmp_path / "pallets.pdf"
    assert sscc(*NEW, "--count", 3, "--content", "09506000134352", "--pieces", 48, "--lot", "L1", "-o", out) == 0
    told = capsys.readouterr()
    assert told.out.split() == NUMBERS[:3] and told.err.endswith(f"wrote {out}\n")
    document = pypdfium2.PdfDocument(out)
    assert len(document) == 3
    assert bar_codes(document[2].render(scale=3).to_pil()) == [
        f"(00){NUMBERS[2]}", "(02)09506000134352(37)48", "(10)L1"
    ]  # fmt: skip
    assert sscc(*NEW, "-o", tmp_path / "one.png") == 0
    assert capsys.readouterr().out.split() == NUMBERS[3:4]
    assert bar_codes(Image.open(tmp_path / "one.png")) == [f"(00){NUMBERS[3]}"]


def test_zpl(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels for a Zebra in a file: what its pictures show is what was asked for."""
    assert sscc(*NEW, "--count", 2, "-o", tmp_path / "two.zpl", "--dpi", "300") == 0
    found = graphics((tmp_path / "two.zpl").read_bytes())
    assert [bar_codes(picture_of(dots)) for dots in found] == [[f"(00){sscc}"] for sscc in NUMBERS[:2]]
    assert sscc("--again", f"(00) {NUMBERS[1]}", "-o", tmp_path / "again.zpl", "--dpi", "300") == 0
    assert (tmp_path / "two.zpl").read_bytes().endswith((tmp_path / "again.zpl").read_bytes())


def test_no_file_is_replaced(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels that are there stay; no number is given for those that would take their place, by `--again` neither."""
    out = tmp_path / "pallets.pdf"
    assert sscc(*NEW, "-o", out) == 0
    before = out.read_bytes()
    capsys.readouterr()
    for args in (NEW, ("--again", NUMBERS[0])):
        assert sscc(*args, "-o", out) == 1
        told = capsys.readouterr()
        assert f"{out} is there already" in told.err and "another file with -o" in told.err and told.out == ""
    assert out.read_bytes() == before
    assert sscc(*NEW, "-o", tmp_path / "more.pdf") == 0
    assert capsys.readouterr().out.split() == NUMBERS[1:2]


def test_a_zebra_runs_out(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Which came out is told by number, and the others can be printed again; no number is given anew for them."""
    with FakeZebra(paper=3) as printer:
        assert sscc(*NEW, "--count", 5, "--printer", printer.address) == 1
        told = capsys.readouterr()
        assert told.out.split() == NUMBERS[:5]
        assert (
            f"printed: {NUMBERS[0]}, {NUMBERS[1]}; look whether these came out: {NUMBERS[2]}, {NUMBERS[3]};" in told.err
        )
        assert f"not printed: {NUMBERS[4]}\n" in told.err and "--again" in told.err
        printer.mend()
        assert sscc("--again", NUMBERS[3], "--again", NUMBERS[4], "--printer", printer.address) == 0
        assert [bar_codes(picture_of(*graphics(label))) for label in printer.printed] == [
            [f"(00){number}"] for number in NUMBERS[:5]
        ]


def test_a_brother(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A wide Brother QL prints a pallet's label on a roll of 103 by 164 mm."""
    with FakeBrother(media=(0x0B, 104, 164)) as printer:
        assert sscc(*NEW, "--printer", printer.address, "--language", "ql", "--roll", "103x164") == 0
        assert len(printer.printed) == 1
    assert sscc(*NEW, "--printer", "/dev/null", "--language", "ql", "--roll", "62") == 1
    assert "the label has 55 mm for it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "error", "hint"),
    [
        (["-o", "x.pdf"], "of which units", "--prefix"),
        ([*NEW], "where the labels go", "--printer"),
        ([*NEW, "-o", "x.doc"], "ends in no form of a label", ".zpl"),
        ([*NEW, "-o", "x.png", "--count", "2"], "a PNG holds one label", ".pdf"),
        (["--prefix", "95O6000", "-o", "x.pdf"], "no GS1 company prefix", "4 to 12 digits"),
        (["--again", "395060000000000017", "-o", "x.pdf"], "is no SSCC", "18 digits"),
        (["--again", "395060000000000016", "-o", "x.pdf"], "was not given here", "--prefix"),
        ([*NEW, "-o", "x.pdf", "--lot", "L1"], "said by half", "--content"),
        ([*NEW, "-o", "x.pdf", "--content", "09506000134353", "--pieces", "1"], "wrong check digit", "the last digit"),
        ([*NEW, "-o", "x.pdf", "--label", "50x30"], "takes 87 mm", "--label"),
        ([*NEW, "-o", "/no/such/x.pdf"], "cannot write /no/such/x.pdf", "not there"),
        ([*NEW, "--printer", "no printer"], "no address of a printer", "zebra.example.com"),
        ([*NEW, "-o", "x.ql"], "which roll", "--roll"),
    ],
)
def test_mistakes(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    args: list[str], error: str, hint: str,
) -> None:  # fmt: skip
    """Exit 1 with an error and a hint, no file, and no number that is given."""
    monkeypatch.chdir(tmp_path)
    assert sscc(*args) == 1
    told = capsys.readouterr()
    assert (
        f"tallystick: error: {'' if error in told.err else '?'}" in told.err and error in told.err and hint in told.err
    )
    assert not list(tmp_path.glob("x.*"))
    assert told.out == ""


def test_a_recalled_lot_goes_on_no_pallet(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No number is given for a unit with goods that must not be used, and no label of one is printed again."""
    gtin, out = "09506000134352", tmp_path / "x.pdf"
    lot = (*NEW, "--content", gtin, "--pieces", 1, "--lot")
    assert sscc(*lot, "L1", "-o", tmp_path / "before.pdf") == 0
    recall = ["labels", "recall", "--gtin", gtin, "--lot", "L1", "--reason", "glass in it"]
    assert while_ticking(world, lambda: tallystick.run(recall)) == 0
    capsys.readouterr()
    for args in ([*lot, "L1"], ["--again", NUMBERS[0]]):
        assert sscc(*args, "-o", out) == 1
        told = capsys.readouterr()
        assert f"GTIN {gtin}, lot L1 is recalled: glass in it" in told.err and told.out == "" and not out.exists()
    assert sscc(*lot, "L2", "-o", out) == 0
    assert capsys.readouterr().out.split() == NUMBERS[1:2]
    page = pypdfium2.PdfDocument(out)[0]
    assert "example.com" in page.get_textpage().get_text_range()  # the operator's name, if no other is said


def test_a_recall_that_is_said_while_pallet_labels_are_printed_stops_them(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the printer has been sent comes out, and no more; which these are is told, and they have their numbers."""
    content = ("--content", "09506000134352", "--pieces", 1, "--lot", "L1")
    recall = {"type": "recall", "organisation": ORGANISATION, "gtin": "09506000134352", "lot": "L1", "reason": "glass"}
    with FakeZebra(label_s=0.05) as printer, ThreadPoolExecutor(1) as pool:
        run = pool.submit(sscc, *NEW, *content, "--count", 60, "--printer", printer.address)
        eventually(lambda: len(printer.printed) >= 3, within_s=60)
        world.operator_says({**recall, "since": "2026-11-26"})
        assert run.result(60) == 1
        told, out = capsys.readouterr(), len(printer.printed)
    given = told.out.split()
    assert len(given) == 60 and out in (24, 48)
    assert "GTIN 09506000134352, lot L1 is recalled: glass (registry entry" in told.err
    assert f"; printed: {given[0]} to {given[out - 1]} ({out}); not printed: " in told.err
    assert given[-1] in told.err and "recall --lift" in told.err and "look whether" not in told.err


def test_a_recall_that_is_said_while_a_file_is_drawn_keeps_it_away(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its units have their numbers, and no label."""
    content = ("--content", "09506000134352", "--pieces", 1, "--lot", "L1")
    recall = {"type": "recall", "organisation": ORGANISATION, "gtin": "09506000134352", "lot": "L1", "reason": "glass"}
    give = given.give

    def giving(*args: Any, **fields: Any) -> list[Unit]:
        world.operator_says({**recall, "since": "2026-11-26"})
        return give(*args, **fields)

    monkeypatch.setattr(given, "give", giving)
    assert sscc(*NEW, *content, "--count", 2, "-o", tmp_path / "x.pdf") == 1
    told = capsys.readouterr()
    assert "lot L1 is recalled: glass" in told.err and told.out.split() == NUMBERS[:2]
    assert not (tmp_path / "x.pdf").exists()


def test_a_company_prefix_of_others(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where organisations have declared their company prefixes, the operator numbers units with its own."""
    other = {"type": "organisation", "uri": "https://other.example.com", "name": "Other", "prefixes": ["9506999"]}
    while_ticking(world, lambda: operate.post(world.folder, world.dsn, [other], timeout_s=15))
    assert sscc("--prefix", "9506999", "-o", tmp_path / "x.pdf") == 1
    assert "is https://other.example.com's, who has declared it" in capsys.readouterr().err
    own = {"type": "organisation", "uri": ORGANISATION, "name": NAME, "prefixes": ["9506000", "9506001"]}
    while_ticking(world, lambda: operate.post(world.folder, world.dsn, [own], timeout_s=15))
    assert sscc("--prefix", "9506002", "-o", tmp_path / "x.pdf") == 1
    told = capsys.readouterr()
    assert "which are 9506000, 9506001" in told.err and told.out == "" and not (tmp_path / "x.pdf").exists()
    assert sscc("--prefix", "9506001", "-o", tmp_path / "x.pdf") == 0


def test_how_a_printer_is(capsys: pytest.CaptureFixture[str]) -> None:
    """In plain words, and as JSON; exit code 2 if it cannot print, 1 if it does not say."""

    def ask(*args: object) -> tuple[int, str]:
        code = tallystick.run(["labels", "printer", *map(str, args)])
        told = capsys.readouterr()
        return code, told.out + told.err

    with FakeZebra() as printer:
        assert ask(printer.address) == (0, f"{printer.address}: ready\n")
        printer.fault = "paper head"
        assert ask(printer.address) == (
            2, f"{printer.address}: cannot print: the head is open and it is out of labels\n"
        )  # fmt: skip
        code, told = ask(printer.address, "--json")
        assert code == 2 and json.loads(told) == {
            "address": str(printer.address), "ready": False, "waiting": 0, "loaded": "",
            "faults": ["the head is open", "it is out of labels"],
        }  # fmt: skip
        printer.answer = lambda truth: [b"hello"]
        code, told = ask(printer.address)
        assert code == 1 and "cannot print: half of its answer is lacking" in told
    with FakeBrother(media=(0x0B, 29, 90)) as brother:
        assert ask(brother.address, "--language", "ql") == (0, f"{brother.address}: ready, 29x90 mm in it\n")
