"""Codes that are no label of ours, but name what is recalled: told as labels of it are, offline and online."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import tallystick
from labels import gs1
from labels.catalogue.place import Place
from labels.judgement import Standing
from labels.reading import unsigned
from labels.reading.code import Code
from labels.reading.recalls import KnownRecalls
from labels.reading.say import say
from labels.reading.verdict import Verdict
from ledger.registry import Recalled
from tests.labels.reading.pictures import beside, encoded, label, symbol
from tests.labels.reading.typed import HOST, photo, read, trust_bundle
from tests.labels.serving import served
from tests.labels.story import GTIN, LOT, while_ticking
from tests.world import World

OTHER = "09506000134369"
RECALL = {"type": "recall", "organisation": "https://example.com", "reason": "glass", "since": "2026-11-26"}
SSCC = f"09506000134352001{gs1.check_digit('09506000134352001')}"
HEADED = "RECALLED: DO NOT USE"
LOOK = "PERHAPS RECALLED: LOOK AT ITS LOT"
NOTED = "! RECALLED since 2026-11-26: glass"


def of_lot(lot: str) -> dict[str, Image.Image]:
    """Every sort of code that names a lot of the product."""
    return {
        "GS1-128": symbol(f"(01){GTIN}(10){lot}", "Code128", gs1=True),
        "Data Matrix": symbol(f"(01){GTIN}(17)270630(10){lot}", "DataMatrix", gs1=True),
        "Digital Link": label(f"https://shop.example.org/01/{GTIN}/10/{lot}"),
        "on a pallet": symbol(f"(02){GTIN}(37)24(10){lot}(00){SSCC}", "Code128", gs1=True),
        "its pallet's link": label(f"https://{HOST}/00/{SSCC}?02={GTIN}&37=24&10={lot}"),
    }


@pytest.fixture
def recalling(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A ledger that has recalled one lot, in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(world.folder.path.parent))
    monkeypatch.setenv("TALLYSTICK_DSN", world.dsn)
    world.operator_says(RECALL | {"gtin": GTIN, "lot": LOT})
    return world


@pytest.fixture
def bundle(recalling: World, tmp_path: Path) -> Path:
    """Its trust bundle."""
    return trust_bundle(tmp_path / "bundle.txt")


@pytest.fixture
def asked(request: pytest.FixtureRequest, recalling: World, bundle: Path) -> Iterator[list[str]]:
    """By whose word: a ledger's, a trust bundle's, or a service's beside a bundle of before the recall was lifted."""
    if request.param == "ledger":
        yield []
    elif request.param == "bundle":
        yield ["--trust", str(bundle)]
    else:
        recalling.operator_says({**RECALL, "type": "recall-lifting", "gtin": GTIN, "lot": LOT})
        trust_bundle(bundle)
        recalling.operator_says(RECALL | {"gtin": GTIN, "lot": LOT})
        with served(recalling.folder.path.parent, recalling.dsn) as address:
            yield ["--trust", str(bundle), "--url", address]


