"""What helps where a label printer's labels are too small: tried, as `labels.printing.room` does for sheets."""

from collections.abc import Iterator

from labels.printers.brother_ql import ROLLS
from labels.printers.medium import Medium, brother, style_of, zebra
from labels.printing.layout import X_DIMENSION_MM
from labels.printing.room import Fits
from labels.printing.style import SheetStyle

_LABELS = ("50x25", "50x30", "57x32", "70x40", "76x51", "100x50", "100x75", "100x100", "100x150", "150x100")
_LENGTHS_MM = (30, 40, 50, 75, 100, 150)


def on_medium(medium: Medium, style: SheetStyle, fits: Fits) -> str:
    """What to do about labels that are too small, for a hint."""
    usual = style_of(medium, X_DIMENSION_MM)
    ways = ["leave --x-dimension out"] if fits(usual.space) else []
    larger = next((option for option, other in _others(medium) if fits(style_of(other, style.module).space)), None)
    ways += [f"take a larger label: {larger}"] if larger else []
    return "; or ".join(ways) or "no label printer's label has room: print on sheets"


def _others(medium: Medium) -> Iterator[tuple[str, Medium]]:
    """What else could be in the printer, the smallest first, and how it is asked for."""
    if medium.roll is None:
        yield from ((f"--label {size}", zebra(size, medium.dpi)) for size in _LABELS)
        return
    rolls = [(f"--roll {name}", brother(name, 0)) for name, roll in ROLLS.items() if roll.length_mm]
    rolls += [
        (f"--roll {name} --label 50x{length}", brother(name, length))
        for name, roll in ROLLS.items()
        for length in (() if roll.length_mm else _LENGTHS_MM)
    ]
    yield from sorted(rolls, key=lambda one: one[1].size.width_mm * one[1].size.height_mm)
