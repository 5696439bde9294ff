"""What the catalogue says of what a link names, each entry of it checked. Pure: checking comes in by a callback."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labels import gs1
from labels.book import Book
from labels.catalogue.catalogue import Entered
from labels.catalogue.description import Description
from labels.catalogue.limit import Limit
from labels.catalogue.link import Link
from labels.catalogue.place import Level, Place
from labels.catalogue.recall import Recall
from labels.judgement import LabelVerdict
from labels.labelled import places_of, recalls_of
from labels.pages.verdicts import Checked, saying
from labels.signature import LabelFault
from ledger.errors import MalformedError
from ledger.registry import Role

BELOW_MAX = 50


@dataclass(frozen=True, slots=True)
class SaidOf:
    """A description, and how its registry entry was checked."""

    entered: Entered[Description]
    checked: Checked

    @property
    def level(self) -> Level:
        """Of what it is."""
        return self.entered.said.place.level


@dataclass(frozen=True, slots=True)
class Recalled:
    """A recall, and how its registry entry was checked; `perhaps` if the label may be of another lot."""

    entered: Entered[Recall]
    checked: Checked
    perhaps: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """All that is said, of the product first. What does not verify is in `said` alone: nothing is told of it.

    `below` are its product's lots and items that are recalled, the newest first, where a link does not tell its lot.
    """

    said: tuple[SaidOf, ...] = ()
    recalls: tuple[Recalled, ...] = ()
    below: tuple[Place, ...] = ()

    @property
    def proven(self) -> tuple[Description, ...]:
        """What verifies, of the lowest place first: that goes before what is above it."""
        return tuple(one.entered.said for one in reversed(self.said) if one.checked.verdict is not None)

    @property
    def name(self) -> str:
        """What it is called."""
        return next((one.name for one in self.proven if one.name), "")

    @property
    def text(self) -> str:
        """What it is."""
        return next((one.text for one in self.proven if one.text), "")

    @property
    def picture(self) -> bytes:
        """The SHA-256 of its picture, or nothing."""
        return next((one.picture for one in self.proven if one.picture), b"")

    @property
    def limits(self) -> Mapping[str, tuple[Limit, Place]]:
        """Between which values each metric's readings are good, and of what place that is said."""
        return {metric: (limit, one.place) for one in reversed(self.proven) for metric, limit in one.limits.items()}

    @property
    def good(self) -> dict[tuple[str, str], tuple[float | None, float | None]]:
        """The same by metric and unit, the lowest and the highest good value of each."""
        return {(metric, limit.unit): (limit.low, limit.high) for metric, (limit, _) in self.limits.items()}

    @property
    def links(self) -> tuple[tuple[Link, Place], ...]:
        """Where more is said, each once; the lowest place's first."""
        found = {(link.rel, link.href, link.lang): (link, one.place) for one in self.proven for link in one.links}
        return tuple(found.values())


def describe(link: gs1.DigitalLink, label: LabelVerdict, book: Book, check: Callable[[int], Checked]) -> Described:
    """What is said of the product, lot and item of a link; `check` checks the registry entry of an index.

    A forged label has no page that speaks for it, so nothing is described; and of an item something is said to who
    shows its label. A recall is told to everybody.
    """
    said = [
        SaidOf(entered, _checked(entered, check(entered.index)))
        for entered in book.catalogue.described(*places_of(link, label))
    ]
    recalls = [
        Recalled(entered, _checked(entered, check(entered.index)), perhaps)
        for entered, perhaps in recalls_of(link, label, book)
    ]
    return Described(tuple(said), tuple(recalls), tuple(_below(link, label, book)[:BELOW_MAX]))


def _below(link: gs1.DigitalLink, label: LabelVerdict, book: Book) -> list[Place]:
    if link.lot or (link.serial and label.fault != LabelFault.UNSIGNED):
        return []
    return book.catalogue.recalled_below(link.gtin or "")[::-1]


def _checked(entered: Entered[Any], checked: Checked) -> Checked:
    """What was checked, if the operator said by it what the database has us believe."""
    return saying(checked, Role.OPERATOR, lambda said: _is(entered.said, said))


def _is(value: Any, said: Mapping[str, Any]) -> bool:
    try:
        return bool(type(value).read(said) == value)
    except MalformedError:
        return False
