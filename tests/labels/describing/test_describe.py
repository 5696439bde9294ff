"""Describing and recalling with a real ledger: what is typed is entered whole, or nothing of it is."""

import json
from pathlib import Path
from typing import Any

import pytest

import tallystick
from labels.catalogue import picture
from labels.catalogue.place import Place
from labels.keeper import BookKeeper
from ledger.database import connect
from tests import seeds
from tests.labels.story import GTIN, while_ticking
from tests.world import World

OTHER = "09506000134369"


def typed(world: World, *args: str | Path) -> int:
    """The exit code of `tallystick labels ARGS`, while a gateway runs."""
    code: int = while_ticking(world, lambda: tallystick.run(["labels", *map(str, args)]))
    return code


def entries(world: World) -> int:
    """How many registry entries there are, sealed or waiting."""
    world.tick()
    return world.chain("registry")._registry.size


def said(world: World, *places: Place) -> list[Any]:
    """The descriptions that stand."""
    with connect(world.dsn) as connection:
        book = BookKeeper(world.folder).book(connection)
    return [entered.said for entered in book.catalogue.described(*places)]


def test_a_product_and_its_lot_are_described_and_changed(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not named stays, what is cleared goes; the picture is kept once, as what its hash names."""
    file = tmp_path / "honey.png"
    file.write_bytes(seeds.picture("PNG", size=(2000, 1000)))
    assert typed(
        world, "describe", "--gtin", GTIN, "--name", "Honey", "--text", "From the hills.", "--picture", file,
        "--link", "pip=https://example.com/honey;Our honey;en", "--link", "gs1:faqs=https://example.com/faq",
        "--limit", "temperature=2..8", "--limit", "pressure=..1100 hPa",
    ) == 0  # fmt: skip
    assert capsys.readouterr().out == f"GTIN {GTIN}: registry entry 2\n"
    assert typed(world, "describe", "--gtin", GTIN, "--lot", "A1", "--limit", "temperature=..-18", "--json") == 0
    [product] = json.loads(capsys.readouterr().out)["products"]
    assert (product["lot"], product["limits"]) == ("A1", {"temperature": ["Cel", None, -18.0]})
    assert typed(world, "describe", "--gtin", GTIN, "--clear", "text", "--clear", "links") == 0
    honey, lot = said(world, Place(GTIN), Place(GTIN, lot="A1"))
    assert (honey.name, honey.text, honey.links) == ("Honey", "", ()) and set(honey.limits) == {
        "temperature",
        "pressure",
    }
    assert lot.picture == b""
    with connect(world.dsn) as connection:
        [(sha256, data, width)] = connection.execute("select sha256, data, width from product_picture").fetchall()
    assert honey.picture == bytes(sha256) and width == 800 and len(data) <= picture.BYTES_MAX


def test_a_file_describes_many(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As CSV with pictures beside it, or as JSON."""
    (tmp_path / "a.png").write_bytes(seeds.picture("PNG"))
    file = tmp_path / "catalogue.csv"
    file.write_text(
        "gtin,lot,name,picture,link,link,limit\n"
        f'{GTIN},,"Honey, 250 g",a.png,pip=https://e.com,faqs=https://e.com/f,temperature=2..8\n'
        f"{GTIN},A1,Lot A1,a.png,,,\n\n{OTHER[1:]},,Jam,,,,\n"
    )
    assert typed(world, "describe", "--file", file) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    honey, lot, jam = said(world, Place(GTIN), Place(GTIN, lot="A1"), Place(OTHER))
    assert (honey.name, len(honey.links), jam.name) == ("Honey, 250 g", 2, "Jam") and lot.picture == honey.picture
    file = tmp_path / "catalogue.json"
    link = {"rel": "gs1:instructions", "href": "https://example.com/use"}
    file.write_text(json.dumps([{"gtin": OTHER, "links": [link], "limits": {"t": ["Cel", 2, None]}}]))
    assert typed(world, "describe", "--file", file) == 0
    [jam] = said(world, Place(OTHER))
    assert (jam.name, jam.links[0].title) == ("Jam", "Instructions")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("gtin,name\n{gtin},A\n09506000134353,B\n", "line 3: GTIN '09506000134353' has a wrong check digit"),
        ("gtin,name\n{gtin},A\n{gtin},B\n", f"line 3: GTIN {GTIN} is in line 2 already"),
        ("gtin,link\n{gtin},pip=javascript:alert(1)\n", "leads to https://"),
        ("gtin,link\n{gtin},pip=http://e.com\n{gtin},pip=x\n", "and 1 more is wrong"),
        ("gtin,name\n{gtin},\n", "line 2: nothing is said of"),
        ("gtin,name\n,A\n", "line 2: no GTIN"),
        ("gtin,name\n{gtin},A,B\n", "line 2: 3 values for 2 columns"),
        ("gtin,colour\n{gtin},red\n", "no column 'colour'"),
        ("name\nA\n", "no column 'gtin'"),
        ("gtin,limit\n{gtin},pressure=1..2\n", "has no unit"),
        ("gtin,limit\n{gtin},temperature=8..2\n", "the lower one first"),
        ("gtin,lot,serial,name\n{gtin},A,B,C\n", "without a lot"),
        ("gtin,name,picture\n{gtin},A,none.png\n", "line 2: cannot read the picture"),
        ("gtin,name,picture\n{gtin},A,file\n", "this is no picture"),
        ("", "no column 'gtin'"), ("gtin,name\n", "describes nothing"), ("[1]", "no list of products"),
        ("[{{", "is not JSON"), ('[{{"gtin": "{gtin}", "size": 1}}]', "product 1: a product has no 'size'"),
        ('[{{"gtin": 9506000134352, "name": "x"}}]', "gtin is no text"),
        ('[{{"gtin": "{gtin}", "name": "a\\u202eb"}}]', "all can be seen"),
        ('[{{"gtin": "{gtin}", "links": [{{"rel": "gs1:pip", "href": "data:x"}}]}}]', "leads to https://"),
        ('[{{"gtin": "{gtin}", "limits": {{"t": ["Cel", NaN, 1]}}}}]', "a limit is a number"),
        ("[" * 100_000, "is not JSON"),
    ],
)  # fmt: skip
def test_one_wrong_line_and_nothing_is_said(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, error: str
) -> None:
    """The line is named, and neither an entry nor a picture is left behind."""
    before, file = entries(world), tmp_path / "file"
    file.write_text(text.format(gtin=GTIN) if len(text) < 1000 else text)
    assert tallystick.run(["labels", "describe", "--file", str(file)]) == 1
    told = capsys.readouterr()
    assert error in told.err and "tallystick: hint: " in told.err and told.out == ""
    with connect(world.dsn) as connection:
        assert connection.execute("select count(*) from product_picture").fetchone() == (0,)
    assert entries(world) == before


