"""`tallystick labels`, as it is typed."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

import tallystick
from deploy.story import SSCC
from labels import gs1
from labels.batch import Label
from ledger.registry import Role
from tests.labels.story import GTIN, LOT, Story, while_ticking
from tests.world import World

UNKNOWN = "095060001343520024"


@pytest.fixture
def told(story: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The told story, in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(story.world.folder.path.parent))
    monkeypatch.setenv("TALLYSTICK_DSN", story.world.dsn)
    return story


def labels(*args: str) -> int:
    """The exit code of `tallystick labels ARGS`."""
    return tallystick.run(["labels", *args])


def running(world: World, *args: str) -> int:
    """The same while a gateway runs."""
    code: Any = while_ticking(world, lambda: labels(*args))
    assert isinstance(code, int)
    return code


def test_key_issue_and_print(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key, a lot, and a picture of each label that decodes to what was issued."""
    assert running(world, "key", "--gtin", "9506000134352", "--days", "30") == 0
    assert f"signs {GTIN}" in capsys.readouterr().out
    assert running(world, "issue", "--gtin", GTIN, "--lot", LOT, "--count", "5", "--host", "id.example.org") == 0
    told = capsys.readouterr()
    assert "an example" not in told.err
    links = told.out.splitlines()
    assert len(links) == 5 and all(link.startswith(f"https://id.example.org/01/{GTIN}/21/") for link in links)
    out = tmp_path / "printed"
    (tmp_path / "tallystick.toml").write_text('[labels]\nurl = "http://127.0.0.1:8420"\n')
    assert labels("print", "--gtin", GTIN, "--lot", LOT, "-o", str(out), "--sheet", "--host", "id.example.org") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[5:] == [str(out / "index.html"), str(out / f"sheet-{GTIN}-{LOT}-0000001-0000005.png")]
    names = [f"{GTIN}-{LOT}-000000{number}-{gs1.parse(link).serial}.png" for number, link in enumerate(links, 1)]
    assert {file.name for file in out.iterdir()} == {Path(name).name for name in printed[5:]} | set(names)
    for line, link in zip(printed, links, strict=False):
        file, page = line.split()
        (code,) = zxingcpp.read_barcodes(Image.open(file))
        assert code.text == link.replace("id.example.org", "ID.EXAMPLE.ORG")
        assert page.startswith("http://127.0.0.1:8420/01/") and Label.of(gs1.parse(page)) == Label.of(gs1.parse(link))


