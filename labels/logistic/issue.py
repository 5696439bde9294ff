"""Numbers for units, and their labels: drawn, read back, and sent to a file or a printer.

    try one label -> give the numbers, committed -> draw, read back -> write the file whole, or print

If the process dies, numbers are given that no label shows. None is ever given twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import TypeVar

from PIL import Image

from labels.book import Book
from labels.catalogue.catalogue import Catalogue
from labels.catalogue.recalled import require_not_recalled
from labels.logistic import given, render
from labels.logistic.asked import Again, Form, New, ToFile, ToPrinter
from labels.logistic.checked import require_pdf_reads, require_reads
from labels.logistic.layout import Drawing, draw
from labels.logistic.unit import Unit, numbers
from labels.printers.medium import Medium
from labels.printers.printer import opened
from labels.printers.stopped import StoppedError
from labels.printing.folder import require_new
from labels.printing.fonts import readable
from ledger import whole_file
from ledger.database import connect
from ledger.errors import UserError
from ledger.registry.prefixes import doubt, overlapping

Tell = Callable[[int], None]
Units = TypeVar("Units", bound=Sequence[Unit])
_AT_ONCE = 24  # labels that a printer is sent between two looks at what is recalled
_TOLD_MAX = 12


@dataclass(frozen=True, slots=True)
class Label:
    """What is the same on all labels: whose they are, and the host in their links."""

    company: str
    host: str

    def draw(self, unit: Unit, medium: Medium, *, in_dots: bool) -> Drawing:
        """A unit's label as it goes on a medium; for paper, modules need not be whole dots."""
        step = {"step_mm": medium.step_mm} if in_dots else {}
        return draw(unit, company=self.company, host=self.host, size=medium.size, **step)


def label_of(book: Book, wanted: New | Again, *, company: str | None, host: str) -> Label:
    """What stands on the labels: the operator's name, if no other is said.

    UserError if the company prefix is not the operator's by what organisations have declared.
    """
    if isinstance(wanted, New):
        _require_own(book, wanted.prefix)
    return Label(readable(book.organisation(book.operator) if company is None else company), host)


def warning(book: Book, wanted: New | Again) -> str:
    """What is to be said of new numbers before they are given, if anything."""
    return doubt(book.prefixes, book.operator, f"company prefix {wanted.prefix}") if isinstance(wanted, New) else ""


def units(dsn: str, catalogue: Catalogue, wanted: New | Again, label: Label, to: ToFile | ToPrinter) -> list[Unit]:
    """The units whose labels are wanted; new ones get their numbers, unless no label of theirs could be made.

    UserError if what is on one of them is recalled by now, or the file is there already.
    """
    if isinstance(to, ToFile):
        require_new(to.path)
    if isinstance(to, ToFile) and to.form is Form.PNG and len(_ssccs(wanted)) > 1:
        raise UserError("a PNG holds one label", "let the file end in .pdf or .zpl, or take one unit at a time")
    with connect(dsn) as connection:
        if isinstance(wanted, Again):
            return _sound(catalogue, given.again(connection, wanted.ssccs))
        first = Unit(next(numbers(wanted.prefix, wanted.extension, 0)), wanted.content)
        _sound(catalogue, [first])
        _made([label.draw(first, to.medium, in_dots=_in_dots(to))], to)
        return given.give(
            connection,
            prefix=wanted.prefix,
            extension=wanted.extension,
            count=wanted.count,
            content=wanted.content,
            at=datetime.now(UTC),
        )


def send(
    units: Sequence[Unit],
    label: Label,
    to: ToFile | ToPrinter,
    *,
    catalogue: Callable[[], Catalogue],
    tell: Tell = lambda done: None,
) -> None:
    """Send the units' labels, each read back before; `tell` hears how many are out. UserError says which are not.

    What is recalled by now is asked of the `catalogue` once more, before the file or a few labels are out.
    """
    drawings = [label.draw(unit, to.medium, in_dots=_in_dots(to)) for unit in units]
    made = _made(drawings, to)
    if isinstance(to, ToFile):
        _sound(catalogue(), units)
        whole_file.put(to.path, b"".join(made))
    else:
        _print(units, made, to, catalogue, tell)


