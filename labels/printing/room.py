"""What helps where a label is too small: other modules, other sheets, or a grid of one's own. Pure.

Whatever is advised was tried: what is to stand on a label has room there.
"""

from collections.abc import Callable, Iterator

from labels.printing.formats import FORMATS, Format
from labels.printing.layout import X_DIMENSION_MM, X_DIMENSIONS_MM, Space
from labels.printing.style import SheetStyle

Fits = Callable[[Space], bool]
Advise = Callable[[SheetStyle, Fits], str]
_TOLD = 4  # sheets, at most
_LARGE = (150.0, 100.0)  # has room for whatever GS1 lets stand on a label


def on_sheets(style: SheetStyle, fits: Fits) -> str:
    """What to do about a sheet whose labels are too small, for a hint."""
    module = next(_smaller(style, fits), None)
    ways = [f"print with --x-dimension {module:g}"] if module else []
    sheets = with_room(style.module, fits)
    if sheets:
        small = sorted(sheets, key=lambda one: one.grid.label[0] * one.grid.label[1])[:_TOLD]
        ways.append(f"take sheets that have room, the smallest first: --labels {', '.join(map(_named, small))}")
    elif not module:
        ways.append(f"take a label of {_LARGE[0]:g}x{_LARGE[1]:g} mm: --grid 1x2 --label {_LARGE[0]:g}x{_LARGE[1]:g}")
    return "; or ".join(ways)


def told(label: tuple[float, float], plain: Fits, hidden: Fits) -> str:
    """What there is room for on a label, for a list: nothing is said where it is the usual, a code with its lines."""
    usual, least = Space(*label), Space(*label, X_DIMENSIONS_MM[0])
    if plain(usual):
        return "and a scratch field" if hidden(usual) else ""
    return f"with --x-dimension {least.module:g} alone" if plain(least) else "too small"


def with_room(module: float, fits: Fits) -> list[Format]:
    """The known sheets whose labels have room at this X-dimension."""
    return [one for one in FORMATS if fits(Space(*one.grid.label, module))]


def _smaller(style: SheetStyle, fits: Fits) -> Iterator[float]:
    """The X-dimensions below the style's at which there is room: the usual one, then the least."""
    for module in (X_DIMENSION_MM, X_DIMENSIONS_MM[0]):
        if module < style.module and fits(Space(*style.grid.label, module)):
            yield module


def _named(one: Format) -> str:
    return f'"{one.names[0]}"'
