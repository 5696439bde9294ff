"""A label in millimetres: where the code, the title, the human-readable lines and a scratch field stand. Pure.

The origin is the label's upper left corner, y goes down. The code has its quiet zone of four modules on all sides, and
nothing else comes into it. The lines that people read (GS1 General Specifications, 4.14) stand beside the code or
below it, one element string a line, and none is ever cut: they are drawn smaller, or the label is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ledger.errors import UserError

X_DIMENSION_MM = 0.396
X_DIMENSIONS_MM = (0.375, 0.990)  # what GS1 allows for a Digital Link in a QR code
QUIET_ZONE = 4  # modules
EDGE_MM = 0.5  # from the code's quiet zone to the label's edge, at least

_LINE_SIZES = tuple(size / 10 for size in range(28, 14, -1))
_TITLE_SIZES = tuple(size / 10 for size in range(42, 21, -2))
_LINE_WANTED, _TITLE_WANTED = 1.9, 3.2  # what a packer reads at arm's length
_LEADING, _TITLE_LEADING, _CAPITAL, _BRACKET = 1.35, 1.18, 0.73, 0.8
_PAD, _GAP = 2.0, 1.6
_SQUARE = 1.25  # a label that is not wider than so many heights has its words above and below the code
CAPTION = "scratch here"
_CAPTION_SIZE, _SCRATCH_RIM = 1.8, 1.0
_SPOKEN = 2.3  # the size of a hidden code's letters, which a person types

Measure = Callable[[str, bool], float]  # a text's width in font sizes, and whether it is bold


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text: where it begins on its baseline, and its font size, in mm."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code with its quiet zone: its upper left corner, and what it says."""

    x: float
    y: float
    link: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a scratch-off sticker goes."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """All that stands on a label."""

    words: tuple[TextLine, ...]
    symbols: tuple[Symbol, ...]
    frame: Frame | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a label shows: links by their widths in modules, quiet zones and all; `hidden` is one, or none.

    `spoken` are the lines below the hidden code that say the same to a person.
    """

    link: str
    modules: int
    title: str = ""
    lines: tuple[str, ...] = ()
    hidden: str = ""
    hidden_modules: int = 0
    spoken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Space:
    """A label's size, and that of a module, in mm."""

    width: float
    height: float
    module: float = X_DIMENSION_MM

    def __str__(self) -> str:
        return f"{round(self.width, 1):g} x {round(self.height, 1):g} mm"


class NoRoomError(UserError):
    """A label is too small for what is to stand on it. `labels.printing.room` knows what helps."""

    def __init__(self, told: str) -> None:
        super().__init__(told, "take a larger label")


def fits(content: Content, space: Space, measure: Measure) -> bool:
    """Whether a label has room."""
    try:
        place(content, space, measure)
    except NoRoomError:
        return False
    return True


def place(content: Content, space: Space, measure: Measure) -> Placed:
    """Lay a label out; NoRoomError if it is too small for its code, or for the lines that people read."""
    code = content.modules * space.module
    if code + 2 * EDGE_MM > min(space.width, space.height):
        raise NoRoomError(f"a label of {space} is too small for a code of {code:.1f} mm with {EDGE_MM:g} mm around it")
    if content.hidden:
        return _with_scratch_field(content, space, measure)
    if not (content.title or content.lines):
        return Placed((), (Symbol((space.width - code) / 2, (space.height - code) / 2, content.link),))
    widest = max((measure(line, False) for line in content.lines), default=0.0)
    ways = (_below, _beside) if space.width < _SQUARE * space.height else (_beside, _below)
    for line_min in (_LINE_WANTED, _LINE_SIZES[-1]):
        for way in ways:
            if placed := way(content, space, measure, widest, line_min):
                return placed
    first = (*content.lines, content.title)[0]
    raise NoRoomError(f"a label of {space} has no room for its words beside a code of {code:.1f} mm: {first} …")


def _beside(
    content: Content, space: Space, measure: Measure, widest: float, line_min: float, *, taken: float = 0.0
) -> Placed | None:
    """The code on the left, the words in a column beside it; `taken` is what else takes of the width on the right.

    A title stands above and the lines below; lines alone stand in the middle.
    """
    code = content.modules * space.module
    quiet = QUIET_ZONE * space.module
    left = min(_PAD, max(EDGE_MM, (space.height - code) / 2))
    column = space.width - left - code - _PAD - taken
    size = _fitting(widest, column, line_min)
    if size is None or column < 8:
        return None
    ink = code - 2 * quiet
    lines = len(content.lines) * size * _LEADING
    for height in (ink, space.height - 2 * _PAD):
        title = _title(content.title, column, height - lines - (_GAP if lines else 0), measure)
        if title.size >= _TITLE_WANTED:
            break
    height = max(ink, title.height + (_GAP if title.lines and lines else 0) + lines)
    x, top = left + code, (space.height - height) / 2
    words = [
        TextLine(x, top + title.size * (_CAPITAL + n * _TITLE_LEADING), title.size, line, True)
        for n, line in enumerate(title.lines)
    ]
    last = top + height if title.lines else (space.height + _ink(content.lines, size)) / 2
    words += [TextLine(x, last - n * size * _LEADING, size, line) for n, line in enumerate(reversed(content.lines))]
    return Placed(tuple(words), (Symbol(left, (space.height - code) / 2, content.link),))


def _ink(lines: Sequence[str], size: float) -> float:
    """The height from the first line's capitals to the last one's baseline."""
    return ((len(lines) - 1) * _LEADING + _CAPITAL) * size