@pytest.mark.parametrize("asked", ["ledger", "bundle", "service"], indirect=True)
def test_a_code_of_a_recalled_lot_is_told_so_first(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a label's words, and exit 2 beside a genuine label; of which nothing is said, for none of them is signed."""
    codes = of_lot(LOT)
    picture = tmp_path / "codes.png"
    picture.write_bytes(encoded(beside(*codes.values())))
    capsys.readouterr()
    assert read(picture, *asked) == 2
    text = capsys.readouterr().out
    assert text.count(f" {HEADED}\n") == len(codes) and text.count("Nothing in it says whether it is genuine") == 5
    assert text.count("! RECALLED") == len(codes) and ("--url" in asked or text.count(NOTED) == len(codes))
    assert read("--json", picture, *asked) == 2
    found = json.loads(capsys.readouterr().out)["codes"]
    assert [(code["verdict"], code["headline"], code["recalled"]) for code in found] == [
        ("no-claim", "Recalled: do not use", True)
    ] * len(codes)


@pytest.mark.parametrize("asked", ["ledger", "bundle", "service"], indirect=True)
def test_a_code_without_a_lot_says_to_look_at_it(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An article's number and a link to an item may be of the recalled lot; one of another product is not."""
    images = [
        symbol(GTIN[1:], "EAN13"),
        label(f"https://shop.example.org/01/{GTIN}/21/ABC"),
        symbol(OTHER[1:], "EAN13"),
        *of_lot("OTHER").values(),
    ]
    picture = tmp_path / "codes.png"
    picture.write_bytes(encoded(beside(*images)))
    capsys.readouterr()
    assert read(picture, *asked) == 2
    text = capsys.readouterr().out
    assert text.count(f" {LOOK}\n") == 2 and HEADED not in text and text.count(f"Recalled is lot {LOT} of this") == 2
    assert read("--json", picture, *asked) == 2
    found = json.loads(capsys.readouterr().out)["codes"]
    assert [code["verdict"] for code in found] == ["no-claim", "no-claim", *[None] * 6]
    assert found[0]["recalled"] is None


def test_a_genuine_label_beside_it_does_not_make_it_good(
    recalling: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The picture ends with 2; and with a plain code of what is not recalled, with 0."""
    arguments = ["issue", "--gtin", GTIN, "--lot", "GOOD", "--count", "1", "--host", HOST]
    assert while_ticking(recalling, lambda: tallystick.run(["labels", *arguments])) == 0
    link = capsys.readouterr().out.strip()
    bad = photo(tmp_path, link, f"https://{HOST}/01/{GTIN}/10/{LOT}", name="bad.png")
    good = photo(tmp_path, link, f"https://{HOST}/01/{GTIN}/10/GOOD", name="good.png")
    assert read(bad) == 2 and read(good) == 0
    assert read(bad, good) == 2
    assert "2 labels: 2 genuine label; 1 other code with a warning" in capsys.readouterr().out


def test_a_pallet_label_of_ours_is_told(recalling: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the symbol that names the content, though the lot stands in another, and its link has neither."""
    arguments = ["--prefix", "9506000", "--content", GTIN, "--pieces", "24", "--lot", "SOON", "-o", f"{tmp_path}/a.pdf"]
    assert tallystick.run(["labels", "sscc", *arguments]) == 0
    recalling.operator_says(RECALL | {"gtin": GTIN, "lot": "SOON"})
    capsys.readouterr()
    assert read("--json", tmp_path / "a.pdf") == 2
    codes = json.loads(capsys.readouterr().out)["codes"]
    told = {
        "".join(f"({one['ai']})" for one in code["elements"]): code["headline"] for code in codes if code["verdict"]
    }
    assert told == {"(02)(37)": "Recalled: do not use"}


LINK = gs1.item(GTIN, lot=LOT)


def told(link: gs1.DigitalLink, *places: Place) -> Verdict | None:
    """The verdict by a bundle with recalls of these places."""
    by_place = {one: Recalled(one.gtin, one.lot, one.serial, "x", "glass", "2026-11-26", 7) for one in places}
    return unsigned.by_trust(link, KnownRecalls("2026-11-27", by_place), what="GS1 data", by="the trust bundle")


@pytest.mark.parametrize("place", [Place(GTIN), Place(GTIN, lot=LOT), Place(GTIN, serial="A")])
def test_each_level_is_told(place: Place) -> None:
    """Product, lot and item; it counts as bad, and a page shows it in red."""
    found = told(gs1.item(GTIN, lot=LOT, serial="A"), place)
    assert found is not None and found.recalled and not found.is_good and found.shown == "problem"


def test_what_may_be_recalled_is_amber() -> None:
    """Where the lot is not said; where it is, another lot's recall is none of its."""
    found = told(gs1.item(GTIN), Place(GTIN, lot=LOT))
    assert found is not None and found.shown == "unproven" and found.standing is Standing.NO_CLAIM
    assert told(LINK, Place(GTIN, lot="OTHER")) is None and told(gs1.item(GTIN), Place(GTIN, serial="A")) is None


def test_a_lot_that_no_link_can_name_does_not_hide_the_product() -> None:
    """A lot of one dot stands in an element string alone."""
    said = say(Code("GS1-128", "]C1", f"01{GTIN}10.", ((0, 0), (1, 0), (1, 1), (0, 1))))
    assert said.product == gs1.item(GTIN)


def test_what_a_service_calls_recalled_lots_is_read_with_care() -> None:
    """A path of any other type, size or kind names none of them."""
    path = f"/01/{GTIN}/10/{LOT}"
    odd: list[Any] = [5, None, f"{path}?x={'x' * 500}", "/", f"/01/{GTIN}", {}]
    page = PAGE | {"recalls": [], "described": {"below": [*(["a lot", one] for one in odd), [path], path, 5]}}
    product = gs1.item(GTIN)
    assert unsigned.by_service(page, product, None, what="GS1 data", by="x") is None
    page["described"]["below"].append(["lot", path])
    found = unsigned.by_service(page, product, None, what="GS1 data", by="x")
    assert found is not None and found.recalled_lots == (LOT,)


PAGE: dict[str, Any] = dict.fromkeys(("headline", "reason", "fault", "issuer", "issued"), "") | {"verdict": "no-claim"}


def by_service(page: Any, checked: Verdict | None = None) -> Verdict | None:
    """What is made of a service's page of the lot."""
    return unsigned.by_service(page, LINK, checked, what="GS1 data", by="https://id.example.com")


def test_a_service_hides_no_recall_and_its_nonsense_is_told() -> None:
    """What the bundle has stands; an answer that is no page is a warning."""
    checked = told(LINK, Place(GTIN))
    assert by_service({**PAGE, "recalls": []}) is None and by_service({**PAGE, "recalls": []}, checked) is checked
    nonsense = by_service({"verdict": "splendid"})
    assert nonsense is not None and nonsense.notes == ("https://id.example.com gives no verdict that can be read",)
    assert not nonsense.is_good
    both = by_service(None, checked)
    assert both is not None and both.recalled and len(both.notes) == 2
