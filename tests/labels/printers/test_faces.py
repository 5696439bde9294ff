"""A label's face for label printers: what a printer would make of what it is sent."""

import re
from random import Random

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from labels import gs1
from labels.printers import brother_ql, dots, zpl
from labels.printers.dots import PER_MM, Dots, Size, module_of
from labels.printers.faces import encoded
from labels.printers.medium import Medium, brother, style_of, zebra
from labels.printers.raster import dots_of, picture_of
from labels.printing import fonts
from labels.printing.decoded import UnreadableError
from labels.printing.face import Face, human_readable
from labels.printing.layout import X_DIMENSION_MM
from labels.serial import new_serials
from labels.signature import sign_label
from ledger.errors import UserError
from tests import cast
from tests.labels.printers.fake_brother import lines
from tests.labels.printers.zpl import Label, Picture, graphics, labels

GTIN = "09506000134352"
ITEM = gs1.item(GTIN, serial=new_serials(1)[0])
LINK = f"https://id.example.com{ITEM.canonical_path}?s={sign_label(cast.LABELS, 2151, ITEM.canonical_path)}"


def face(title: str = "Risotto Rice with Mushrooms", *, hidden: str = "") -> Face:
    """A face with all that may stand on it."""
    return Face(LINK, title, human_readable(gs1.parse(LINK), lot="L2606A"), hidden=hidden)


def printed(shown: Face, medium: Medium, *, x_mm: float = X_DIMENSION_MM) -> bytes:
    """The face for a medium."""
    return encoded(shown, medium, style_of(medium, x_mm), fonts.having([shown.title, *shown.lines]))


def read(picture: Image.Image) -> list[str]:
    """The QR codes in a picture."""
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    return [code.text for code in found]


def burnt(label: Label) -> Image.Image:
    """A label with its pictures where ZPL has them, and black where a text stands."""
    image = Image.new("1", (label.width, label.height), 255)
    for field in label.fields:
        if isinstance(field, Picture):
            image.paste(picture_of(field.dots), (field.x, field.y))
    return image


@pytest.mark.parametrize(
    ("size", "dpi"), [("50x30", 203), ("57x32", 300), ("50x25", 600), ("30x50", 203), ("100x150", 300)]
)
def test_a_zpl_label(size: str, dpi: int) -> None:
    """Its code is read, stands in whole dots within the label, and its words are the face's."""
    [label] = labels(printed(face(), zebra(size, dpi)))
    wanted = Size.of(size)
    assert (label.width, label.height) == (dots.of_mm(wanted.width_mm, dpi), dots.of_mm(wanted.height_mm, dpi))
    assert [text.casefold() for text in read(burnt(label))] == [LINK.casefold()]
    assert {*face().lines} < {*label.texts} and "Risotto" in label.texts[0]
    [code] = [field for field in label.fields if isinstance(field, Picture)]
    assert (
        code.x > 0
        and code.x + code.dots.width < label.width
        and code.y > 0
        and code.y + code.dots.height < label.height
    )


@pytest.mark.parametrize(("dpi", "module"), [(203, 3), (300, 5), (600, 9)])
def test_a_module_is_whole_dots(dpi: int, module: int) -> None:
    """Nearest to GS1's 0.396 mm and not below its 0.375: three, five and nine dots."""
    assert module_of(X_DIMENSION_MM, dpi) == module
    assert 0.375 - 1e-9 <= module / PER_MM[dpi] < 0.43
    assert module_of(0.5, dpi) == round(0.5 * PER_MM[dpi])


@pytest.mark.parametrize(
    "title",
    ["^XZ~JA^XA", "~HS", "_5EXZ", "Größe 2 · 500 g", "a, b", "^FS^FO0,0^GB400,240,400^FS", "Łódź", "C:\\&", "x" * 300],
)
def test_a_title_is_words_and_no_command(title: str) -> None:
    """Whatever a title says, the label has the same fields, and the printer shows the title's own letters."""
    [label] = labels(printed(face(title), zebra("100x50", 203)))
    [plain] = labels(printed(face("x"), zebra("100x50", 203)))
    assert [field for field in label.fields if isinstance(field, Picture)] == [
        field for field in plain.fields if isinstance(field, Picture)
    ]
    words = "".join(text for text in label.texts if not text.startswith("("))
    shown = words.removesuffix("…").replace(" ", "")
    assert shown and title.replace(" ", "").startswith(shown)
    assert read(burnt(label))


