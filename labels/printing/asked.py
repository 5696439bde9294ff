"""What a person asks of `labels print`, as it is typed: the options by their names, and what they come to. Pure."""

from dataclasses import dataclass
from pathlib import Path

from labels.printing import formats
from labels.printing.formats import Grid
from labels.printing.layout import X_DIMENSION_MM
from labels.printing.style import SheetStyle, x_dimension
from ledger.errors import UserError

OF_SHEETS = ("labels", "grid", "gap", "margin", "page", "skip", "offset", "outline")  # options


@dataclass(frozen=True, slots=True)
class Asked:
    """The options: where labels go and as what, on which paper, how they look, and which of them."""

    out: Path | None = None
    kind: str | None = None
    printer: str | None = None
    language: str = "zpl"
    dpi: str = "203"
    roll: str | None = None
    no_status: bool = False
    labels: str | None = None
    grid: str | None = None
    label: str | None = None
    gap: str | None = None
    margin: str | None = None
    page: str | None = None
    skip: int = 0
    offset: str | None = None
    x_dimension: float | None = None
    outline: bool = False
    sheets_per_file: int = 50
    font: Path | None = None
    test: bool = False
    sheet: bool = False
    title: str = ""
    serials: tuple[str, ...] = ()
    again: bool = False
    came_out: str | None = None

    def __post_init__(self) -> None:
        """UserError if specimens are asked for as anything but a sheet."""
        if self.test and self.form != "pdf":
            where = "not of a label printer" if self.form in ("zpl", "ql") else f"not {self.form}"
            told = f"--test is a sheet of specimens as PDF, {where}"
            raise UserError(told, "leave --test out, or what else asks for no PDF")

    @property
    def form(self) -> str:
        """What labels become: png, svg, pdf, zpl or ql."""
        if self.printer:
            return self.language
        return self.kind or ("pdf" if self.test or any(getattr(self, name) for name in OF_SHEETS) else "png")

    @property
    def module_mm(self) -> float:
        """A module's width; UserError if GS1 does not allow it."""
        return X_DIMENSION_MM if self.x_dimension is None else x_dimension(self.x_dimension)

    def need_folder(self) -> Path:
        """The folder to write to; UserError if it is not said."""
        if self.out is None:
            raise UserError("it is not said where the labels go", "name a folder with -o, or a printer with --printer")
        return self.out

    def style(self) -> SheetStyle:
        """How sheets look, or labels in files of their own; UserError if that is none, or is said by half."""
        grid = self._grid()
        if self.skip >= grid.count:
            raise UserError(
                f"a sheet has {grid.count} labels: {self.skip} are not skipped", f"say at most --skip {grid.count - 1}"
            )
        offset = formats.shift(self.offset) if self.offset else (0.0, 0.0)
        return SheetStyle(grid, self.module_mm, offset, self.outline or self.test, self.sheets_per_file)

    def _grid(self) -> Grid:
        if self.grid or (self.kind == "svg" and self.label):
            return self._own_grid()
        if any((self.label, self.gap, self.margin, self.page)):
            raise UserError("--label, --gap, --margin and --page are of a grid", "say --grid 3x8 as well")
        return formats.by_number(self.labels or formats.DEFAULT)

    def _own_grid(self) -> Grid:
        if not self.label or self.labels:
            raise UserError(
                "a grid is known by its counts and its labels' size", "say --grid 3x8 --label 70x37, and no --labels"
            )
        return formats.grid(
            *formats.counts(self.grid or "1x1"),
            formats.sizes(self.label),
            page=formats.page(self.page or "A4"),
            gap=formats.sizes(self.gap) if self.gap else (0.0, 0.0),
            margin=formats.sizes(self.margin) if self.margin else None,
        )
