"""A printed label: legible to people and to readers."""

from collections.abc import Iterator
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from labels import gs1
from labels.batch import Label
from labels.printing.face import Face, draw, human_readable, label_png, sheet_png, sheets
from labels.printing.qr import CodeError
from labels.serial import new_serials
from labels.signature import LabelKey, verify_label
from ledger.errors import UserError
from ledger.keys import SigningKey
from tests.labels.made import sign_labels

GTIN, LOT, DAY, HOST = "09506000134352", "L2511-A", 2151, "ID.EXAMPLE.COM"
KEY = SigningKey(bytes(range(32)))
LINE = LabelKey(KEY.public, "https://example.com", (GTIN,), DAY, DAY)
LABELS = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=new_serials(24))
NOTE = f"http://127.0.0.1:8000{LABELS[0].path}"


def face(label: Label = LABELS[0], *, title: str = "Risotto Rice with Mushrooms", note: str = NOTE) -> Face:
    """A label's face, with all that may stand on it."""
    return Face(label.link(HOST), title, human_readable(gs1.parse(label.link(HOST)), lot=LOT), note)


def image_of(png: bytes) -> Image.Image:
    """The picture in a PNG."""
    return Image.open(BytesIO(png)).convert("L")


def codes_in(image: Image.Image) -> list[zxingcpp.Barcode]:
    """The QR codes in a picture (asked for any code, zxing sees an ITF code in one of a thousand QR codes)."""
    return list(zxingcpp.read_barcodes(image, formats=zxingcpp.barcode_formats_from_str("QRCode")))


def scanned(image: Image.Image) -> list[str]:
    """The serials of all genuine labels that a reader finds in a picture."""
    links = [gs1.parse(code.text) for code in codes_in(image)]
    return [link.serial or "" for link in links if verify_label(link, [LINE], DAY)]


SERIALS = [gs1.parse(label.link(HOST)).serial or "" for label in LABELS]


@pytest.mark.parametrize("module_px", [2, 3, 4, 8, 12])
def test_a_label_is_read_at_every_size(module_px: int) -> None:
    """A label is read back from its PNG as genuine, at two dots a module and at twelve."""
    assert scanned(image_of(label_png(face(), module_px=module_px))) == SERIALS[:1]


def _spoiled(image: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR)
    yield "half size", half
    yield "half size, blurred", half.filter(ImageFilter.GaussianBlur(1))
    yield "blurred", image.filter(ImageFilter.GaussianBlur(3))
    yield "turned", image.rotate(13, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    yield "upside down", image.rotate(180)
    yield "faint", image.point(lambda value: 120 + value // 4)
    yield "one bit", image.convert("1").convert("L")


@pytest.mark.parametrize("label", LABELS[:6])
def test_a_label_is_read_when_it_is_spoiled(label: Label) -> None:
    """A label is read back at half size, out of focus, turned, faint, and from a printer that knows only black."""
    image = image_of(label_png(face(label)))
    for how, picture in _spoiled(image):
        assert scanned(picture) == [gs1.parse(label.link(HOST)).serial], how


def test_a_sheet_holds_every_label() -> None:
    """All labels of a sheet are read back, each once, in the order of its rows."""
    image = image_of(sheet_png([face(label) for label in LABELS], module_px=4))
    codes = sorted(codes_in(image), key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    assert [gs1.parse(code.text).serial for code in codes] == SERIALS


def test_a_run_is_cut_into_sheets() -> None:
    """Any number of labels goes on as many sheets as it takes; none are no sheet."""
    pages = list(sheets((face(label) for label in LABELS), columns=2, rows=5, module_px=3))
    assert [len(scanned(image_of(page))) for page in pages] == [10, 10, 4]
    assert list(sheets([])) == []


def test_a_label_is_as_wide_on_paper_as_designed() -> None:
    """The PNG says how large it is: the code of an item is 21 mm wide, quiet zone and all, at every resolution."""
    for module_px in (3, 8):
        picture = Image.open(BytesIO(label_png(Face(LABELS[0].link(HOST)), module_px=module_px)))
        dots_per_mm = picture.info["dpi"][0] / 25.4
        assert picture.width / dots_per_mm == pytest.approx(21.0, abs=0.05)


def test_the_lines_are_as_gs1_has_them() -> None:
    """The human-readable lines name AI and value, the product first and the serial last; the ledger may add the lot."""
    item = gs1.item(GTIN, serial="S1")
    assert human_readable(item) == (f"(01) {GTIN}", "(21) S1")
    assert human_readable(item, lot=LOT) == (f"(01) {GTIN}", f"(10) {LOT}", "(21) S1")
    shown = gs1.item(GTIN, lot="A", serial="S1")
    assert human_readable(shown, lot="B") == (f"(01) {GTIN}", "(10) A", "(21) S1")
    assert human_readable(gs1.sscc("952012345678912345"), lot=LOT) == ("(00) 952012345678912345",)


def test_words_never_touch_the_code() -> None:
    """However long the words are, the code's quiet zone stays white, and the label is no wider for a title."""
    bare = draw(Face(LABELS[0].link(HOST)))
    for words in (face(title="W" * 400), face(title="Wide words " * 40), face(title="", note="n" * 90)):
        label = draw(words)
        assert label.crop((0, 0, *bare.size)).tobytes() == bare.tobytes()
    assert draw(face(title="Wide words " * 40)).size == draw(face(title="")).size


def test_a_pictures_title_has_its_letters() -> None:
    """No letter is drawn as the box that stands for one that a font lacks; a title that no font here has is refused."""
    shapes = {letter: draw(face(title=letter)).tobytes() for letter in "čřŽЖΩ"}
    assert len(set(shapes.values())) == len(shapes)
    with pytest.raises(UserError, match="cannot show"):
        draw(face(title="rice \U0001f35a"))


def test_a_label_has_room_for_four_lines() -> None:
    """More lines than there is room for are a fault of the caller, not a label with words over words."""
    with pytest.raises(ValueError, match="room for 4 lines, not 5"):
        draw(Face(LABELS[0].link(HOST), lines=("x",) * 5))


def test_a_link_that_is_too_long_is_no_label() -> None:
    """A link that does not go into a code is refused by name."""
    with pytest.raises(CodeError, match="too long"):
        label_png(Face("https://a/" + "a" * 3000))
