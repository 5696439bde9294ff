"""Pictures: any file gives a small WebP with nothing in it but what is seen, or a refusal."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from labels.catalogue.picture import BYTES_MAX, FILE_BYTES_MAX, PIXELS_MAX, SIDE_MAX, prepare
from ledger.errors import MalformedError
from tests import seeds


def opened(data: bytes) -> Image.Image:
    """A kept picture."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_a_png_of_any_kind_is_taken(mode: str) -> None:
    """Made small, as a WebP."""
    kept = prepare(seeds.picture("PNG", mode, (1600, 400)))
    assert (kept.width, kept.height) == (SIDE_MAX, 200) and opened(kept.data).format == "WEBP"


def test_a_photograph_is_turned_upright_and_loses_where_it_was_taken() -> None:
    """What a camera writes beside the picture, GPS among it, is not in what is signed and public."""
    exif, out = Image.Exif(), BytesIO()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8825)[2] = (47.0, 22.0, 0.0)
    Image.new("RGB", (40, 20)).save(out, "JPEG", exif=exif, comment=b"at home")
    kept = prepare(out.getvalue())
    assert (kept.width, kept.height) == (20, 40)
    assert not opened(kept.data).getexif() and b"Camera" not in kept.data and b"at home" not in kept.data


def test_noise_is_made_small_enough() -> None:
    """Whatever is in it: first less good, then smaller."""
    kept = prepare(noise(1200))
    assert len(kept.data) <= BYTES_MAX and opened(kept.data).size == (kept.width, kept.height)


def noise(side: int) -> bytes:
    """A JPEG that does not compress."""
    out = BytesIO()
    Image.effect_noise((side, side), 255).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is this large and has next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (PIXELS_MAX + 1, 1), (8_000, 5_001)])
def test_a_bomb_is_refused_before_it_is_opened(size: tuple[int, int]) -> None:
    """By the size that it says it has."""
    with pytest.raises(MalformedError):
        prepare(bomb(*size))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", seeds.picture("GIF"),
        seeds.picture("BMP"), seeds.picture("TIFF"), noise(40)[:900], seeds.picture("JPEG")[:60],
        bomb(0, 0), bomb(100, 100_000), bytes(FILE_BYTES_MAX + 1),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    """Other kinds, halves, and what only begins like one."""
    with pytest.raises(MalformedError):
        prepare(data)
