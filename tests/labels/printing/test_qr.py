"""A link as a QR code: as small as it can be, and read back as it was."""

from typing import Any

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import BIT_LIMIT_TABLE, QRData

from labels import gs1
from labels.printing import qr
from labels.signature import sign_label
from ledger.keys import SigningKey

KEY = SigningKey(bytes(range(32)))
HOST = "id.example.com"
ITEM = "/01/09506000134352/21/7K3M9QX2AB"
LOT = "/01/09506000134352/10/L2511-A/21/7K3M9QX2AB"


def link(path: str = ITEM, host: str = HOST) -> str:
    """A signed link."""
    return f"https://{host}{path}?s={sign_label(KEY, 2151, path)}"


def read(image: Image.Image) -> zxingcpp.Barcode:
    """The one QR code in a picture (asked for any code, zxing sees an ITF code in one of a thousand QR codes)."""
    codes = zxingcpp.read_barcodes(image, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    assert len(codes) == 1
    return codes[0]


def test_an_item_label_is_version_7_and_21_mm_wide() -> None:
    """With a host of 14 characters and without the lot, a label's code has 45 modules; with its lot, 49."""
    code = qr.encode(link())
    assert (len(HOST), code.version, len(code.rows), code.modules) == (14, 7, 45, 53)
    assert qr.encode(link(LOT)).version == 8
    assert read(code.image(4)).ec_level == "M"


def test_a_longer_host_still_fits() -> None:
    """Version 7 holds hosts of up to 22 characters."""
    assert qr.encode(link(host="i" * 18 + ".com")).version == 7
    assert qr.encode(link(host="i" * 19 + ".com")).version == 8


def test_the_segments_of_a_label() -> None:
    """The scheme stays in lower case, as bytes; host and path are alphanumeric, the digits numeric."""
    text = qr.printed(link())
    numeric, alphanumeric, octets = 1, 2, 4
    assert qr.segments(text) == [
        (octets, "https"),
        (alphanumeric, "://ID.EXAMPLE.COM/01/"),
        (numeric, "09506000134352"),
        (alphanumeric, "/21/7K3M9QX2AB"),
        (octets, "?s="),
        (numeric, text[-169:]),
    ]


def test_a_code_says_the_same_as_its_link() -> None:
    """The code holds the host in upper case and the path as it is; for a parser of links that is the same link."""
    path = "/01/09506000134352/10/a%2Fb/21/7K3M9QX2AB"
    text = read(qr.encode(link(path)).image(4)).text
    assert text == link(path, HOST.upper())
    assert gs1.parse(text) == gs1.parse(link(path))


def _bits(mode: int, count: int) -> int:
    """The length of a segment in a code of version 1 to 9 (ISO/IEC 18004, 7.4)."""
    if mode == 1:
        return 4 + 10 + count // 3 * 10 + (0, 4, 7)[count % 3]
    return 4 + 9 + count // 2 * 11 + count % 2 * 6 if mode == 2 else 4 + 8 + 8 * count


def _fits(mode: int, part: str) -> bool:
    return mode == 4 or (part.isdigit() if mode == 1 else part.upper() == part)


def _fewest_bits(text: str) -> int:
    """The least over all ways to cut `text` into segments, by looking at every last one."""
    fewest = [0]
    for end in range(1, len(text) + 1):
        ways = [(mode, start) for start in range(end) for mode in (1, 2, 4) if _fits(mode, text[start:end])]
        fewest.append(min(fewest[start] + _bits(mode, end - start) for mode, start in ways))
    return fewest[-1]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["0", "0000", "A", "AAAA", "a"]), min_size=1, max_size=16).map("".join))
def test_no_other_segments_are_shorter(text: str) -> None:
    """Of all ways to split a text, ours takes the fewest bits."""
    ours = qr.segments(text)
    assert sum(_bits(mode, len(part)) for mode, part in ours) == _fewest_bits(text)
    assert "".join(part for _, part in ours) == text
    assert all(_fits(mode, part) for mode, part in ours)


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=120), st.sampled_from([0, 100, 300]))
def test_any_text_is_read_back(tail: str, more: int) -> None:
    """Whatever follows the host, the code is read back as it was, in every group of versions."""
    text = f"https://a/{tail}{'1aB-' * more}"
    assert read(qr.encode(text).image(3)).text == qr.printed(text)


@pytest.mark.parametrize("version", [1, 7, 8, 10, 20, 27, 40])
def test_a_code_is_as_qrcode_makes_it(version: int) -> None:
    """Our bits and error correction give the same modules as the library's own, in codes of one block and of many."""
    capacity = (BIT_LIMIT_TABLE[ERROR_CORRECT_M][version] - 20) // 8  # of octets
    text = "aB!9" * (capacity // 4)
    ours = qr.encode(text)
    theirs: Any = QRCode(version, ERROR_CORRECT_M, mask_pattern=2, border=0)
    for mode, part in qr.segments(text, 0 if version < 10 else 1 if version < 27 else 2):
        theirs.add_data(QRData(part.encode(), mode=mode, check_data=False))
    theirs.make(fit=False)
    assert ours.version == version
    assert [list(row) for row in ours.rows] == [list(map(bool, row)) for row in theirs.modules]


def test_a_block_of_zeros_is_a_block() -> None:
    """A signature of zeros, as a specimen has it."""
    text = f"https://ID.EXAMPLE.COM/01/09506000134352/21/SAMPLE0001?s={'0' * 169}"
    assert read(qr.encode(text).image(4)).text == text


def test_what_does_not_go_into_a_code() -> None:
    """A text that is too long or not ASCII is refused."""
    with pytest.raises(qr.CodeError, match="too long"):
        qr.encode("https://a/" + "a" * 2400)
    with pytest.raises(qr.CodeError, match="ASCII"):
        qr.encode("https://a/\u00fc")
    assert qr.encode("https://a/" + "a" * 2300).version == 40


@pytest.mark.parametrize("angle", [0, 7, 45, 90, 180, 291])
def test_a_code_is_read_at_an_angle(angle: int) -> None:
    """A code is read whichever way a phone is held."""
    image = qr.encode(link()).image(6).rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert read(image).text == link(host=HOST.upper())


@pytest.mark.parametrize("radius", [1.0, 2.0])
def test_a_code_is_read_out_of_focus(radius: float) -> None:
    """A code is read when the picture is blurred by up to a third of a module."""
    image = qr.encode(link()).image(6).filter(ImageFilter.GaussianBlur(radius))
    assert read(image).text == link(host=HOST.upper())


def test_a_stained_code_is_read() -> None:
    """Level M mends a code of which a corner of a tenth of its modules is lost."""
    image = qr.encode(link()).image(4)
    image.paste(0, (90, 90, 140, 140))
    assert read(image).text == link(host=HOST.upper())


def test_the_quiet_zone_is_white() -> None:
    """Four modules around the code are white (ISO/IEC 18004, 9.1)."""
    image = qr.encode(link()).image(2)
    assert image.size == (106, 106)
    inner = image.point(lambda value: 255 - value).getbbox()
    assert inner == (8, 8, 98, 98)
