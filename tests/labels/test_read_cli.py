"""`tallystick labels read`, as it is typed."""

import json
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest

import tallystick
from labels import gs1
from labels.batch import Label
from ledger.keys import SigningKey
from ledger.trust.trust_file import Trust
from tests.labels.made import sign_labels
from tests.labels.reading.pictures import beside, document, encoded, label, symbol
from tests.labels.reading.typed import HOST, photo, read, trust_bundle
from tests.labels.serving import served
from tests.labels.story import GTIN, LOT, Story, while_ticking
from tests.world import World

SSCC = f"09506000134352001{gs1.check_digit('09506000134352001')}"
CUT = encoded(label("https://a/"))[:200]


@pytest.fixture
def told(story: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The told story, in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(story.world.folder.path.parent))
    monkeypatch.setenv("TALLYSTICK_DSN", story.world.dsn)
    return story


@pytest.fixture
def bundle(told: Story, tmp_path: Path) -> Path:
    """The ledger's trust bundle, as the operator gives it out."""
    return trust_bundle(tmp_path / "bundle.txt")


def changed(one: Label) -> str:
    """The label's link, with another serial under its signature."""
    return one.link(HOST).replace("/21/", "/21/Z", 1)


def test_a_photo_says_what_its_labels_are(told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By this machine's ledger: genuine, with product, lot and who says so; a changed one is a problem, and exit 2."""
    assert read(photo(tmp_path, told.labels[0].link(HOST))) == 0
    text = capsys.readouterr().out
    assert "GENUINE LABEL" in text and f"(01) {GTIN}  GTIN" in text and "the ledger example.com" in text
    assert read(photo(tmp_path, told.labels[0].link(HOST), changed(told.labels[1]))) == 2
    text = capsys.readouterr().out
    assert text.count("GENUINE LABEL") == 1 and text.count("PROBLEM") == 1 and "made up" in text


def test_of_good_labels_that_are_alike_the_first_is_told_in_full(
    told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are a line each, with their serial; one that is not good is told in full as well."""
    one, two, three = told.labels[:3]
    picture = photo(tmp_path, one.link(HOST), two.link(HOST), changed(three))
    assert read(picture) == 2
    lines = capsys.readouterr().out.splitlines()
    headed = [line for line in lines if line[:3].strip().isdigit()]
    assert headed == ["  1 GENUINE LABEL", f"  2 GENUINE LABEL: lot {LOT}, serial {two.serial}", "  3 PROBLEM"]
    assert sum(line.startswith("      issued ") for line in lines) == 1 and any("made up" in line for line in lines)


def test_a_recall_is_the_first_thing_said(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As on the label's page: a genuine label of a recalled lot does not begin with the word genuine."""
    recall = {"type": "recall", "organisation": "https://example.com", "reason": "glass", "since": "2026-11-26"}
    arguments = ["issue", "--gtin", GTIN, "--lot", LOT, "--count", "1", "--host", HOST]
    assert while_ticking(world, lambda: tallystick.run(["labels", *arguments])) == 0
    link = capsys.readouterr().out.strip()
    world.operator_says({**recall, "gtin": GTIN, "lot": LOT})
    assert read(photo(tmp_path, link)) == 2
    text = capsys.readouterr().out
    assert "  1 RECALLED: DO NOT USE\n      The label is signed by" in text and "since 2026-11-26: glass" in text


def test_offline_a_good_label_is_signed_and_no_more(
    told: Story, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a trust bundle, and without any ledger: it says who signed, and what only the ledger can say."""
    picture = photo(tmp_path, told.labels[0].link(HOST))
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path / "nowhere"))
    monkeypatch.delenv("TALLYSTICK_DSN")
    assert read(picture, "--trust", bundle) == 0
    text = capsys.readouterr().out
    assert "SIGNED, BUT NOT COUNTED HERE" in text and "only the ledger can say" in text and "GENUINE" not in text
    assert read(photo(tmp_path, changed(told.labels[0])), "--trust", bundle) == 2
    assert "PROBLEM" in capsys.readouterr().out


def test_a_service_is_believed_of_what_the_bundle_bears_out(
    told: Story, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It calls a label genuine, and its signature is checked here; a changed one is a problem by our own word."""
    with served(told.world.folder.path.parent, told.world.dsn) as address:
        asked = ("--trust", bundle, "--url", address)
        assert read(photo(tmp_path, told.labels[2].link(HOST)), *asked) == 0
        text = capsys.readouterr().out
        assert "GENUINE LABEL" in text and f"by the word of {address}; the signature is checked here" in text
        assert read(photo(tmp_path, changed(told.labels[2])), *asked) == 2
        assert "PROBLEM" in capsys.readouterr().out


def test_what_is_not_a_label_is_told_as_what_it_is(
    told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Links, element strings with their AIs in words, article numbers and other texts; none is a genuine label."""
    codes = [
        label(f"https://example.org/01/{GTIN}/10/{LOT}"),
        label("https://example.org/menu"),
        symbol(f"(01){GTIN}(17)270630(10)ABC", "DataMatrix", gs1=True),
        symbol(f"(00){SSCC}", "Code128", gs1=True),
        symbol("9506000134352", "EAN13"),
        symbol("HELLO 123", "Code128"),
    ]
    file = tmp_path / "many.png"
    file.write_bytes(encoded(beside(*codes)))
    assert read("--json", file) == 2
    found = json.loads(capsys.readouterr().out)["codes"]
    kinds = [code["kind"] for code in found]
    assert kinds == ["gs1-digital-link", "url", "gs1-elements", "gs1-elements", "gs1-elements", "other"]
    assert [code["verdict"] for code in found] == [None] * 6
    assert {"ai": "10", "title": "BATCH/LOT", "value": "ABC"} in found[2]["elements"]
    assert found[3]["elements"][0]["ai"] == "00" and found[4]["elements"][0]["value"] == "09506000134352"
    assert read(file) == 2
    text = capsys.readouterr().out
    assert "GS1 data, in a Data Matrix" in text and "(10) ABC  BATCH/LOT" in text


def test_the_same_label_twice_is_told(told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice in one picture is a warning and exit 2; in a second picture it says in which it was before."""
    link = told.labels[4].link(HOST)
    assert read(photo(tmp_path, link, link)) == 2
    assert capsys.readouterr().out.count("more than once") == 2
    first, second = photo(tmp_path, link, name="a.png"), photo(tmp_path, link, name="b.png")
    assert read(first, second) == 0
    text = capsys.readouterr().out
    assert text.count("a label of the same item is in") == 1 and f"is in {first}" in text
    assert "2 labels: 2 genuine label" in text


def test_a_pdf_and_standard_input(
    told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PDF has pages, each with its codes; - is a picture that is piped in."""
    data = document([label(one.link(HOST)) for one in told.labels[:3]])
    (tmp_path / "scan.pdf").write_bytes(data)
    assert read(tmp_path / "scan.pdf") == 0
    text = capsys.readouterr().out
    assert "3 codes on 3 pages" in text and "GENUINE LABEL (page 3)" in text
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(data)))
    assert read("-") == 0
    assert capsys.readouterr().out.startswith("standard input: 3 codes")


def test_a_label_that_cannot_be_read_as_one_is_a_problem(
    told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A digit of the GTIN changed: no GS1 Digital Link any more, and told as a label that was changed."""
    link = told.labels[0].link(HOST).replace(GTIN, "09506000134353")
    assert read(photo(tmp_path, link)) == 2
    assert "It was a label, and was changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "it is empty"),
        (b"hello", "it is no picture"),
        (CUT, "it is damaged or cut short"),
    ],
)
def test_what_is_no_picture_gets_a_plain_word(
    told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, complaint: str
) -> None:
    """Exit 1; a picture beside it is read all the same, and what is not genuine in it is the worse."""
    broken = tmp_path / "broken.png"
    broken.write_bytes(data)
    assert read(broken) == 1
    assert f"cannot be read: {complaint}" in capsys.readouterr().out
    assert read(broken, photo(tmp_path, told.labels[0].link(HOST))) == 1
    assert "GENUINE LABEL" in capsys.readouterr().out
    assert read(broken, photo(tmp_path, changed(told.labels[0]))) == 2


def test_mistakes_get_an_error_and_a_hint(told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, a service without a bundle to check it by, a trust file without label keys."""
    picture = photo(tmp_path, told.labels[0].link(HOST))
    assert read(picture, tmp_path / "none.png") == 1
    captured = capsys.readouterr()
    assert captured.out == "" and "cannot read" in captured.err and "hint: look at its name" in captured.err
    assert read(picture, "--url", "https://id.example.com") == 1
    assert "ledger trust export" in capsys.readouterr().err
    file = tmp_path / "trust.json"
    file.write_text(told.world.trust.text)
    assert Trust.load(file).bundle is None
    assert read(picture, "--trust", file) == 1
    assert "no label keys" in capsys.readouterr().err


def test_another_ledgers_key_is_unknown(told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label that somebody else signed, for this product and today."""
    [forged] = sign_labels(SigningKey.generate(), 2400, gtin=GTIN, lot=LOT, serials=["FORGED"])
    assert gs1.parse(forged.link(HOST)).gtin == GTIN
    assert read(photo(tmp_path, forged.link(HOST))) == 2
    assert "signed by no key that this ledger knows" in capsys.readouterr().out
