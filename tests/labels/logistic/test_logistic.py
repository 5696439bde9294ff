"""Logistic labels: SSCCs that are given once, and GS1's label that scanners and people read."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from labels import gs1
from labels.catalogue.catalogue import Catalogue
from labels.logistic import given, render, symbols
from labels.logistic.asked import ToPrinter
from labels.logistic.checked import require_pdf_reads, require_reads
from labels.logistic.issue import Label, send
from labels.logistic.layout import Drawing, draw
from labels.logistic.lettering import CAPITAL
from labels.logistic.unit import Content, Unit, numbers
from labels.printers.dots import PER_MM, Size
from labels.printers.medium import zebra
from labels.printing.decoded import UnreadableError
from ledger.database import connect
from ledger.errors import UserError
from tests.labels.printers.fake_zebra import FakeZebra
from tests.world import World

PREFIX, GTIN, HOST = "9506000", "09506000134352", "id.example.com"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SSCC = next(numbers(PREFIX, 3, 1))
A6, A5 = Size(105, 148), Size(148, 210)
UNITS = {
    "bare": Unit(SSCC),
    "pieces": Unit(SSCC, Content(GTIN, 48)),
    "lot": Unit(SSCC, Content(GTIN, 1200, "L2606A")),
}


def drawn(unit: Unit, size: Size = A6, *, dpi: int | None = None, company: str = "Example Foods, Seattle") -> Drawing:
    """A unit's label, for paper or a printer's dots."""
    step = {"step_mm": 1 / PER_MM[dpi]} if dpi else {}
    return draw(unit, company=company, host=HOST, size=size, **step)


def read(image: Image.Image) -> dict[str, str]:
    """What a reader finds: symbology identifier and text of each code."""
    found = zxingcpp.read_barcodes(
        image, formats=zxingcpp.barcode_formats_from_str("Code128,QRCode"), text_mode=zxingcpp.TextMode.Plain
    )
    return {code.text: code.symbology_identifier for code in found}


def test_an_sscc_is_made_as_gs1_says() -> None:
    """Extension digit, prefix, reference and check digit; GS1's own example (General Specifications, 7.9.1)."""
    assert SSCC == "395060000000000016" and gs1.sscc(SSCC).sscc == SSCC
    assert next(numbers("7610425", 3, 2123456)) == "376104250021234569"
    last = list(numbers("950600012345", 0, 9998))
    assert len(last) == 2 and all(len(number) == 18 for number in last)


def test_whoever_prints_many_hears_how_many_are_out() -> None:
    """Counted through, however few the printer is sent at once."""
    units = [Unit(sscc) for sscc, _ in zip(numbers(PREFIX, 3, 0), range(26), strict=False)]
    heard = list[int]()
    with FakeZebra() as printer:
        to = ToPrinter(printer.address, zebra("105x148", 203), asks=True)
        send(units, Label("Example Foods", HOST), to, catalogue=Catalogue, tell=heard.append)
        assert len(printer.printed) == 26
    assert heard == sorted(heard) and heard[-1] == 26


@pytest.fixture
def database(postgres_dsn: str, tmp_path: Path) -> Iterator[psycopg.Connection]:
    """A ledger's database."""
    with World(postgres_dsn, tmp_path / "ledger"), connect(postgres_dsn) as connection:
        yield connection


def give(connection: psycopg.Connection, count: int, *, prefix: str = PREFIX, extension: int = 3) -> list[str]:
    """The next numbers."""
    units = given.give(connection, prefix=prefix, extension=extension, count=count, at=NOW)
    return [unit.sscc for unit in units]


def test_no_number_is_given_twice(database: psycopg.Connection) -> None:
    """Each call goes on where the last ended, whatever the extension digit; a longer prefix of the same company too."""
    first, second = give(database, 3), give(database, 2)
    assert first + second == [sscc for sscc, _ in zip(numbers(PREFIX, 3, 0), range(5), strict=False)]
    assert give(database, 1, extension=4) == [next(numbers(PREFIX, 4, 0))]
    longer = give(database, 2, prefix=PREFIX + "00")
    assert not {*first, *second} & {*longer, *give(database, 2)}


