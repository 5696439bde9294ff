"""A verdict on one code that was read, in words, and by whose word it is. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labels import gs1
from labels.book import Book
from labels.catalogue.place import Level
from labels.judgement import PERHAPS_RECALLED, RECALLED, LabelVerdict, Standing, headline, judge_signature, level_of
from labels.labelled import lot_of_label, places_of, recalls_of
from labels.reading.recalls import KnownRecalls
from labels.reading.say import Said
from labels.signature import LabelFault, LabelKey, date_of

_CHANGED = "It was a label, and was changed, cut short or misprinted"
_TWICE_HERE = "A label of this item is in this picture more than once: of one item there is one."
LOOK = "Perhaps recalled: look at its lot"
_LOTS_TOLD = 5
_SHOWN = {
    Standing.GENUINE: "genuine",
    Standing.SIGNED: "unproven",
    Standing.NOT_PROVEN: "unproven",
    Standing.PROBLEM: "problem",
    Standing.NO_CLAIM: "neutral",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a label, or of another code of what is recalled.

    `by` is whose word it is; `notes` are what a person should know besides.
    `product` is the name of what a signed label is on, and `lot` and `serial` are which, as far as they are known here.
    `recalled` says whether that is recalled; None that this is not known, or that it may be: `recalled_lots` are those
    of its product, if nobody here knows its own.
    """

    standing: Standing
    headline: str
    reason: str
    fault: str = ""
    issuer: str = ""
    issued: str = ""
    by: str = ""
    notes: tuple[str, ...] = ()
    product: str = ""
    lot: str = ""
    serial: str = ""
    recalled: bool | None = None
    recalled_lots: tuple[str, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The verdict as JSON holds it."""
        return {
            "verdict": str(self.standing),
            "headline": self.headline,
            "reason": self.reason,
            "fault": self.fault,
            "issuer": self.issuer,
            "issued": self.issued,
            "by": self.by,
            "notes": list(self.notes),
            "product": self.product,
            "lot": self.lot,
            "serial": self.serial,
            "recalled": self.recalled,
        }

    @property
    def what(self) -> str:
        """What the label is on, as far as it is known: `Honey, lot L1, serial 7K3M9QX2AB`."""
        lot, serial = self.lot and f"lot {self.lot}", self.serial and f"serial {self.serial}"
        return ", ".join(part for part in (self.product, lot, serial) if part)

    @property
    def shown(self) -> str:
        """How a page shows it: genuine (green), unproven (amber), problem (red) or neutral."""
        if self.recalled:
            return "problem"
        shown = _SHOWN[self.standing]
        return "unproven" if self.notes and shown in ("genuine", "neutral") else shown

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong, as far as the one who says it can know."""
        return self.standing in (Standing.GENUINE, Standing.SIGNED) and not self.notes


def unreadable(said: Said) -> Verdict:
    """The verdict on a code that was a label, as far as one can see."""
    return Verdict(Standing.PROBLEM, "Problem", f"{_CHANGED}: {said.complaint}.", "unreadable", by="this reader")


def by_trust(link: gs1.DigitalLink, keys: Sequence[LabelKey], known: KnownRecalls, *, today: int, by: str) -> Verdict:
    """By the label keys and recalls of a trust bundle, offline."""
    label = judge_signature(link, keys, today=today)
    told = _told(link, label, lambda uri: uri, by)
    if not label.is_signed and label.fault != LabelFault.REVOKED:
        return told
    if known.by_place is None:
        return replace(told, reason=f"{told.reason} The trust bundle here is of an older kind, and knows no recalls.")
    gtin = link.gtin or ""
    if (recalled := known.standing(gtin, lot_of_label(link, label), link.serial)) is not None:
        notes = (why(recalled.since, recalled.reason),)
        return replace(told, headline=RECALLED, recalled=True, notes=notes)
    if not lot_of_label(link, label) and (lots := tuple(one.lot for one in known.lots(gtin))):
        return replace(told, headline=LOOK, notes=(look_at(lots),), recalled_lots=lots)
    return replace(told, reason=f"{told.reason} By {known.as_of} it was not recalled.", recalled=False)


def by_ledger(link: gs1.DigitalLink, label: LabelVerdict, book: Book, *, by: str) -> Verdict:
    """By a ledger: what it says of the label, and whether what it is on was recalled."""
    told = _told(link, label, book.organisation, by)
    if not label.is_signed:
        return told
    names = [entered.said.name for entered in book.catalogue.described(*places_of(link, label))]
    told = replace(told, product=next((name for name in reversed(names) if name), ""))
    recalls = list(recalls_of(link, label, book))
    if not recalls:
        return replace(told, recalled=False)
    notes = tuple(why(entered.said.since, entered.said.reason, perhaps) for entered, perhaps in recalls)
    is_sure = not all(perhaps for _, perhaps in recalls)
    return replace(told, headline=RECALLED if is_sure else PERHAPS_RECALLED, recalled=is_sure or None, notes=notes)


def seen_twice(verdict: Verdict) -> Verdict:
    """The same for a label that is in one picture more than once."""
    return replace(verdict, notes=(*verdict.notes, _TWICE_HERE))


def why(since: str, reason: str, perhaps: bool = False) -> str:
    """The note of a recall."""
    return f"{'Perhaps recalled' if perhaps else 'RECALLED'} since {since}: {reason}"


def no_verdict(by: str) -> str:
    """The note of an answer by `by` that is no page."""
    return f"{by} gives no verdict that can be read"


def look_at(lots: Sequence[str]) -> str:
    """What is to be said of a label that may be of one of these recalled lots."""
    named = f"{', '.join(lots[:_LOTS_TOLD])}{'…' if len(lots) > _LOTS_TOLD else ''}"
    told = f"Recalled {'are lots' if len(lots) > 1 else 'is lot'} {named} of this product."
    return f"{told} Of which lot this is its code does not say: look at what is printed beside it."


def _told(link: gs1.DigitalLink, label: LabelVerdict, name: Callable[[str], str], by: str) -> Verdict:
    signer = label.key if label.is_signed else None
    return Verdict(
        standing=label.standing,
        headline=headline(label.standing, level_of(link, label), label.fault),
        reason=label.reason,
        fault=label.fault,
        issuer=name(signer.organisation) if signer else "",
        issued=date_of(label.day).isoformat() if signer and label.day is not None else "",
        by=by,
        lot=(lot_of_label(link, label) or "") if label.is_signed else "",
        serial=(link.serial or "") if label.is_signed and level_of(link, label) is Level.ITEM else "",
    )
