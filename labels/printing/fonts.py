"""The fonts on a printed sheet: one that has all glyphs of what is to be read, embedded in the file.

Bitstream Vera comes with reportlab and has the letters of Western Europe. What it lacks is looked for in fonts that
this machine has; a script whose letters join, or that runs from right to left, needs more than a font.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from ledger.errors import UserError

_VERA = Path(reportlab.__file__).parent / "fonts"
_INSTALLED = Path("/usr/share/fonts/truetype")
_PAIRS = (
    (_VERA / "Vera.ttf", _VERA / "VeraBd.ttf"),
    (_INSTALLED / "dejavu/DejaVuSans.ttf", _INSTALLED / "dejavu/DejaVuSans-Bold.ttf"),
    (_INSTALLED / "noto/NotoSans-Regular.ttf", _INSTALLED / "noto/NotoSans-Bold.ttf"),
)


@dataclass(frozen=True)
class Fonts:
    """A regular and a bold font by reportlab's names, with the files that they come from."""

    regular: str
    bold: str

    def name(self, bold: bool) -> str:
        """The one or the other."""
        return self.bold if bold else self.regular

    def file(self, bold: bool) -> Path:
        """The file of the one or the other."""
        return Path(pdfmetrics.getFont(self.name(bold)).face.filename)

    def measure(self, text: str, bold: bool) -> float:
        """A text's width in font sizes."""
        return float(pdfmetrics.stringWidth(text, self.name(bold), 1000)) / 1000


def readable(text: str) -> str:
    """A text as letters that stand one after the other; UserError if it needs more to be drawn rightly."""
    text = unicodedata.normalize("NFC", text)
    for letter in text:
        if unicodedata.bidirectional(letter) in ("R", "AL", "AN") or unicodedata.category(letter) in ("Mn", "Mc"):
            raise UserError(
                f"the title has {letter!r} ({unicodedata.name(letter, 'a letter')}), which these labels cannot show",
                "letters that join, or run from right to left, are not drawn yet: write the title in another script",
            )
        if not letter.isprintable():
            raise UserError(f"the title has {letter!r}, which cannot be printed", "leave it out")
    return text


def having(texts: Iterable[str], *, file: Path | None = None) -> Fonts:
    """Fonts that have all letters of `texts`: from `file`, if it is named, else the first that is here. UserError."""
    letters = {letter for text in texts for letter in text}
    lacking = letters
    for regular, bold in ((file, file),) if file else _here():
        assert regular is not None and bold is not None
        found = _load(regular), _load(bold)
        lacking = {letter for letter in letters if not all(ord(letter) in font.face.charToGlyph for font in found)}
        if not lacking:
            return Fonts(found[0].fontName, found[1].fontName)
    shown = "".join(sorted(lacking))[:12]
    raise UserError(
        f"the font{f' in {file}' if file else 's here'} cannot show {shown!r}",
        "name a TrueType file that can with --font; Debian's package fonts-dejavu-core has most of Europe's letters",
    )


def _here() -> Iterator[tuple[Path, Path]]:
    return ((regular, bold) for regular, bold in _PAIRS if regular.exists() and bold.exists())


@lru_cache
def _load(file: Path) -> TTFont:
    """Register a font; its name is its file's."""
    try:
        font = TTFont(file.stem, str(file))
    except (TTFError, OSError, ValueError, KeyError, IndexError) as error:
        raise UserError(f"cannot use the font {file}: {error}", "name a TrueType file (.ttf) with --font") from error
    pdfmetrics.registerFont(font)
    return font