def _print(
    units: Sequence[Unit], made: Sequence[bytes], to: ToPrinter, catalogue: Callable[[], Catalogue], tell: Tell
) -> None:
    """Print the units' labels, a few at a time: UserError says which are not out."""
    out = 0
    try:
        with opened(to.address, to.medium, asks=to.asks) as printer:
            for out in range(0, len(made), _AT_ONCE):
                _sound(catalogue(), units[out:])
                printer.print(made[out : out + _AT_ONCE], tell=partial(_tell_behind, tell, out))
    except StoppedError as error:
        raise _stopped(units, out, error) from error
    except UserError as error:
        raise _stopped(units, out, StoppedError(str(error), came_out=0, doubtful=0, hint=error.hint)) from error


def _tell_behind(tell: Tell, before: int, more: int) -> None:
    tell(before + more)


def _sound(catalogue: Catalogue, units: Units) -> Units:
    """The same units; UserError if what is on one of them is recalled."""
    for content in dict.fromkeys(unit.content for unit in units):
        if content:
            require_not_recalled(catalogue, content.gtin, content.lot)
    return units


def _require_own(book: Book, prefix: str) -> None:
    """UserError if the operator has declared other company prefixes, or another organisation this one."""
    own = book.prefixes.get(book.operator)
    if own is not None and not any(prefix.startswith(one) for one in own):
        raise UserError(
            f"company prefix {prefix} is not {book.operator}'s, which are {', '.join(own)}", "name one of those"
        )
    if other := overlapping(book.prefixes, book.operator, [prefix]):
        raise UserError(f"company prefix {prefix} is {other}'s, who has declared it", "name one of your own")


def _ssccs(wanted: New | Again) -> Sequence[object]:
    return wanted.ssccs if isinstance(wanted, Again) else range(wanted.count)


def _in_dots(to: ToFile | ToPrinter) -> bool:
    return not (isinstance(to, ToFile) and to.form is Form.PDF)


def _made(drawings: Sequence[Drawing], to: ToFile | ToPrinter) -> list[bytes]:
    """The labels, read back: those that go to a printer, one by one, and else the file, in one or more parts."""
    form = to.form if isinstance(to, ToFile) else None
    if isinstance(to, ToFile) and form is Form.PDF:
        pages = render.pages(drawings, to.paper)
        pdf = render.pdf(pages, to.paper)
        require_pdf_reads(pdf, pages)
        return [pdf]
    if form is Form.PNG:
        return [_png(_picture(drawings[0], to.medium), to.medium.dpi)]
    return [to.medium.encode(_picture(drawing, to.medium)) for drawing in drawings]


def _png(picture: Image.Image, dpi: int) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG", dpi=(dpi, dpi))
    return file.getvalue()


def _picture(drawing: Drawing, medium: Medium) -> Image.Image:
    """A label in dots, which has been read back."""
    picture = render.picture(drawing, medium.dpi)
    require_reads(picture, [drawing])
    return picture


def _stopped(units: Sequence[Unit], before: int, error: StoppedError) -> UserError:
    """What became of each unit's label, `before` of which were out when it began, and how the others are printed."""
    came_out = before + error.came_out
    after = came_out + error.doubtful
    out, doubtful, lost = units[:came_out], units[came_out:after], units[after:]
    told = [f"printed: {_told(out)}"]
    told += [f"look whether these came out: {_told(doubtful)}"] if doubtful else []
    told += [f"not printed: {_told(lost)}"] if lost else []
    return UserError(
        f"{error}; {'; '.join(told)}",
        f"{error.hint}{' Then' if error.hint.endswith('?') else '; then'} print what is lacking with --again, by these "
        "numbers",
    )


def _told(units: Sequence[Unit]) -> str:
    ssccs = [unit.sscc for unit in units]
    if len(ssccs) > _TOLD_MAX:
        return f"{ssccs[0]} to {ssccs[-1]} ({len(ssccs):,})"
    return ", ".join(ssccs) or "none"
