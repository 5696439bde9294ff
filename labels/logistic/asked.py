"""What a person asks of `labels sscc`: which units, and where their labels go. UserError says what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from labels.logistic.unit import PREFIX_DIGITS, Content
from labels.printers.address import Address
from labels.printers.chosen import medium_of
from labels.printers.dots import Size
from labels.printers.medium import Language, Medium
from labels.typed import gtin_of, lot_of, sscc_of
from ledger.errors import UserError

A4 = Size(210, 297)


@dataclass(frozen=True, slots=True)
class New:
    """Units that get the next numbers."""

    prefix: str
    extension: int
    count: int
    content: Content | None


@dataclass(frozen=True, slots=True)
class Again:
    """Units whose labels are printed once more."""

    ssccs: tuple[str, ...]


class Form(StrEnum):
    """What a file holds, by its ending."""

    PDF = ".pdf"
    PNG = ".png"
    ZPL = ".zpl"
    QL = ".ql"


@dataclass(frozen=True, slots=True)
class ToFile:
    """Labels go into a file, on pages of `paper` if it is given."""

    path: Path
    form: Form
    medium: Medium
    paper: Size | None


@dataclass(frozen=True, slots=True)
class ToPrinter:
    """Labels go to a printer, which is asked how it is, or not."""

    address: Address
    medium: Medium
    asks: bool


def wanted(
    prefix: str | None, *, extension: int, count: int, again: Sequence[str], content: Content | None
) -> New | Again:
    """Which units: new ones of a company prefix, or some again."""
    if bool(again) == bool(prefix):
        raise UserError(
            "it is not said of which units labels are to be printed",
            "give new numbers with --prefix, or name units that have one with --again",
        )
    if again:
        return Again(tuple(sscc_of(text).sscc or "" for text in again))
    if not (prefix and prefix.isascii() and prefix.isdigit() and len(prefix) in PREFIX_DIGITS):
        raise UserError(
            f"{prefix!r} is no GS1 company prefix", f"write its {PREFIX_DIGITS[0]} to {PREFIX_DIGITS[-1]} digits"
        )
    return New(prefix, extension, count, content)


def content(gtin: str | None, pieces: int | None, lot: str | None) -> Content | None:
    """What is on a unit, if that is said: of what, and how many."""
    if gtin is None and pieces is None and lot is None:
        return None
    if gtin is None or pieces is None:
        raise UserError(
            "what is on a unit is said by half", "say --content with --pieces, and --lot if all are of one lot"
        )
    gtin = gtin_of(gtin)
    return Content(gtin, pieces, lot_of(gtin, lot) if lot is not None else None)


def target(
    out: Path | None,
    address: Address | None,
    language: str,
    size: str,
    dpi: int,
    roll: str | None,
    *,
    asks: bool,
    sheets: bool,
) -> ToFile | ToPrinter:
    """Where labels go: a file, or a printer."""
    if (out is None) == (address is None):
        raise UserError("it is not said where the labels go", "name a file with -o, or a printer with --printer")
    form = _form(out) if out else None
    medium = medium_of(Language.QL if form is Form.QL else Language.ZPL if form else language, size, dpi, roll)
    if out and form:
        return ToFile(out, form, medium, A4 if sheets else None)
    assert address is not None
    return ToPrinter(address, medium, asks)


def _form(path: Path) -> Form:
    try:
        return Form(path.suffix.lower())
    except ValueError:
        raise UserError(f"{path} ends in no form of a label", f"let it end in {', '.join(Form)}") from None
