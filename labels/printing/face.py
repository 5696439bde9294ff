"""A label as it is printed: the code on the left, the words beside it, a line of plain text below.

All lengths are in modules, the squares of the code, so that a label looks the same at every resolution; the PNG
says how large a module is on paper.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import islice
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from labels import gs1
from labels.hidden import code
from labels.printing import qr
from labels.printing.fonts import Fonts, having

X_DIMENSION_MM = 0.396  # a module on paper: the least that GS1 allows for a Digital Link at a point of sale
MODULE_PX = 8
LINES_MAX = 4

_TITLE, _KEY, _NOTE = 5.0, 5.0, 3.6  # font sizes, in modules
_LEADING, _CAPITAL = 1.3, 0.72  # a line's height and a capital's, in font sizes
_MARGIN = 4  # white around the words
_COLUMN_MIN = 58
_GUTTER = 6  # between the labels of a sheet
_BLACK, _CUT, _WHITE = 0, 190, 255


@dataclass(frozen=True, slots=True)
class Face:
    """What a label shows: the link in its code, a title, GS1's human-readable lines, and the lines of a note below.

    `hidden` is the link of a second code, which a scratch field covers: sheets have it, pictures of one label do not.
    """

    link: str
    title: str = ""
    lines: tuple[str, ...] = ()
    note: str = ""
    hidden: str = ""

    @property
    def spoken(self) -> tuple[str, ...]:
        """What a person reads of the hidden code, in two lines; nothing if there is none."""
        groups = code.groups(code.in_link(self.hidden))
        return tuple(" ".join(groups[at : at + 2]) for at in range(0, len(groups), 2))


def human_readable(link: gs1.DigitalLink, *, lot: str | None = None) -> tuple[str, ...]:
    """A link's keys as GS1 has them read: `(01) 09506000134352`, a line each; `lot` if the link has none."""
    lines = {ai: f"({ai}) {value}" for ai, value in link.keys}
    if lot is not None and "01" in lines:
        lines.setdefault("10", f"(10) {lot}")
    return tuple(lines[ai] for ai in sorted(lines, key=lambda ai: (ai == "21", ai not in ("00", "01"))))


def label_png(face: Face, *, module_px: int = MODULE_PX, font: Path | None = None) -> bytes:
    """One label as a PNG; CodeError if its link does not go into a code, UserError if no font has its letters."""
    return _png(draw(face, module_px=module_px, font=font), module_px)


def sheet_png(
    faces: Sequence[Face], *, columns: int = 4, module_px: int = MODULE_PX, font: Path | None = None
) -> bytes:
    """Labels side by side in rows of `columns`, with lines to cut along, as one PNG."""
    drawn = [draw(face, module_px=module_px, font=font) for face in faces]
    width, height = max(label.width for label in drawn), max(label.height for label in drawn)
    gutter = _GUTTER * module_px
    rows = -(-len(drawn) // columns)
    sheet = Image.new("L", (columns * (width + gutter), rows * (height + gutter)), _WHITE)
    for index, label in enumerate(drawn):
        x, y = index % columns * (width + gutter), index // columns * (height + gutter)
        sheet.paste(label, (x + gutter // 2, y + gutter // 2))
    _cut_lines(sheet, width + gutter, height + gutter, max(1, module_px // 6))
    return _png(sheet, module_px)


def sheets(
    faces: Iterable[Face],
    *,
    columns: int = 4,
    rows: int = 10,
    module_px: int = MODULE_PX,
    font: Path | None = None,
) -> Iterator[bytes]:
    """Any number of labels as sheets of `columns` by `rows`; only one sheet is in memory at a time."""
    rest = iter(faces)
    while page := list(islice(rest, columns * rows)):
        yield sheet_png(page, columns=columns, module_px=module_px, font=font)


def draw(face: Face, *, module_px: int = MODULE_PX, font: Path | None = None) -> Image.Image:
    """One label, black on white, its letters from the file `font` or from the first font here that has them all.

    CodeError if its link does not go into a code; UserError if no font has its letters.
    """
    if len(face.lines) > LINES_MAX:
        raise ValueError(f"a label has room for {LINES_MAX} lines, not {len(face.lines)}")
    code = qr.encode(face.link).image(module_px)
    margin, fonts = _MARGIN * module_px, having([face.title, *face.lines, *face.note.splitlines()], file=font)
    note_font = _font(fonts.file(False), _NOTE, module_px)
    beside = _words(face, code.height, module_px, fonts)
    below = round(_NOTE * _LEADING * module_px)
    note = face.note.splitlines()
    width = code.width + (beside.width if beside else 0)
    width = max([width, *(round(note_font.getlength(line)) + 2 * margin for line in note)])
    label = Image.new("L", (width, code.height + len(note) * below), _WHITE)
    label.paste(code, (0, 0))
    if beside:
        label.paste(beside, (code.width, 0))
    for number, line in enumerate(note):
        y = code.height + number * below
        ImageDraw.Draw(label).text((margin, y), line, fill=_BLACK, font=note_font, anchor="la")
    return label


def _words(face: Face, height: int, module_px: int, fonts: Fonts) -> Image.Image | None:
    """The column beside the code: the title hangs from the code's upper edge, the lines stand on its lower."""
    if not (face.title or face.lines):
        return None
    title_font, key_font = (_font(fonts.file(bold), size, module_px) for bold, size in ((True, _TITLE), (False, _KEY)))
    column = max([_COLUMN_MIN * module_px, *(round(key_font.getlength(line)) for line in face.lines)])
    margin = _MARGIN * module_px
    words = Image.new("L", (column + margin, height), _WHITE)
    pen = ImageDraw.Draw(words)
    room = height / module_px - 2 * _MARGIN - len(face.lines) * _KEY * _LEADING
    count = max(1, int(room / (_TITLE * _LEADING)))
    for number, line in enumerate(_wrapped(face.title, title_font, column, count)):
        y = margin + round((_CAPITAL + number * _LEADING) * _TITLE * module_px)
        pen.text((0, y), line, fill=_BLACK, font=title_font, anchor="ls")
    for number, line in enumerate(reversed(face.lines)):
        y = height - margin - round(number * _KEY * _LEADING * module_px)
        pen.text((0, y), line, fill=_BLACK, font=key_font, anchor="ls")
    return words


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int, count: int) -> list[str]:
    """`text` in at most `count` lines of `width` pixels; an ellipsis stands for what does not fit."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > count:
        lines = [*lines[: count - 1], " ".join(lines[count - 1 :])]
    return [_shortened(line, font, width) for line in lines]


def _shortened(line: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "…") > width:
        line = line[:-1]
    return line.rstrip() + "…"


def _cut_lines(sheet: Image.Image, step_x: int, step_y: int, thickness: int) -> None:
    pen = ImageDraw.Draw(sheet)
    for x in range(step_x, sheet.width, step_x):
        pen.line([(x, 0), (x, sheet.height)], fill=_CUT, width=thickness)
    for y in range(step_y, sheet.height, step_y):
        pen.line([(0, y), (sheet.width, y)], fill=_CUT, width=thickness)


@cache
def _font(file: Path, modules: float, module_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), max(6, round(modules * module_px)))


def _png(image: Image.Image, module_px: int) -> bytes:
    dots_per_inch = module_px * 25.4 / X_DIMENSION_MM
    file = BytesIO()
    image.save(file, "PNG", dpi=(dots_per_inch, dots_per_inch))
    return file.getvalue()