def _below(content: Content, space: Space, measure: Measure, widest: float, line_min: float) -> Placed | None:
    """The title above, the code in the middle, the lines below it, all centred."""
    code = content.modules * space.module
    quiet = QUIET_ZONE * space.module
    inner = space.width - 2 * _PAD
    room = space.height - code + quiet - 2 * _PAD  # the quiet zone is white already
    found: tuple[float, _Title] | None = None
    for size in (size for size in _LINE_SIZES if size >= line_min and widest * size <= inner):
        title = _title(content.title, inner, room - len(content.lines) * size * _LEADING, measure)
        good = title.size >= _TITLE_WANTED  # smaller lines leave more room for it
        if len(content.lines) * size * _LEADING <= room and (title.lines or not content.title):
            found = (size, title) if found is None or good else found
            if good:
                break
    if found is None:
        return None
    size, title = found
    lines, head = len(content.lines) * size * _LEADING, len(title.lines) * title.size * _TITLE_LEADING
    top = (space.height - (head + code + lines)) / 2
    middle, below = space.width / 2, top + head + code
    words = [
        _centred(line, middle, top + title.size * (_CAPITAL + n * _TITLE_LEADING), title.size, measure, bold=True)
        for n, line in enumerate(title.lines)
    ]
    words += [
        _centred(line, middle, below + size * (_BRACKET + n * _LEADING), size, measure)
        for n, line in enumerate(content.lines)
    ]
    return Placed(tuple(words), (Symbol((space.width - code) / 2, top + head, content.link),))


def _with_scratch_field(content: Content, space: Space, measure: Measure) -> Placed:
    """As beside, and on the right a frame as large as the sticker that hides the second code, named outside of it."""
    side = content.hidden_modules * space.module + 2 * _SCRATCH_RIM
    height = side + len(content.spoken) * _SPOKEN * _LEADING
    caption = _CAPTION_SIZE * _LEADING
    widest = max((measure(line, False) for line in content.lines), default=0.0)
    placed = _beside(content, space, measure, widest, _LINE_SIZES[-1], taken=side + 2 * _PAD)
    if placed is None or height + caption + 2 * EDGE_MM > space.height:
        raise NoRoomError(
            f"a label of {space} has no room for a scratch field of {side:.1f} x {height:.1f} mm beside the code and "
            "its lines"
        )
    x, y = space.width - 1.5 * _PAD - side, (space.height - height - caption) / 2 + caption
    middle = x + side / 2
    below = y + side - _SCRATCH_RIM + _SPOKEN * _CAPITAL
    words = [_centred(CAPTION, middle, y - _CAPTION_SIZE * (_LEADING - 1), _CAPTION_SIZE, measure)]
    words += [
        _centred(line, middle, below + n * _SPOKEN * _LEADING, _SPOKEN, measure)
        for n, line in enumerate(content.spoken)
    ]
    hidden = Symbol(x + _SCRATCH_RIM, y + _SCRATCH_RIM, content.hidden)
    return Placed((*placed.words, *words), (*placed.symbols, hidden), Frame(x, y, side, height))


def _centred(text: str, middle: float, y: float, size: float, measure: Measure, *, bold: bool = False) -> TextLine:
    return TextLine(middle - measure(text, bold) * size / 2, y, size, text, bold)


def _fitting(widest: float, room: float, least: float) -> float | None:
    """The largest size for lines that are `widest` font sizes wide, if it is not below `least`."""
    return next((size for size in _LINE_SIZES if size >= least and widest * size <= room), None)


@dataclass(frozen=True, slots=True)
class _Title:
    lines: tuple[str, ...]
    size: float

    @property
    def height(self) -> float:
        """From the first line's capitals to the last line's descenders."""
        return self.size * (1 + (len(self.lines) - 1) * _TITLE_LEADING) if self.lines else 0.0


@lru_cache(maxsize=64)
def _title(text: str, width: float, height: float, measure: Measure) -> _Title:
    """The title at its largest size that fits; an ellipsis stands for what has no room even at the smallest."""
    ways = [(size, 2) for size in _TITLE_SIZES if size >= _TITLE_WANTED] + [(size, 3) for size in _TITLE_SIZES]
    for size, most in ways:  # two lines are better than larger letters
        lines = _wrapped(text, width / size, measure)
        if lines is not None and len(lines) <= min(most, _lines_in(height, size)):
            return _Title(tuple(lines), size)
    count = min(3, _lines_in(height, _TITLE_SIZES[-1]))
    if count == 0:
        return _Title((), _TITLE_SIZES[-1])
    return _Title(tuple(_cut(text, width / _TITLE_SIZES[-1], count, measure)), _TITLE_SIZES[-1])


def _lines_in(height: float, size: float) -> int:
    """How many lines of a title fit: the last has no leading below it."""
    return max(0, int((height / size - 1) / _TITLE_LEADING + 1))


def _wrapped(text: str, width: float, measure: Measure) -> list[str] | None:
    """`text` in lines of `width` font sizes, or None if a word is wider."""
    lines: list[str] = []
    for word in text.split():
        if measure(word, True) > width:
            return None
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, True) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(text: str, width: float, count: int, measure: Measure) -> Sequence[str]:
    """The beginning of `text` in at most `count` lines, broken anywhere, with an ellipsis for the rest."""
    lines, rest = list[str](), " ".join(text.split())
    while rest and len(lines) < count:
        end = len(rest)
        while end > 1 and measure(rest[:end], True) > width:
            end -= 1
        if end < len(rest) and " " in rest[:end]:
            end = rest[:end].rindex(" ")
        lines.append(rest[:end])
        rest = rest[end:].lstrip()
    if rest:
        while lines[-1] and measure(lines[-1] + "…", True) > width:
            lines[-1] = lines[-1][:-1]
        lines[-1] = lines[-1].rstrip() + "…"
    return lines