def test_a_lot_is_recalled_and_that_is_lifted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """By its own place; the book says so to whoever issues or prints."""
    recalled = ["recall", "--gtin", GTIN, "--lot", "A1", "--reason", "glass", "--advice", "Bring it back."]
    assert typed(world, *recalled, "--since", "2026-11-20", "--link", "https://example.com/recall") == 0
    told = capsys.readouterr()
    assert told.out == f"GTIN {GTIN}, lot A1 is recalled: registry entry 2\n"
    assert f"no labels of GTIN {GTIN}, lot A1 were issued here" in told.err  # a lot that is mistyped is not recalled
    with connect(world.dsn) as connection:
        entered = BookKeeper(world.folder).book(connection).recalled(GTIN, "A1")
    assert entered is not None and entered.said.since == "2026-11-20" and entered.said.advice == "Bring it back."
    assert tallystick.run(["labels", "recall", "--lift", "--gtin", GTIN, "--lot", "A2", "--reason", "x"]) == 1
    assert f"recalled are: GTIN {GTIN}, lot A1" in capsys.readouterr().err
    assert typed(world, "recall", "--lift", "--gtin", GTIN, "--lot", "A1", "--reason", "none", "--json") == 0
    assert json.loads(capsys.readouterr().out)["lifted"] is True
    with connect(world.dsn) as connection:
        assert BookKeeper(world.folder).book(connection).recalled(GTIN, "A1") is None


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["describe"], "of which product"),
        (["describe", "--gtin", GTIN], "nothing is said"),
        (["describe", "--gtin", GTIN, "--gtin", OTHER, "--lot", "A", "--name", "x"], "of one product"),
        (["describe", "--gtin", GTIN, "--name", "x", "--file", "x"], "says all by itself"),
        (["describe", "--gtin", GTIN, "--name", "x" * 121], "1 to 120 characters"),
        (["describe", "--gtin", GTIN, "--name", "x", "--organisation", "https://nobody.example.com"], "is registered"),
        (["describe", "--gtin", GTIN, "--link", "style=https://e.com"], "no link type"),
        (["describe", "--gtin", GTIN, "--limit", "t=1..2 C", "--limit", "t=3..4 C"], "two limits"),
        (["describe", "--gtin", GTIN, "--name", "x", "--clear", "name"], "said no longer"),
        (["recall", "--gtin", GTIN, "--reason", "x", "--since", "yesterday"], "since a day"),
        (["recall", "--gtin", GTIN, "--reason", "x", "--link", "http://e.com"], "leads to https"),
        (["recall", "--lift", "--gtin", GTIN, "--reason", "x", "--since", "2026-01-01"], "no more than a reason"),
        (["recall", "--gtin", GTIN], "reason"),
    ],
)
def test_mistakes_get_an_error_and_a_hint(
    world: World, capsys: pytest.CaptureFixture[str], args: list[str], error: str
) -> None:
    """And nothing is entered."""
    before = entries(world)
    assert tallystick.run(["labels", *args]) == 1
    told = capsys.readouterr()
    assert error in told.err and "tallystick: hint: " in told.err and told.out == ""
    assert entries(world) == before
