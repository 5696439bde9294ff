"""Labels as they are printed on sheets, sheets as a printer or a scanner has them, and what may happen to one."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

import pypdfium2
from PIL import Image, ImageFilter

from labels import gs1
from labels.printing import pdf
from labels.printing.face import Face, human_readable
from labels.printing.fonts import having
from labels.printing.formats import by_number
from labels.printing.layout import X_DIMENSION_MM
from labels.printing.style import SheetStyle

DPIS = (203, 300)
SHEET = 40
FORMAT = "Herma 4610"
_MM_PER_INCH, _POINTS_PER_INCH = 25.4, 72


def sheets(links: Sequence[str], dpi: int) -> Iterator[tuple[Sequence[str], Image.Image]]:
    """Sheets of forty labels in a printer's dots, each with the links that are on it."""
    faces, style = [_face(link) for link in links], SheetStyle(by_number(FORMAT))
    letters = [text for face in faces for text in (face.title, *face.lines)]
    with pypdfium2.PdfDocument(pdf.sheets(faces, style, having(letters))) as document:
        for number, page in enumerate(document):
            grey = page.render(scale=dpi / _POINTS_PER_INCH, grayscale=True).to_pil().convert("L")
            yield links[number * SHEET : (number + 1) * SHEET], grey


def module_px(dpi: int) -> float:
    """How many dots a module of a label has."""
    return X_DIMENSION_MM / _MM_PER_INCH * dpi


def _face(link: str) -> Face:
    try:
        lines = human_readable(gs1.parse(link), lot="L2606A")
    except gs1.Gs1Error:  # of a label that was changed so that it is none any more
        lines = ()
    return Face(link, "Risotto Rice with Mushrooms", lines)


State = Callable[[Image.Image, int, Random], Image.Image]


def _as_printed(page: Image.Image, dpi: int, random: Random) -> Image.Image:
    """Each dot black or white."""
    return page.point(lambda value: 255 * (value > 127))


def _turned(page: Image.Image, dpi: int, random: Random) -> Image.Image:
    """A quarter turn or none, and up to five degrees more."""
    angle = random.choice((0, 90, 180, 270)) + random.uniform(-5, 5)
    return page.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def _blurred(page: Image.Image, dpi: int, random: Random) -> Image.Image:
    """Out of focus, by up to a third of a module."""
    return page.filter(ImageFilter.GaussianBlur(random.uniform(0.2, 0.33) * module_px(dpi)))


def _sized(page: Image.Image, dpi: int, random: Random) -> Image.Image:
    """From three quarters of its dots to half as many again."""
    return _scaled(page, random.uniform(0.75, 1.5))


def _noisy(page: Image.Image, dpi: int, random: Random) -> Image.Image:
    return Image.blend(page, Image.effect_noise(page.size, 60), 0.3)


def _all(page: Image.Image, dpi: int, random: Random) -> Image.Image:
    """All of it at once, each a little less."""
    turned = _turned(_scaled(page, random.uniform(0.9, 1.3)), dpi, random)
    soft = turned.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 0.2) * module_px(dpi)))
    return Image.blend(soft, Image.effect_noise(soft.size, 40), 0.2)


STATES: dict[str, State] = {
    "as printed": _as_printed,
    "turned": _turned,
    "blurred": _blurred,
    "scaled": _sized,
    "noisy": _noisy,
    "all of it": _all,
}


def _scaled(page: Image.Image, scale: float) -> Image.Image:
    kind = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    return page.resize((round(page.width * scale), round(page.height * scale)), kind)
