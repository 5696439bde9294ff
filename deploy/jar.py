"""The demo's product as a picture: a jar of honey, drawn here. Pure: it gives the bytes of a PNG."""

from io import BytesIO
from math import cos, pi, sin

from PIL import Image, ImageChops, ImageDraw, ImageFont

SIDE = 800  # pixels
_FINER = 2  # drawn larger, and made small: so edges are smooth
_PAPER, _INK, _EDGE = (250, 246, 235), (74, 47, 12), (201, 138, 34)
_LID, _LID_DARK = (158, 112, 48), (122, 82, 30)


def png() -> bytes:
    """The picture, 800 pixels wide and high."""
    image = Image.new("RGB", (SIDE * _FINER, SIDE * _FINER), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.ellipse(_box(170, 702, 630, 752), fill=(232, 222, 198))
    _honey(image)
    _lid(draw)
    _label(draw)
    out = BytesIO()
    image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()


def _honey(image: Image.Image) -> None:
    """The glass, full of honey: lighter where the light comes from, and a shine on it."""
    box, size = _box(190, 190, 610, 730), image.size
    shape = Image.new("L", size)
    ImageDraw.Draw(shape).rounded_rectangle(box, radius=70 * _FINER, fill=255)
    ramp = Image.linear_gradient("L").rotate(90).resize(size)
    honey = Image.composite(Image.new("RGB", size, (196, 116, 14)), Image.new("RGB", size, (250, 186, 56)), ramp)
    image.paste(honey, mask=shape)
    shine = Image.new("L", size)
    ImageDraw.Draw(shine).rounded_rectangle(_box(222, 240, 252, 680), radius=15 * _FINER, fill=110)
    image.paste((255, 246, 214), mask=ImageChops.multiply(shine, shape))
    ImageDraw.Draw(image).rounded_rectangle(box, radius=70 * _FINER, outline=_EDGE, width=6 * _FINER)


def _lid(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle(_box(205, 90, 595, 205), radius=26 * _FINER, fill=_LID)
    for x in range(225, 590, 26):
        draw.line(_box(x, 112, x, 188), fill=_LID_DARK, width=5 * _FINER)
    draw.rounded_rectangle(_box(205, 90, 595, 205), radius=26 * _FINER, outline=_LID_DARK, width=5 * _FINER)


def _label(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle(_box(250, 330, 550, 640), radius=22 * _FINER, fill=(255, 251, 240), outline=_EDGE, width=8)
    for x, y in ((360, 420), (440, 420), (400, 489)):
        corners = [(x + 42 * sin(n * pi / 3), y + 42 * cos(n * pi / 3)) for n in range(6)]
        scaled = [(round(a * _FINER), round(b * _FINER)) for a, b in corners]
        draw.polygon(scaled, fill=(247, 190, 66), outline=_EDGE, width=4 * _FINER)
    for y, text, size in ((562, "HONEY", 58), (610, "250 g", 34)):
        font = ImageFont.load_default(size * _FINER)
        draw.text((400 * _FINER, y * _FINER), text, font=font, fill=_INK, anchor="mm")


def _box(left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
    return left * _FINER, top * _FINER, right * _FINER, bottom * _FINER
