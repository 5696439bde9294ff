"""Sheets as a printer gets them: each code where its label is, as large as it should be, and read back."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from labels import gs1
from labels.printing import fonts, pdf, qr, readback
from labels.printing.decoded import QR, UnreadableError
from labels.printing.face import Face, human_readable
from labels.printing.formats import FORMATS, Format, by_number, grid
from labels.printing.layout import EDGE_MM, QUIET_ZONE, X_DIMENSION_MM
from labels.printing.renderers import fonts_for
from labels.printing.style import SheetStyle
from labels.printing.svg import label_svg
from labels.serial import new_serials
from ledger.errors import UserError
from tests.labels.made import sign_labels
from tests.labels.printing.lots import DAY, GTIN, HOST, KEY, LOT

TITLE = "Risotto Rice with Mushrooms"


def faces(count: int, *, title: str = TITLE, hidden: bool = False) -> list[Face]:
    """Labels of an item each."""
    labels = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=new_serials(count))
    links = [(label.link(HOST), f"https://{HOST}{label.path}#K7Q2M9XB4RTW6YHD" if hidden else "") for label in labels]
    return [Face(link, title, human_readable(gs1.parse(link), lot=LOT), hidden=second) for link, second in links]


def printed(some: Sequence[Face], style: SheetStyle, *, skip: int = 0) -> bytes:
    """A PDF."""
    return pdf.sheets(some, style, fonts.having([one.title for one in some]), skip=skip)


def codes(data: bytes, *, page: int = 0, dpi: int = 300) -> list[tuple[str, float, float, float]]:
    """Of each code on a page what it says, the upper left corner of its dark modules, and its width, in mm."""
    with pypdfium2.PdfDocument(data) as document:
        image = document[page].render(scale=dpi / 72, grayscale=True).to_pil()
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.barcode_formats_from_str(QR))
    mm = 25.4 / dpi
    return [
        (code.text, corner.x * mm, corner.y * mm, (code.position.top_right.x - corner.x) * mm)
        for code in found
        for corner in [code.position.top_left]
    ]


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.names[0])
def test_every_format_is_printed_or_refused(one: Format) -> None:
    """A sheet of labels that have room holds each once; the others are refused in a word."""
    style = SheetStyle(one.grid)
    some = faces(one.grid.count)
    if min(one.grid.label) < 53 * X_DIMENSION_MM + 2 * EDGE_MM:
        with pytest.raises(UserError, match="too small for a code"):
            printed(some, style)
        return
    data = printed(some, style)
    readback.check_pdf(data, [some])
    assert {text for text, *_ in codes(data)} == {qr.printed(face.link) for face in some}


@pytest.mark.parametrize("skip", [0, 5, 20])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (1.5, -2.0)])
def test_each_code_stands_on_its_label(skip: int, offset: tuple[float, float]) -> None:
    """Row by row from the first free place, moved by the printer's misfeed, at X-dimension 0.396 within 1 %."""
    style = SheetStyle(by_number("L7160"), offset=offset)
    some = faces(24)
    data = printed(some, style, skip=skip)
    first = some[: 21 - skip]
    drawn = pdf.lay_out(some[0], style, fonts.having([TITLE])).placed.symbols[0]
    at = {text: (x, y, width) for text, x, y, width in codes(data)}
    assert len(at) == len(first)
    quiet = QUIET_ZONE * X_DIMENSION_MM
    for face, (x, y) in zip(first, list(style.grid.corners())[skip:], strict=False):
        left, top, width = at[qr.printed(face.link)]
        assert left == pytest.approx(x + drawn.x + quiet + offset[0], abs=0.25)
        assert top == pytest.approx(y + drawn.y + quiet + offset[1], abs=0.25)
        assert width == pytest.approx(45 * X_DIMENSION_MM, rel=0.012)
    assert {text for text, *_ in codes(data, page=1)} == {qr.printed(face.link) for face in some[21 - skip : 42 - skip]}


@pytest.mark.parametrize("module", [0.375, 0.495, 0.66])
def test_a_module_is_as_wide_as_asked(module: float) -> None:
    """At every X-dimension that the label has room for."""
    style = SheetStyle(grid(1, 1, (90.0, 60.0), page=(90.0, 60.0)), module)
    [(_, _, _, width)] = codes(printed(faces(1), style), dpi=600)
    assert width == pytest.approx(45 * module, rel=0.01)


def test_the_same_labels_are_the_same_bytes() -> None:
    """Nothing of a PDF tells when it was made."""
    some = faces(30)
    assert printed(some, SheetStyle()) == printed(some, SheetStyle())


def test_what_people_read_is_text_in_fonts_that_the_file_holds() -> None:
    """The lines and the title can be searched for and copied; letters beyond Western Europe too."""
    title = "Žluťoučký rýžový koláč, 250 g"
    some = faces(3, title=title)
    data = printed(some, SheetStyle())
    with pypdfium2.PdfDocument(data) as document:
        text = document[0].get_textpage().get_text_range()
    assert all(line in text for face in some for line in face.lines)
    assert "koláč" in text and data.count(b"/FontFile2") >= 2


