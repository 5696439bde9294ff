"""Bytes from anybody: what is a picture is read the right way up, within limits; the rest gets a plain word."""

import struct
import zlib
from io import BytesIO

import pypdfium2
import pytest
from PIL import Image

from labels.reading.code import Limits, PictureError
from labels.reading.decode import codes_on
from labels.reading.picture import pages
from tests.labels.reading.pictures import document, encoded, label

LINK = "https://id.example.com/01/09506000134352/21/A1"
CODE = label(LINK, module_px=4)
LIMITS = Limits(bytes_max=1 << 20, pixels_max=1_000_000, pages_max=3)


def texts(data: bytes, limits: Limits = LIMITS) -> list[list[str]]:
    """The texts of the codes on each page."""
    return [[code.text for code in codes_on(page)[0]] for _, page in pages(data, limits)]


def read_in(data: bytes, limits: Limits = LIMITS) -> list[str]:
    """The same of a picture with one page."""
    [found] = texts(data, limits)
    return found


PRINTED = LINK.replace("id.example.com", "ID.EXAMPLE.COM")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "PDF"])
def test_every_kind_is_read(kind: str) -> None:
    """By what the bytes say, not by a name."""
    assert read_in(encoded(CODE, kind)) == [PRINTED]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F"])
def test_every_depth_is_read(mode: str) -> None:
    """One bit to 32, grey or coloured."""
    grey = CODE.convert("I") if mode in ("I", "I;16") else CODE
    image = grey.point(lambda value: value * 200).convert(mode) if mode in ("I", "I;16") else CODE.convert(mode)
    kind = "TIFF" if mode in ("CMYK", "F", "I", "I;16") else "PNG"
    assert read_in(encoded(image, kind)) == [PRINTED]


def test_what_is_transparent_is_white() -> None:
    """A code that is black on nothing, as design programs write it."""
    clear = Image.new("RGBA", CODE.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=CODE.point(lambda value: 255 - value))
    assert read_in(encoded(clear)) == [PRINTED]


def test_a_photo_is_turned_as_its_camera_held_it() -> None:
    """EXIF's orientation: a page that lies on its side, or is mirrored, is upright."""
    wide = Image.new("L", (CODE.width * 2, CODE.height), 255)
    wide.paste(CODE, (0, 0))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        [(_, page)] = pages(encoded(wide, "JPEG", exif=exif), LIMITS)
        assert page.size == (wide.size if orientation < 5 else wide.size[::-1])
        assert [code.text for code in codes_on(page)[0]] == [PRINTED]


def test_a_document_has_pages_and_what_moves_has_none() -> None:
    """A TIFF and a PDF have pages; of an animation the first picture is read."""
    more = [CODE, CODE]
    assert texts(encoded(CODE, "TIFF", save_all=True, append_images=more)) == [[PRINTED]] * 3
    assert texts(document([CODE, CODE])) == [[PRINTED]] * 2
    blank = CODE.point(lambda _: 255)
    assert texts(encoded(CODE, "GIF", save_all=True, append_images=[blank, blank])) == [[PRINTED]]


def test_a_large_photo_is_decoded_in_small() -> None:
    """A JPEG with more pixels than are read at once is read at a half or a quarter; a PNG is refused."""
    large = CODE.resize((1600, 1600), Image.Resampling.NEAREST)
    [(_, page)] = pages(encoded(large, "JPEG"), LIMITS)
    assert page.size == (800, 800) and [code.text for code in codes_on(page)[0]] == [PRINTED]
    with pytest.raises(PictureError, match="1,600 by 1,600 pixels; at most 1 million"):
        texts(encoded(large))


def _png(width: int, height: int, body: bytes) -> bytes:
    """A PNG that says to be so large."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", body), (b"IEND", b"")]
    made = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + made


def _pdf(width: float, height: float, count: int = 1) -> bytes:
    made = pypdfium2.PdfDocument.new()
    for _ in range(count):
        made.new_page(width, height)
    file = BytesIO()
    made.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "it is empty"),
        (b"\xff" * 2_000_000, "it is larger than 1 MB"),
        (_png(65_000, 65_000, zlib.compress(bytes(1_000_000))), "too many pixels"),
        (_png(900, 900, zlib.compress(bytes(10))), "damaged or cut short"),
        (encoded(CODE, "JPEG")[:-600], "damaged or cut short"),
        (encoded(CODE, "TIFF")[:200], "damaged or cut short|no picture"),
        (document([CODE])[:300], "no whole PDF|no pages"),
        (b"GIF89a" + document([CODE])[:80], "no whole PDF|no picture|damaged"),
        (_pdf(595, 842, 4), "it has 4 pages; at most 3 are read at once"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC or AVIF picture, which is not read here: save it as JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture that is read here: JPEG, PNG"),
        (b"PK\x03\x04" + bytes(60), "no picture that is read here"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture that is read here"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(data: bytes, complaint: str) -> None:
    """Empty, too large, a bomb, cut short, two kinds at once, too many pages, or no picture."""
    with pytest.raises(PictureError, match=complaint):
        texts(data)


def test_a_vast_page_is_drawn_in_small() -> None:
    """A PDF's page of 5 by 5 metres is no reason to draw it at 300 dots an inch."""
    [(_, page)] = pages(_pdf(14_400, 14_400), LIMITS)
    assert page.width * page.height <= LIMITS.pixels_max


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PDF"])
def test_cut_anywhere_a_picture_is_read_or_refused(kind: str) -> None:
    """Never anything else."""
    data = encoded(label(LINK, module_px=1), kind)
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            texts(data[:end])
        except PictureError as error:
            assert len(str(error)) < 200
