"""How a run's labels look: what stands on all of them, and where they stand on a sheet. Pure, and sent to workers."""

from dataclasses import dataclass, field

from labels.printing import formats
from labels.printing.formats import Grid
from labels.printing.layout import X_DIMENSION_MM, X_DIMENSIONS_MM, Space
from ledger.errors import UserError


@dataclass(frozen=True, slots=True)
class SheetStyle:
    """Sheets: their grid, a module's width in mm, by how many mm the printer misfeeds, and whether labels are outlined.

    `sheets` is how many a file has at most. `mark` stands across each label, in grey and below all else.
    """

    grid: Grid = field(default_factory=lambda: formats.by_number(formats.DEFAULT))
    module: float = X_DIMENSION_MM
    offset: tuple[float, float] = (0.0, 0.0)
    outline: bool = False
    sheets: int = 50
    mark: str = ""

    @property
    def space(self) -> Space:
        """What a label has."""
        return Space(*self.grid.label, self.module)


def x_dimension(mm: float) -> float:
    """A module's width as GS1 allows it for a Digital Link; UserError if it does not."""
    least, most = X_DIMENSIONS_MM
    if not least <= mm <= most:
        raise UserError(
            f"an X-dimension of {mm:g} mm is not what GS1 allows for a Digital Link",
            f"write {least:.3f} to {most:.3f} mm; {X_DIMENSION_MM} is usual",
        )
    return mm
