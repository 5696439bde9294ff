"""A verdict on one label that was read, in words, and by whose word it is. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labels import gs1
from labels.book import Book
from labels.judgement import RECALLED, LabelVerdict, Standing, headline, judge_signature, level_of
from labels.reading.say import Said
from labels.signature import LabelFault, LabelKey, date_of

_CHANGED = "It was a label, and was changed, cut short or misprinted"
_SAID_CHARACTERS_MAX = 500  # of what a service says in one breath
_TWICE_HERE = "The same label is in this picture more than once: of one item there is one."
_RECALLED = "RECALLED"
_SHOWN = {
    Standing.GENUINE: "genuine",
    Standing.SIGNED: "unproven",
    Standing.NOT_PROVEN: "unproven",
    Standing.PROBLEM: "problem",
    Standing.NO_CLAIM: "neutral",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a label. `by` is whose word it is; `notes` are what a person should know besides."""

    standing: Standing
    headline: str
    reason: str
    fault: str = ""
    issuer: str = ""
    issued: str = ""
    by: str = ""
    notes: tuple[str, ...] = ()

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
        }

    @property
    def shown(self) -> str:
        """How a page shows it: genuine (green), unproven (amber), problem (red) or neutral."""
        if any(note.startswith(_RECALLED) for note in self.notes):
            return "problem"
        shown = _SHOWN[self.standing]
        return "unproven" if self.notes and shown == "genuine" else shown

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong, as far as the one who says it can know."""
        return self.standing in (Standing.GENUINE, Standing.SIGNED) and not self.notes


def unreadable(said: Said) -> Verdict:
    """The verdict on a code that was a label, as far as one can see."""
    return Verdict(Standing.PROBLEM, "Problem", f"{_CHANGED}: {said.complaint}.", "unreadable", by="this reader")


def by_trust(link: gs1.DigitalLink, keys: Sequence[LabelKey], *, today: int, by: str) -> Verdict:
    """By the label keys of a trust bundle, offline."""
    return _told(link, judge_signature(link, keys, today=today), lambda uri: uri, by)


def by_ledger(link: gs1.DigitalLink, label: LabelVerdict, book: Book, *, by: str) -> Verdict:
    """By a ledger: what it says of the label, and whether what it is on was recalled."""
    told = _told(link, label, book.organisation, by)
    lot = label.batch.batch.lot if label.batch else link.lot
    recalled = book.recalled(link.gtin or "", lot, link.serial) if label.is_signed else None
    if recalled is None:
        return told
    why = f"{_RECALLED} since {recalled.said.since}: {recalled.said.reason}"
    return replace(told, headline=RECALLED, notes=(why, *told.notes))


def by_service(page: Any, checked: Verdict, *, by: str) -> Verdict:
    """By a label service's page of the label, believed as far as the signature that was `checked` here lets us.

    A service cannot make a label good that no key of the trust bundle signed; it can say that one is not good, and
    which are declared. `page` is what it answered, whatever that is.
    """
    said = _said(page)
    if said is None:
        return replace(checked, notes=(*checked.notes, f"{by} gives no verdict that can be read"))
    both = f"{by}; the signature is checked here, under {checked.by}"
    if checked.standing is Standing.SIGNED or checked.fault == LabelFault.REVOKED:
        return replace(said, by=both)
    if said.standing is Standing.GENUINE and checked.fault == LabelFault.UNKNOWN_KEY:
        reason = f"{by} calls it genuine, but the trust bundle here does not know its key: get a newer one."
        return replace(checked, standing=Standing.NOT_PROVEN, headline="Not proven", reason=reason)
    return checked


def seen_twice(verdict: Verdict) -> Verdict:
    """The same for a label that is in one picture more than once."""
    return replace(verdict, notes=(*verdict.notes, _TWICE_HERE))


def _told(link: gs1.DigitalLink, label: LabelVerdict, name: Callable[[str], str], by: str) -> Verdict:
    signer = label.key if label.is_signed else None
    return Verdict(
        standing=label.standing,
        headline=headline(label.standing, level_of(link, label)),
        reason=label.reason,
        fault=label.fault,
        issuer=name(signer.organisation) if signer else "",
        issued=date_of(label.day).isoformat() if signer and label.day is not None else "",
        by=by,
    )


def _said(page: Any) -> Verdict | None:
    """A page's verdict, of its JSON; None if it is none."""
    names = ("verdict", "headline", "reason", "fault", "issuer", "issued")
    if not isinstance(page, dict) or not all(isinstance(page.get(name), str) for name in names):
        return None
    try:
        standing = Standing(page["verdict"])
    except ValueError:
        return None
    recalls = page.get("recalls")
    notes = (f"{_RECALLED}: its page says why",) if isinstance(recalls, list) and recalls else ()
    told, reason, fault, issuer, issued = (page[name][:_SAID_CHARACTERS_MAX] for name in names[1:])
    return Verdict(standing, told, reason, fault, issuer, issued, notes=notes)
