"""An order: what is to be issued, and who hears of it. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

Tell = Callable[[str, int, int], None]
"""Hears how far it is: at what, how many labels are done, of how many."""


@dataclass(frozen=True, slots=True)
class Random:
    """So many serials of 50 random bits each."""

    count: int


@dataclass(frozen=True, slots=True)
class Own:
    """The maker's serials with their lines, in the order of issue; `noun` is what a line is called."""

    serials: Iterable[tuple[int, str]]
    noun: str = "line"


Source = Random | Own


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be issued: labels of a lot, as a person writes it. `key_file` names a kept key that shall sign.

    `hidden` labels have a second code each, to be covered by a scratch field.
    """

    gtin: str
    lot: str
    source: Source
    lot_in_link: bool = False
    organisation: str | None = None
    key_file: Path | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears how far it is, and what is to be said of the GTIN and of the serials."""

    progress: Tell = lambda about, done, of: None
    warn: Callable[[str], None] = lambda text: None