@pytest.mark.parametrize(
    ("title", "complaint"),
    [("שלום", "cannot show"), ("قهوة", "cannot show"), ("กาแฟที่ดี", "cannot show"), ("a\tb", "cannot be printed")],
)
def test_a_script_that_needs_more_than_a_font_is_refused(title: str, complaint: str) -> None:
    """Rather than being drawn wrongly."""
    with pytest.raises(UserError, match=complaint):
        fonts.readable(title)


def test_letters_that_no_font_here_has_are_named() -> None:
    """With a way out."""
    with pytest.raises(UserError, match="cannot show '\U0001f35a'") as refused:
        fonts.having(["rice \U0001f35a"])
    assert "--font" in refused.value.hint


@pytest.mark.parametrize("letter", "Ms")
def test_a_font_has_the_letters_of_a_scratch_field_too(letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the code that a person types, and of the caption: a label without a hidden code needs neither."""
    for file in {file for pair in fonts._here() for file in pair}:
        monkeypatch.delitem(fonts._load(file).face.charToGlyph, ord(letter))
    [face] = faces(1, title="Rice")
    plain = replace(face, lines=("(21) 7K3H9QX2AB",))
    assert fonts_for([plain], None)
    with pytest.raises(UserError, match=f"cannot show '{letter}'"):
        fonts_for([replace(plain, hidden=face.link + "#h=K7Q2M9XB4RTW6YHD")], None)


def test_a_file_that_is_no_font_is_refused(tmp_path: Path) -> None:
    """By its name."""
    file = tmp_path / "x.ttf"
    file.write_bytes(b"\0" * 100)
    with pytest.raises(UserError, match=r"cannot use the font .*x\.ttf"):
        fonts.having(["a"], file=file)


def test_a_page_that_says_something_else_does_not_leave() -> None:
    """A code that lacks, one too many, a page too few, and a line that is not there."""
    some = faces(4)
    data = printed(some, SheetStyle())
    readback.check_pdf(data, [some])
    with pytest.raises(UnreadableError, match="1 of 5 codes is not read back"):
        readback.check_pdf(data, [[*some, *faces(1)]])
    with pytest.raises(UnreadableError, match="should not be there"):
        readback.check_pdf(data, [some[:3]])
    with pytest.raises(UnreadableError, match="1 pages were drawn, not 2"):
        readback.check_pdf(data, [some[:2], some[2:]])
    with pytest.raises(UnreadableError, match=r"'\(10\) OTHER' is not on its page"):
        readback.check_pdf(data, [[*some[:3], Face(some[3].link, lines=("(10) OTHER",))]])


def test_a_second_code_is_printed_and_read_back() -> None:
    """Both codes of each label are on the sheet."""
    style, some = SheetStyle(by_number("L7163"), outline=True), faces(14, hidden=True)
    data = printed(some, style)
    readback.check_pdf(data, [some])
    assert len(codes(data)) == 28


def test_the_mark_of_a_specimen_leaves_its_codes_white_ground() -> None:
    """Each code with its quiet zone is drawn as it is without a mark, which stands beside it and below the words."""
    style, some = SheetStyle(by_number("L7163")), faces(14, hidden=True)
    plain, marked = (_page(printed(some, one)) for one in (style, replace(style, mark="SPECIMEN")))
    placed = pdf.lay_out(some[0], style, fonts.having([TITLE])).placed
    side, (width, height) = (45 + 2 * QUIET_ZONE) * style.module, style.grid.label
    for x, y in style.grid.corners():
        for symbol in placed.symbols:
            box = x + symbol.x, y + symbol.y, x + symbol.x + side, y + symbol.y + side
            assert _dots(marked, *box) == _dots(plain, *box)
        assert _dots(marked, x, y, x + width, y + height) != _dots(plain, x, y, x + width, y + height)


def _page(data: bytes) -> Image.Image:
    """The first page at 300 dpi."""
    with pypdfium2.PdfDocument(data) as document:
        page: Image.Image = document[0].render(scale=300 / 72, grayscale=True).to_pil()
    return page


def _dots(page: Image.Image, left: float, top: float, right: float, bottom: float) -> bytes:
    """All dots of a page at 300 dpi that lie within these sides, in mm."""
    per_mm = 300 / 25.4
    begins, ends = (math.ceil(left * per_mm), math.ceil(top * per_mm)), (int(right * per_mm), int(bottom * per_mm))
    return page.crop((*begins, *ends)).tobytes()


def test_an_svg_is_a_label_in_millimetres_that_is_read_back() -> None:
    """Its path is read as it stands; a changed module is noticed if it matters."""
    style, [face] = SheetStyle(by_number("L7160")), faces(1, title="Rice & <Mushrooms>")
    data = label_svg(face, style, fonts.having([face.title]))
    assert data.startswith(b'<svg xmlns="http://www.w3.org/2000/svg" width="63.5mm" height="38.1mm"')
    assert b"Rice &amp; &lt;Mushrooms&gt;" in data
    readback.check_svg(data, face)
    with pytest.raises(UnreadableError, match="the code is not read back"):
        readback.check_svg(data, faces(1)[0])