@given(st.text())
def test_any_text_is_escaped(words: str) -> None:
    """What is escaped is ASCII without ^, ~, commas or control characters, and says the same where it is printable."""
    escaped = zpl.escaped(words)
    assert re.fullmatch(r"(?:[A-Za-z0-9 ().:/-]|_[0-9A-F]{2})*", escaped)
    back = re.sub(rb"_([0-9A-F]{2})", lambda digits: bytes([int(digits[1], 16)]), escaped.encode()).decode()
    assert len(back) == len(words)
    assert all(b == w if w.isprintable() else b in " �" for b, w in zip(back, words, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 12), st.randoms(use_true_random=False), st.sampled_from([1, 8, 40, 400]))
def test_any_picture_is_read_back(width: int, height: int, random: Random, run: int) -> None:
    """What our own reader of Zebra's run lengths makes of a picture is that picture."""
    bits = [[random.random() < 0.5 for _ in range(width)] for _ in range(height)]
    made = dots.of_modules(bits, max(1, run // width))
    [back] = graphics(zpl.label([zpl.picture(0, 0, made)], width=made.width, height=made.height))
    assert (back.height, back.rows) == (made.height, made.rows)
    assert dots_of(picture_of(made)) == made


def test_a_hidden_code_has_its_frame() -> None:
    """Both codes are read back, the second is there for people, too, and where the scratch field goes is framed."""
    data = printed(face(hidden=LINK.partition("?")[0] + "#h=23456789ABCDEFGH"), zebra("100x40", 203))
    [label] = labels(data)
    assert len(read(burnt(label))) == 2 and b"^GB" in data and b"2345 6789" in data and b"ABCD EFGH" in data


def test_a_label_that_is_too_small() -> None:
    """Is refused with a hint; a size that no printer has too."""
    with pytest.raises(UserError, match="too small for a code of 19\\.9 mm"):
        printed(face(), zebra("50x20", 203))
    with pytest.raises(UserError, match="no label printer prints labels of 5x5 mm"):
        zebra("5x5", 203)
    with pytest.raises(UserError, match="'50' is no size"):
        zebra("50", 203)


def test_a_code_that_is_not_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture whose code does not say what it should does not leave."""
    whole = dots.of_modules
    monkeypatch.setattr("labels.printers.faces.of_modules", lambda rows, module: whole(rows[:20] * 2, module))
    with pytest.raises(UnreadableError):
        printed(face(), zebra("50x30", 203))


@pytest.mark.parametrize("roll", ["62", "29x90", "62x100", "38x90", "102x152"])
def test_a_label_for_a_brother(roll: str) -> None:
    """What the head burns is read back, mirrored and offset as it is; a label for a narrow roll lies on its side."""
    medium = brother(roll, 30)
    data = printed(face(), medium)
    assert medium.roll is not None
    rows = lines(data[402:])
    head = len(rows[0]) * 8
    burnt = picture_of(Dots(head, len(rows), b"".join(rows))).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert [text.casefold() for text in read(burnt)] == [LINK.casefold()]
    box = burnt.convert("L").point(lambda value: 255 - value).getbbox()
    assert box and box[2] <= head - medium.roll.offset and box[0] >= head - medium.roll.offset - medium.roll.dots[0]


def test_what_is_too_wide_for_a_roll() -> None:
    """Is told with a hint."""
    with pytest.raises(UserError, match="too small for a code"):
        printed(face(), brother("12", 30))
    with pytest.raises(UserError, match="too small for a code"):
        printed(face(), brother("62x29", 30))  # at 300 dpi, of whose 29 mm 23 can be printed
    with pytest.raises(UserError, match="does not go on roll 29x42"):
        brother("29x42", 30).encode(Image.new("1", (400, 450), 255))
    assert brother_ql.roll_of("29x42").dots == (306, 425)