def test_many_ask_at_once(database: psycopg.Connection, postgres_dsn: str) -> None:
    """Processes that ask at the same time get different numbers."""
    found: list[list[str]] = []

    def ask() -> None:
        with connect(postgres_dsn) as connection:
            found.extend(give(connection, 7) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({sscc for ssccs in found for sscc in ssccs}) == 6 * 5 * 7


def test_the_last_number(database: psycopg.Connection) -> None:
    """When a prefix's numbers end, none is given, and the hint names a way out."""
    assert len(give(database, 9_998, prefix="950600012345")) == 9_998
    with pytest.raises(UserError, match="only 2 SSCCs are left") as raised:
        give(database, 3, prefix="950600012345")
    assert "--extension" in raised.value.hint
    assert len(give(database, 2, prefix="950600012345")) == 2


def test_a_unit_is_found_again(database: psycopg.Connection) -> None:
    """With what is on it; a number that was not given is refused, and the services cannot take one back."""
    (unit,) = given.give(database, prefix=PREFIX, extension=3, count=1, content=Content(GTIN, 48, "L2606A"), at=NOW)
    assert given.again(database, [unit.sscc]) == [unit]
    with pytest.raises(UserError, match=f"SSCC {SSCC} was not given here"):
        given.again(database, [SSCC])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("delete from sscc")


@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize("name", UNITS)
def test_a_label_in_dots_is_read(name: str, dpi: int) -> None:
    """Its GS1-128 symbols as GS1-128 with the exact element strings, and the QR code; also blurred, and turned."""
    drawing = drawn(UNITS[name], dpi=dpi)
    picture = render.picture(drawing, dpi)
    require_reads(picture, [drawing])
    wanted = {bars.symbol.element_string: "]C1" for bars in drawing.bars} | {f"https://ID.EXAMPLE.COM/00/{SSCC}": "]Q1"}
    assert f"00{SSCC}" in wanted
    grey = picture.convert("L")
    assert read(grey) == wanted
    assert read(grey.filter(ImageFilter.GaussianBlur(dpi / 203)).rotate(3, expand=True, fillcolor=255)) == wanted


@pytest.mark.parametrize("name", UNITS)
def test_a_label_on_paper_is_read(name: str) -> None:
    """A PDF's page is as large as the label, and has its codes."""
    drawing = drawn(UNITS[name])
    pages = render.pages([drawing] * 2, None)
    made = render.pdf(pages, None)
    require_pdf_reads(made, pages)
    page = pypdfium2.PdfDocument(made)[1]
    assert [round(side / 72 * 25.4, 1) for side in page.get_size()] == [105, 148]
    assert len(read(page.render(scale=300 / 72).to_pil())) == len(drawing.bars) + 1


def test_four_labels_go_on_a_page_of_a4() -> None:
    """A label of A6 four times a page; a label larger than the page on none."""
    drawings = [drawn(Unit(sscc)) for sscc, _ in zip(numbers(PREFIX, 0, 0), range(5), strict=False)]
    pages = render.pages(drawings, Size(210, 297))
    assert [len(page) for page in pages] == [4, 1]
    require_pdf_reads(render.pdf(pages, Size(210, 297)), pages)
    with pytest.raises(UserError, match="no label of 105x148 mm goes on a page of 100x100"):
        render.pages(drawings, Size(100, 100))


def test_what_is_read_back_is_compared() -> None:
    """A label with a code too few, or with another's, does not leave."""
    mine, other = drawn(UNITS["lot"], dpi=203), drawn(Unit(next(numbers(PREFIX, 3, 2))), dpi=203)
    picture = render.picture(mine, 203)
    with pytest.raises(UnreadableError, match="is not read back"):
        require_reads(picture, [other])
    with pytest.raises(UnreadableError, match="should not be read"):
        require_reads(picture, [drawn(UNITS["bare"], dpi=203)])
    picture.paste(255, (0, 870, 840, 1184))
    with pytest.raises(UnreadableError, match=f"bar code '00{SSCC}' is not read back"):
        require_reads(picture, [mine])


@pytest.mark.parametrize(
    ("size", "dpi"), [(A6, None), (A6, 203), (A6, 300), (A5, 203), (Size(102, 152), 600), (Size(105, 190), 203)]
)
@pytest.mark.parametrize("name", UNITS)
def test_dimensions_are_gs1s(name: str, size: Size, dpi: int | None) -> None:
    """X-dimension, height, quiet zones and the order of the symbols; nothing lies over another or the edge."""
    drawing = drawn(UNITS[name], size, dpi=dpi)
    assert drawing.bars[-1].symbol.said.pairs == (("00", SSCC),)
    edges = [0.0]
    for bars in drawing.bars:
        assert 0.495 <= bars.module <= 0.94 and bars.height >= 31.75
        assert dpi is None or abs(bars.module * PER_MM[dpi] - round(bars.module * PER_MM[dpi])) < 1e-3
        right = bars.x + (len(bars.symbol.modules) + 10) * bars.module
        assert bars.x >= 10 * bars.module and right <= size.width_mm
        edges += [bars.y, bars.y + bars.height]
    assert edges == sorted(edges) and edges[-1] < size.height_mm
    quiet = 4 * drawing.code.module
    assert (
        drawing.code.module >= 0.375 and drawing.code.y + len(drawing.code.code.rows) * drawing.code.module < edges[1]
    )
    for words in drawing.words:
        assert words.x < drawing.code.x - quiet or words.y <= drawing.code.y - quiet
        assert words.size * 0.729 >= 2.0


@pytest.mark.parametrize(
    ("name", "size", "capitals"),
    [("bare", A6, 7.0), ("pieces", A6, 7.0), ("lot", A6, 3.0), *((name, A5, 8.0) for name in UNITS)],
)
def test_data_are_as_large_as_there_is_room_for(name: str, size: Size, capitals: float) -> None:
    """7 mm, as GS1 would have it, but for three symbols on A6; a title is nearer to its value than to the one above."""
    drawing = drawn(UNITS[name], size)
    data = dict(UNITS[name].titled)
    titles = {words.text: words for words in drawing.words if words.text in data}
    values = {words.text: words for words in drawing.words if words.text in data.values()}
    assert len(titles) == len(values) == len(data)
    for title, value in data.items():
        top = values[value].y - values[value].size * CAPITAL
        assert values[value].size * CAPITAL >= capitals - 1e-6 and top - titles[title].y > 0
        above = [one.y for one in values.values() if one.y < titles[title].y]
        assert all(titles[title].y - titles[title].size * CAPITAL - y > 1.4 * (top - titles[title].y) for y in above)


def least_capitals(unit: Unit, size: Size, company: str) -> float:
    """Of the values on a label, those of the smallest one, in millimetres."""
    values = {value for _, value in unit.titled}
    return min(words.size for words in drawn(unit, size, company=company).words if words.text in values) * CAPITAL


@pytest.mark.parametrize(
    ("size", "pieces", "lot"),
    [
        (A6, 7.0, 4.7),
        (A5, 9.0, 9.0),
        (Size(101.6, 152.4), 8.7, 5.3),
        (Size(100, 150), 8.1, 4.4),
        (Size(152, 102), 3.9, None),
        (Size(148, 105), 5.4, None),
        (Size(105, 160), 9.0, 6.2),
        (Size(210, 148), 9.0, 9.0),
    ],
)
def test_of_all_arrangements_the_one_with_the_largest_letters(size: Size, pieces: float, lot: float | None) -> None:
    """On common sizes, upright and lying; a company's name takes little of it."""
    assert least_capitals(UNITS["pieces"], size, "Example Foods, Seattle") >= pieces
    assert least_capitals(UNITS["pieces"], size, "") >= pieces
    if lot:
        assert least_capitals(UNITS["lot"], size, "Example Foods, Seattle") >= lot


def test_a_higher_label_has_no_smaller_letters() -> None:
    """Once there is room for a QR code as scanners like it."""
    found = [least_capitals(UNITS["lot"], Size(105, height), "Example") for height in range(151, 240, 3)]
    assert found == sorted(found)


def test_symbols_stand_in_the_middle() -> None:
    """Each, whatever its length, and the text below it."""
    drawing = drawn(UNITS["lot"], A5)
    middles = [bars.x + len(bars.symbol.modules) * bars.module / 2 for bars in drawing.bars]
    below = [words for words in drawing.words if words.text.startswith("(")]
    middles += [line.x + drawing.fonts.measure(line.text, False) * line.size * line.narrow / 2 for line in below]
    assert len(middles) == 4 and middles == pytest.approx([74] * 4)


def test_a_long_lot_has_a_row_of_its_own() -> None:
    """On A6 beside the QR code nothing is smaller than GS1 allows; a short one shares a row."""
    for lot, apart in (("1" * 20, True), ("L2606A", False)):
        drawing = drawn(Unit(SSCC, Content(GTIN, 1200, lot)))
        heights = {words.text: words.y for words in drawing.words}
        assert (heights[lot] > heights["1200"]) is apart
        assert all(words.size * CAPITAL >= (3 if words.bold else 2) for words in drawing.words)


@pytest.mark.parametrize("name", UNITS)
def test_the_codes_say_together_what_the_unit_is(name: str) -> None:
    """Read as a scanner transmits them, the symbols of a label are one message, by all rules of GS1's."""
    scanned = [f"]C1{bars.symbol.element_string}" for bars in drawn(UNITS[name]).bars]
    assert sorted(gs1.read_together(scanned).pairs) == sorted(UNITS[name].pairs)
    assert [title for title, _ in UNITS[name].titled] == ["SSCC", "CONTENT", "COUNT", "BATCH/LOT"][
        : len(UNITS[name].pairs)
    ]


def test_content_is_parted_where_the_label_is_narrow() -> None:
    """(02), (37) and (10) stand in one symbol on A5, and the lot in one of its own on A6."""
    wide, narrow = drawn(UNITS["lot"], A5), drawn(UNITS["lot"])
    assert [bars.symbol.readable for bars in wide.bars] == [f"(02){GTIN}(37)1200(10)L2606A", f"(00){SSCC}"]
    assert wide.bars[0].symbol.element_string == f"02{GTIN}371200\x1d10L2606A"
    assert [bars.symbol.readable for bars in narrow.bars] == [f"(02){GTIN}(37)1200", "(10)L2606A", f"(00){SSCC}"]


@pytest.mark.parametrize(
    ("unit", "size", "company", "error"),
    [
        (Unit(SSCC, Content(GTIN, 1, "L" * 20)), A6, "", "takes 152 mm, and the label has 101 mm"),
        (UNITS["bare"], Size(80, 148), "", "takes 87 mm, and the label has 76 mm"),
        (UNITS["lot"], Size(105, 120), "", "too small for this unit"),
        (UNITS["bare"], A6, "漢", "cannot show '漢'"),
        (Unit(SSCC, Content(GTIN, 1, "A(1")), A6, "", "a bracket"),
    ],
)
def test_what_does_not_go_on_a_label(unit: Unit, size: Size, company: str, error: str) -> None:
    """Is told before anything is printed, with a hint."""
    with pytest.raises(UserError, match=error) as raised:
        drawn(unit, size, company=company)
    assert raised.value.hint


def test_a_long_company_name_is_set_narrower() -> None:
    """It stays within the label."""
    drawing = drawn(UNITS["bare"], company="A company whose name and address go on and on " * 3)
    image = render.picture(drawing, 203)
    assert image.crop((825, 0, 840, 50)).convert("L").getextrema() == (255, 255)


def test_the_writer_is_not_believed_blindly() -> None:
    """A symbol begins with Code 128's start C and FNC1, and ends with its stop, by the tables of ISO/IEC 15417."""
    symbol = symbols.symbol_of((("00", SSCC),))
    bits = "".join("1" if dark else "0" for dark in symbol.modules)
    assert bits.startswith("11010011100" + "11110101110") and bits.endswith("1100011101011") and len(bits) == 156
