"""Codes on a page: of every carrier of GS1's, wherever they are, however they are held, and no others."""

import time

import pytest
from PIL import Image, ImageFilter, ImageOps

from labels.reading.code import Code
from labels.reading.decode import codes_on
from labels.serial import new_serials
from ledger.keys import SigningKey
from tests.labels.made import sign_labels
from tests.labels.reading.pictures import beside, label, symbol

GTIN = "09506000134352"
KEY = SigningKey(bytes(range(32)))
LABELS = sign_labels(KEY, 2151, gtin=GTIN, lot="L1", serials=new_serials(200))
LINKS = [one.link("ID.EXAMPLE.COM") for one in LABELS]
MESSAGE = f"(01){GTIN}(10)ABC(21)X1"
ELEMENTS = f"01{GTIN}10ABC\x1d21X1"


def found(page: Image.Image) -> list[Code]:
    """The codes that are read."""
    return codes_on(page)[0]


@pytest.mark.parametrize(
    ("carrier", "text", "gs1", "symbology", "read"),
    [
        ("QRCode", MESSAGE, True, "]Q3", ELEMENTS),
        ("DataMatrix", MESSAGE, True, "]d2", ELEMENTS),
        ("DataMatrix", "https://example.com/01/" + GTIN, False, "]d1", "https://example.com/01/" + GTIN),
        ("Code128", MESSAGE, True, "]C1", ELEMENTS),
        ("Code128", "HELLO", False, "]C0", "HELLO"),
        ("EAN13", GTIN[1:], False, "]E0", GTIN[1:]),
        ("UPCA", "012345678905", False, "]E0", "0012345678905"),
        ("EAN8", "95060002", False, "]E4", "95060002"),
        ("ITF", GTIN, False, "]I1", GTIN),
        ("DataBarOmni", f"(01){GTIN}", False, "]e0", f"01{GTIN}"),
    ],
)
def test_every_carrier_is_read(carrier: str, text: str, gs1: bool, symbology: str, read: str) -> None:
    """With its symbology identifier, and FNC1 as GS."""
    page = symbol(text, carrier, gs1=True) if gs1 else symbol(text, carrier)
    [code] = found(page)
    assert (code.symbology, code.text) == (symbology, read)


def test_several_codes_are_told_apart_in_the_order_of_reading() -> None:
    """Row by row, each with its corners; a code that is there twice is two codes."""
    rows = [beside(label(LINKS[0]), label(LINKS[1])), beside(label(LINKS[2]), label(LINKS[0]))]
    page = Image.new("L", (rows[0].width, 2 * rows[0].height), 255)
    page.paste(rows[0], (0, 0))
    page.paste(rows[1], (0, rows[0].height))
    codes = found(page)
    assert [code.text for code in codes] == [LINKS[0], LINKS[1], LINKS[2], LINKS[0]]
    side = rows[0].height
    assert [(code.centre[0] // side, code.centre[1] // side) for code in codes] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_codes_of_several_sizes_in_a_row_are_read_from_the_left() -> None:
    """A small one beside a large one is no row of its own."""
    page = beside(label(LINKS[0], module_px=6), symbol(GTIN[1:], "EAN13"), label(LINKS[1], module_px=4))
    assert [code.text for code in found(page)] == [LINKS[0], GTIN[1:], LINKS[1]]


def test_nothing_is_seen_within_a_code_but_itself() -> None:
    """Of 200 labels each is one code: a reader sees bars of a few digits in one in fifty of them."""
    assert [[code.text for code in found(label(link, module_px=3))] for link in LINKS] == [[link] for link in LINKS]


@pytest.mark.parametrize("angle", [0, 5, 30, 90, 135, 180, 271])
def test_a_code_is_read_at_any_angle(angle: int) -> None:
    """Squares and bars."""
    for page, text in ((label(LINKS[0]), LINKS[0]), (symbol(MESSAGE, "Code128", gs1=True), ELEMENTS)):
        if text is ELEMENTS and angle in (30, 135):
            continue  # bars are read along or across, and a little askew
        turned = page.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        assert [code.text for code in found(turned)] == [text]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda page: page.filter(ImageFilter.GaussianBlur(2.2)),
        lambda page: page.resize((page.width * 2 // 5, page.height * 2 // 5), Image.Resampling.BILINEAR),
        lambda page: ImageOps.invert(page),
        lambda page: page.point(lambda value: 120 + value // 8),
        lambda page: Image.blend(page, Image.effect_noise(page.size, 100), 0.4),
        lambda page: ImageOps.mirror(page),
    ],
    ids=["blurred", "small", "inverted", "faint", "noisy", "mirrored"],
)
def test_a_spoiled_code_is_read(spoil: object) -> None:
    """Out of focus, two dots a module, light on dark, faint, in bad light, from behind a window."""
    assert callable(spoil)
    for link in LINKS[:10]:
        assert [code.text for code in found(spoil(label(link)))] == [link]


def test_a_code_that_cannot_be_read_is_told() -> None:
    """A person should know that there is one; pieces of it may be taken for more."""
    ruined = label(LINKS[0])
    ruined.paste(0, (90, 60, 200, 200))
    codes, unread = codes_on(beside(ruined, label(LINKS[1])))
    assert [code.text for code in codes] == [LINKS[1]] and unread >= 1


def test_an_empty_page_has_none() -> None:
    """White, black and noise; one pixel."""
    for page in (Image.new("L", (500, 500), 255), Image.new("L", (1, 1), 0), Image.effect_noise((400, 400), 90)):
        assert codes_on(page)[0] == []


def test_a_page_is_looked_at_as_long_as_there_is_time() -> None:
    """What a first look finds is told, though it shows a code that cannot be read and further looks may show more."""
    ruined = label(LINKS[0])
    ruined.paste(0, (90, 60, 200, 200))
    page = beside(ruined, label(LINKS[1]), Image.effect_noise((1500, 1500), 60))
    began = time.process_time()
    at_once, _ = codes_on(page, time.monotonic())
    once_s = time.process_time() - began
    assert [code.text for code in at_once] == [code.text for code in found(page)] == [LINKS[1]]
    assert time.process_time() - began > 3 * once_s
