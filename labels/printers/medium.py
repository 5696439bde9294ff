"""What is printed on, and in which language: a label's size and resolution, or a roll of a Brother QL."""

from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

from labels.printers import brother_ql, zpl
from labels.printers.brother_ql import Roll
from labels.printers.dots import PER_MM, Size, module_of
from labels.printers.raster import dots_of
from labels.printing.formats import Grid
from labels.printing.style import SheetStyle
from ledger.errors import UserError


class Language(StrEnum):
    """What a printer understands."""

    ZPL = "zpl"
    QL = "ql"


@dataclass(frozen=True, slots=True)
class Medium:
    """Labels of a size, for a printer of `dpi` dots an inch; a Brother QL has a `roll`, and prints on so much of it."""

    language: Language
    size: Size
    dpi: int
    roll: Roll | None = None

    @property
    def step_mm(self) -> float:
        """The distance of two dots."""
        return 1 / PER_MM[self.dpi]

    def encode(self, image: Image.Image) -> bytes:
        """A label as the printer takes it: a picture of the whole; a smaller one stands in the middle of a roll's."""
        if self.roll is None:
            return zpl.label([zpl.picture(0, 0, dots_of(image))], width=image.width, height=image.height)
        return brother_ql.job([dots_of(_on_roll(image, self.roll))], self.roll)


def zebra(size: str, dpi: int) -> Medium:
    """Labels of a size such as `50x30` for a Zebra."""
    return Medium(Language.ZPL, Size.of(size), dpi)


def brother(roll: str | None, length_mm: float) -> Medium:
    """A roll of a Brother QL by its name, of which pieces of `length_mm` are cut if it is continuous."""
    if roll is None:
        raise UserError("which roll is in the Brother QL is not said", "name it with --roll, such as 62 or 29x90")
    found = brother_ql.roll_of(roll)
    across, along = found.dots
    per_mm = PER_MM[brother_ql.DPI]
    return Medium(Language.QL, Size(across / per_mm, along / per_mm or length_mm), brother_ql.DPI, found)


def style_of(medium: Medium, x_dimension_mm: float) -> SheetStyle:
    """One label on its own, whose modules are the whole dots nearest to what is wanted; a roll's lies on its side."""
    label = (medium.size.width_mm, medium.size.height_mm)
    if medium.roll is not None:
        label = (max(label), min(label))
    return SheetStyle(
        Grid(label, 1, 1, label, (0, 0), label), module_of(x_dimension_mm, medium.dpi) / PER_MM[medium.dpi]
    )


def _on_roll(image: Image.Image, roll: Roll) -> Image.Image:
    """A picture as large as what the roll has room for, turned if it fits only so; UserError if it does not fit."""
    across, along = roll.dots
    for turned in (image, image.rotate(90, expand=True)):
        height = along or max(turned.height, brother_ql.LENGTH_MIN)
        if turned.width <= across and turned.height <= height:
            page = Image.new("1", (across, height), 255)
            page.paste(turned, ((across - turned.width) // 2, (height - turned.height) // 2))
            return page
    per_mm = PER_MM[brother_ql.DPI]
    raise UserError(
        f"a label of {image.width / per_mm:.0f} by {image.height / per_mm:.0f} mm does not go on roll {roll.name}",
        "take a wider roll with --roll: 62, or 62x100",
    )
