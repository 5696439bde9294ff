"""What was read of a ledger for a page, and checked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labels import gs1
from labels.book import Book
from labels.judgement import LabelVerdict
from labels.pages.described import Described
from labels.pages.history import History, Window
from labels.pages.readings import Readings
from labels.pages.verdicts import Checked
from ledger.checkpoint import Checkpoint

LOTS_MAX = 20  # of a product, on one page


@dataclass(kw_only=True)
class Trail:
    """Where a thing was, and what sensors said there. `checked` is by entry id, as are `findings`.

    `noun` is what a person calls such a thing.
    """

    link: gs1.DigitalLink
    now: float
    book: Book
    checkpoints: Mapping[str, Checkpoint]
    noun: str = "item"
    history: History = field(default_factory=History)
    checked: dict[int, Checked] = field(default_factory=dict)
    readings: Readings = field(default_factory=Readings)
    packs: dict[Window, tuple[int, ...]] = field(default_factory=dict)
    findings: Mapping[int, Sequence[str]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Found(Trail):
    """The same of a product, a lot or an item, with its label and what the catalogue says."""

    label: LabelVerdict
    issue: tuple[tuple[str, Checked], ...] = ()
    described: Described = field(default_factory=Described)
    picture: tuple[int, int] | None = None  # the size of the one that is described, in pixels, if it is here
