"""What is said of a code that is no label of ours, but names a product: that this is recalled, if it is. Pure.

Nothing in such a code says whether it is genuine: anybody can print it. What it names may be recalled all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from labels import gs1
from labels.catalogue.catalogue import Catalogue
from labels.judgement import RECALLED, Standing
from labels.reading.answered import said_by
from labels.reading.recalls import KnownRecalls
from labels.reading.verdict import LOOK, Verdict, look_at, no_verdict, why

_BELOW_MAX, _PATH_CHARACTERS_MAX = 50, 500  # of what a service says is recalled of a product


def by_trust(link: gs1.DigitalLink, known: KnownRecalls, *, what: str, by: str) -> Verdict | None:
    """By the recalls of a trust bundle: of the product, lot or item that `link` names; None if it has none.

    `what` is what the code is, in words.
    """
    gtin = link.gtin or ""
    recalled = known.standing(gtin, link.lot, link.serial)
    sure = [why(recalled.since, recalled.reason)] if recalled is not None else []
    return _told(link, sure, [one.lot for one in known.lots(gtin)], what, by)


def by_ledger(link: gs1.DigitalLink, catalogue: Catalogue, *, what: str, by: str) -> Verdict | None:
    """The same by what a ledger says of products."""
    gtin = link.gtin or ""
    recalls = catalogue.recalls_of(gtin, link.lot, link.serial)
    sure = [why(entered.said.since, entered.said.reason) for entered in recalls]
    return _told(link, sure, [place.lot for place in catalogue.recalled_below(gtin) if place.lot], what, by)


def by_service(page: Any, link: gs1.DigitalLink, checked: Verdict | None, *, what: str, by: str) -> Verdict | None:
    """The same by a label service's page, whatever that is, besides what was `checked` by a trust bundle."""
    said = said_by(page)
    if said is None:
        base = checked or _verdict(what, what, by)
        return replace(base, notes=(*base.notes, no_verdict(by)))
    if checked is not None and checked.recalled:
        return checked
    sure = [f"RECALLED: {by}{link.canonical_path} says why"] if said.recalled else []
    told = _told(link, sure, list(islice(_lots_below(page), _BELOW_MAX)), what, by)
    return told if told is not None and (told.recalled or checked is None) else checked


def _told(link: gs1.DigitalLink, sure: Sequence[str], lots: Sequence[str], what: str, by: str) -> Verdict | None:
    """The verdict by the notes of recalls of what a link names, and by the recalled lots of its product."""
    if sure:
        return replace(_verdict(RECALLED, what, by), notes=tuple(sure), recalled=True)
    if lots and not link.lot:
        return replace(_verdict(LOOK, what, by), notes=(look_at(lots),), recalled_lots=tuple(lots))
    return None


def _verdict(headline: str, what: str, by: str) -> Verdict:
    return Verdict(Standing.NO_CLAIM, headline, f"{what}. Nothing in it says whether it is genuine.", by=by)


def _lots_below(page: Any) -> Iterator[str]:
    """The recalled lots that a product's page names, by the paths of their pages."""
    match page:
        case {"described": {"below": [*places]}}:
            for place in places:
                if isinstance(place, list) and len(place) == 2 and (lot := _lot(place[1])):
                    yield lot


def _lot(path: Any) -> str | None:
    if not isinstance(path, str) or len(path) > _PATH_CHARACTERS_MAX:
        return None
    try:
        return gs1.parse(f"https://{gs1.GS1_HOST}{path}").lot
    except gs1.Gs1Error:
        return None