def test_issue_prints_one_json_object(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """With the batch's entry and root, and the links; the default host is id.example.com."""
    assert running(world, "key", "--prefix", "0950600013") == 0
    capsys.readouterr()
    assert running(world, "issue", "--gtin", GTIN, "--lot", LOT, "--count", "2", "--json") == 0
    told = capsys.readouterr()
    assert "the links lead to id.example.com, an example" in told.err
    issued = json.loads(told.out)
    assert issued["lot"] == LOT and len(issued["labels"]) == 2 and len(issued["root"]) == 64
    assert issued["labels"][0].startswith("https://id.example.com/01/")


def test_own_serials_go_out_as_a_csv_and_are_listed(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a spreadsheet's file to a printer's; again they are refused; lots and export tell of them."""
    mine, out = tmp_path / "mine.csv", tmp_path / "out.csv"
    mine.write_bytes(b"\xef\xbb\xbfname;Serial\r\nx;SN-1\r\n\r\ny;SN/2\r\n")
    order = ("issue", "--gtin", GTIN, "--lot", LOT, "--serials", str(mine), "-o", str(out))
    assert running(world, *order) == 0
    told = capsys.readouterr()
    assert "warning: these serials can be guessed" in told.err and told.out == ""
    written = out.read_bytes()
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert [row[:3] for row in rows] == [["gtin", "lot", "serial"], [GTIN, LOT, "SN-1"], [GTIN, LOT, "SN/2"]]
    assert [gs1.parse(row[3]).serial for row in rows[1:]] == ["SN-1", "SN/2"]
    out.unlink()
    assert labels(*order) == 1
    assert "line 2: serial 'SN-1' was issued before" in capsys.readouterr().err
    assert labels("export", "--gtin", GTIN, "--lot", LOT) == 0
    assert capsys.readouterr().out.encode() == written
    assert labels("lots") == 0
    titles, line = capsys.readouterr().out.splitlines()
    assert titles.split() == ["GTIN", "lot", "labels", "issued", "entry", "root", "key"]
    assert line.split()[:3] == [GTIN, LOT, "2"] and line.endswith("serials that can be guessed")
    assert labels("lots", "--json", "--gtin", GTIN) == 0
    (lot,) = json.loads(capsys.readouterr().out)["lots"]
    assert len(line) <= 80 + len("serials that can be guessed") and lot["root"][:8] in line and lot["key"][:8] in line
    assert (lot["lot"], lot["size"], lot["serials"], lot["recalled"]) == (LOT, 2, "guessable", False)
    assert labels("lots", "--gtin", "09506000134369") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_links_are_written_to_a_new_file_alone(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    """What is there stays as it is, be it no file at all; nothing is issued then, nor for a folder that is not."""
    out, lot = tmp_path / "out.csv", ("--gtin", GTIN, "--lot", LOT)
    make(out)
    kind = out.lstat().st_mode
    assert labels("issue", *lot, "--count", "1", "-o", str(out)) == 1
    assert f"{out} is there already" in (told := capsys.readouterr().err) and "another file with -o" in told
    assert labels("lots") == 0 and capsys.readouterr().out == ""
    assert labels("issue", *lot, "--count", "1", "-o", str(tmp_path / "nowhere" / "out.csv")) == 1
    assert "cannot write" in capsys.readouterr().err
    assert labels("lots") == 0 and capsys.readouterr().out == ""
    assert running(world, "issue", *lot, "--count", "1", "-o", str(tmp_path / "other.csv")) == 0
    assert labels("export", *lot, "-o", str(out)) == 1
    assert f"{out} is there already" in capsys.readouterr().err
    assert out.lstat().st_mode == kind and (not out.is_file() or out.read_bytes() == b"")


def test_on_a_terminal_it_is_shown_how_far_it_is(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a batch is made, and while its links are written, by both commands; elsewhere nothing is said."""
    lot = ("--gtin", GTIN, "--lot", LOT)
    assert running(world, "issue", *lot, "--count", "3", "-o", str(tmp_path / "0.csv")) == 0
    assert " labels, " not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert running(world, "issue", *lot, "--count", "3", "-o", str(tmp_path / "1.csv")) == 0
    told = capsys.readouterr().err
    assert "comparing: 3 of 3 labels, 100 %" in told and "writing: 0 of 3 labels, 0 %" in told
    assert labels("export", *lot, "-o", str(tmp_path / "2.csv")) == 0
    assert "writing: 0 of 6 labels, 0 %" in capsys.readouterr().err


def test_a_terminal_is_not_filled_with_links(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person sees the first of them, and how to have all; a file or a program gets them all."""
    lot = ("--gtin", GTIN, "--lot", LOT, "--count", "30")
    assert running(world, "issue", *lot) == 0
    assert len((told := capsys.readouterr()).out.splitlines()) == 30 and " more: " not in told.err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert running(world, "issue", *lot) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 24 and "… and 6 more: 'tallystick labels export' writes all" in told.err
    assert running(world, "issue", *lot, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["labels"]) == 30


def test_what_a_spreadsheet_would_change_is_told_by_who_writes_it(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, by both commands; a file of bare links has nothing to change."""
    (tmp_path / "mine").write_text("A-1\n=1+1\n")
    order = ("issue", "--gtin", GTIN, "--lot", LOT, "--serials", str(tmp_path / "mine"))
    warning = "tallystick: warning: a spreadsheet takes '=1+1' for a formula"
    assert running(world, *order, "-o", str(tmp_path / "issued.csv")) == 0
    assert capsys.readouterr().err.count(warning) == 1
    for name, count in (("again.csv", 1), ("again.txt", 0)):
        assert labels("export", "--gtin", GTIN, "--lot", LOT, "-o", str(tmp_path / name)) == 0
        assert capsys.readouterr().err.count(warning) == count


def test_a_batchs_key_is_revoked_and_its_labels_stay_genuine(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """By its key id or its lot; a second time there is nothing to revoke. The trust bundle tells of it."""
    assert running(world, "issue", "--gtin", GTIN, "--lot", LOT, "--count", "1", "--json") == 0
    issued = json.loads(capsys.readouterr().out)
    assert running(world, "revoke-key", issued["key"][:16], "--reason", "a rumour") == 0
    assert f"revoked the label key {issued['key'][:16]}… for {GTIN}, lot {LOT}" in capsys.readouterr().out
    assert labels("revoke-key", "--gtin", GTIN, "--lot", LOT, "--reason", "again") == 1
    assert "revoked already" in capsys.readouterr().err
    assert labels("show", issued["labels"][0]) == 0
    assert "before its key was revoked" in capsys.readouterr().out
    assert labels("lots") == 0
    assert "key revoked" in capsys.readouterr().out
    assert tallystick.run(["ledger", "trust", "export"]) == 0
    assert '"revoked": true' in capsys.readouterr().out


def test_labels_of_a_recalled_lot_leave_with_a_word(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with the reason; before the recall there is none. Who issued nothing is named."""
    assert running(world, "issue", "--gtin", GTIN, "--lot", LOT, "--count", "1") == 0
    capsys.readouterr()
    assert labels("export", "--gtin", GTIN, "--lot", LOT) == 0
    before = capsys.readouterr()
    recall = {"type": "recall", "organisation": "https://example.com", "gtin": GTIN, "lot": LOT, "reason": "glass"}
    world.post(Role.OPERATOR, {**recall, "since": "2026-11-26"})
    world.tick()
    assert labels("export", "--gtin", GTIN, "--lot", LOT) == 0
    after = capsys.readouterr()
    assert "RECALLED" not in before.err and f"warning: lot {LOT} is RECALLED: glass\n" in after.err
    assert after.out == before.out
    assert labels("lots", "--issuer", "nobody") == 0
    assert capsys.readouterr().err == "no batch was issued by nobody\n"


def test_a_serial_that_can_be_guessed_shows_its_lot(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its page is a lot's, in its headline and its reason."""
    (tmp_path / "mine").write_text("1\n2\n3\n")
    assert running(world, "issue", "--gtin", GTIN, "--lot", LOT, "--serials", str(tmp_path / "mine")) == 0
    link = capsys.readouterr().out.splitlines()[0]
    assert labels("show", link) == 0
    told = capsys.readouterr().out
    assert told.startswith("GENUINE LOT LABEL") and "says nothing of a single item" in told


def register(world: World, *args: str) -> Any:
    """The exit code of `tallystick ledger register ARGS`, while a gateway runs."""
    return while_ticking(world, lambda: tallystick.run(["ledger", "register", *args]))


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("key", "--gtin", GTIN), GTIN),
        (("issue", "--gtin", GTIN, "--lot", LOT, "--count", "1"), f"GTIN {GTIN}"),
        (("sscc", "--prefix", "9506000", "-o", "pallet.png"), "company prefix 9506000"),
    ],
)
def test_a_gtin_of_which_nobody_knows_whose_it_is(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], what: str
) -> None:
    """It is told that nothing shows it, and how to declare it, until the organisation has."""
    args = [str(tmp_path / arg) if arg.endswith(".png") else arg for arg in command]
    assert running(world, *args) == 0
    told = capsys.readouterr().err
    assert f"warning: https://example.com has declared no GS1 Company Prefix, so nothing shows that {what} is" in told
    assert "'tallystick ledger register --organisation https://example.com --gs1-prefix DIGITS'" in told
    assert register(world, "--organisation", "https://example.com", "--gs1-prefix", "9506000") == 0
    args = [arg.replace("pallet", "other") for arg in args]
    capsys.readouterr()
    assert running(world, *args) == 0
    assert "Company Prefix" not in capsys.readouterr().err


def test_an_organisation_declares_its_prefix(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """And what is outside is refused, with the way out."""
    assert register(world, "--organisation", "https://example.com", "--gs1-prefix", "9501101") == 0
    assert "GS1 Company Prefix 9501101" in capsys.readouterr().out
    assert labels("issue", "--gtin", GTIN, "--lot", LOT, "--count", "1") == 1
    told = capsys.readouterr().err
    assert f"{GTIN} is not of https://example.com: its GS1 Company Prefixes are 9501101" in told
    assert "--gs1-prefix" in told
    assert register(world, "--organisation", "https://example.com", "--gs1-prefix", "95") == 1
    assert "4 to 12 digits" in capsys.readouterr().err
    assert register(world) == register(world, "--organisation", "https://x.example") == 1
    assert register(world, "-", "--name", "x") == 1


def test_show_tells_a_history(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """By the link, or by GTIN and serial where it was issued; as text or JSON."""
    link, serial = told.labels[3].link("id.example.com"), told.link(3).serial or ""
    assert labels("show", link) == 0
    text = capsys.readouterr().out
    assert "GENUINE LABEL" in text and "Received · Warehouse, Seattle" in text and "20 of 20 records verified" in text
    assert labels("show", GTIN, serial) == 0
    assert capsys.readouterr().out == text
    assert labels("show", "--json", link) == 0
    assert json.loads(capsys.readouterr().out)["number"] == "4 of 24"


def test_show_tells_what_is_known_of_a_pallet(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """By the link of its label or by its number, as people write it; as text or JSON."""
    assert labels("show", f"https://id.example.com/00/{SSCC}") == 0
    text = capsys.readouterr().out
    assert text.startswith("A PALLET OR A CASE: ") and "label is not signed" in text and f"  SSCC     {SSCC}\n" in text
    assert "Received · Warehouse, Seattle" in text and "13 of 13 records verified" in text
    for written in (SSCC, f"(00){SSCC}", f"(00) {SSCC[:9]} {SSCC[9:]}", f"00{SSCC}", f"00 {SSCC}"):
        assert labels("show", written) == 0
        assert capsys.readouterr().out == text
    assert labels("show", UNKNOWN) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f"  SSCC     {UNKNOWN}"]
    assert labels("show", "--json", SSCC) == 0
    assert json.loads(capsys.readouterr().out)["sscc"] == SSCC


def test_show_takes_a_product_as_people_write_it(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """By its link, its GTIN with or without spaces and the leading zero, or its AI in brackets."""
    assert labels("show", f"https://id.example.com/01/{GTIN}") == 0
    text = capsys.readouterr().out
    assert GTIN in text
    for written in (GTIN, GTIN[1:], f"{GTIN[1]} {GTIN[2:8]} {GTIN[8:]}", f"(01){GTIN}"):
        assert labels("show", written) == 0
        assert capsys.readouterr().out == text


@pytest.mark.parametrize(
    ("args", "error", "hint"),
    [
        (["show", "09506000134353", "A1"], "GTIN '09506000134353' has a wrong check digit",
         "the last digit of a GTIN is computed from the others"),
        (["show", "09506000134353"], "GTIN '09506000134353' has a wrong check digit", "computed from the others"),
        (["show", "0950600013435"], "GTIN '0950600013435' has a wrong check digit", "computed from the others"),
        (["show", "09506000134"], "GTIN '09506000134' has 11 digits, not 8, 12, 13 or 14", "below a bar code"),
        (["show", "(01)09506000134353"], "(01): wrong check digit", "the whole link"),
        (["issue", "--gtin", "095060001343527", "--lot", "A", "--count", "1"], "has 15 digits, not 8", "a bar code"),
        (["issue", "--gtin", "1", "--lot", "A", "--count", "1"], "GTIN '1' has 1 digit, not 8", "a bar code"),
        (["show", GTIN, "NOSUCH"], f"no label was issued here for (01) {GTIN} (21) NOSUCH", "whole link"),
        (["show", GTIN, "x" * 21], "is not GS1's", "1 to 20 letters, digits"),
        (["show", "https://id.example.com/"], "does not end in a primary key", "the whole link"),
        (["show", GTIN, "A", "B"], "a link, a GTIN and a serial, or an SSCC", "between quotes"),
        (["show", "(00) 095060001343520018"], "is no SSCC: (00): wrong check digit", "18 digits"),
        (["show", "95060001343520017"], "is no SSCC", "18 digits"),
        (["show", "00095060001343520018"], "is no SSCC: (00): wrong check digit", "18 digits"),
        (["show", "https://id.example.com/414/9506000134352"], "(414) names no product", "pallets and cases, (00)"),
        (["issue", "--gtin", GTIN, "--lot", "A"], "how many labels is not said", "--serials"),
        (["issue", "--gtin", GTIN, "--lot", "A", "--count", "0"], "1 to 1,000,000 labels, not 0", "--count"),
        (["issue", "--gtin", GTIN, "--lot", "A", "--count", "1", "--serials", "/dev/null"], "both given", "as many"),
        (["issue", "--gtin", GTIN, "--lot", "A", "--count", "1", "--column", "x"], "--column is of", "--serials"),
        (["issue", "--gtin", GTIN, "--lot", "A", "--count", "1", "-o", "a.xls"], "does not say what to write", ".csv"),
        (["issue", "--gtin", GTIN, "--lot", "A", "--serials", "/dev/null"], "serials is empty", "serial a line"),
        (["export", "--gtin", GTIN, "--lot", "NONE"], "no batch of lot NONE", "labels lots"),
        (["export", "--gtin", GTIN, "--lot", LOT, "--batch", "x"], "with a root x…", "labels lots"),
        (["revoke-key", "--reason", "x"], "name a key id, or a product", "--gtin"),
        (["revoke-key", "--reason", "x", "--lot", "A"], "name a key id, or a product", "--gtin"),
        (["revoke-key", "nonsense", "--reason", "x"], "'nonsense' is no key id", "8 hexadecimal digits"),
        (["revoke-key", "00000000", "--reason", "x"], "no label key begins with 00000000", "labels lots"),
        (["revoke-key", "--gtin", GTIN, "--lot", "NONE", "--reason", "x"], "lot NONE alone", "labels lots"),
        (["issue", "--gtin", GTIN, "--lot", "A", "--count", "many"], "'many'", "--help"),
        (["key"], "named products only", "--gtin or --prefix"),
        (["print", "--gtin", GTIN, "--lot", "NONE", "-o", "/tmp/x"], "no published batch", "labels issue"),
        (["serve", "--bind", "203.0.113.1", "--port", "1"], "cannot listen on 203.0.113.1", "--port"),
    ],
)  # fmt: skip
def test_mistakes_get_an_error_and_a_hint(
    told: Story, capsys: pytest.CaptureFixture[str], args: list[str], error: str, hint: str
) -> None:
    """Exit 1, and nothing on standard output."""
    assert labels(*args) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and "tallystick: error: " in captured.err
    assert error in captured.err and hint in captured.err


def test_without_a_ledger_there_is_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command says how to make one."""
    link = f"https://id.example.com/01/{GTIN}"
    for args in (["show", link], ["serve"], ["issue", "--gtin", GTIN, "--lot", "A", "--count", "1"], ["key"]):
        assert labels(*args, "--data", str(tmp_path)) == 1
        assert "tallystick ledger init" in capsys.readouterr().err
