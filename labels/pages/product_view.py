"""Making the part of a page that tells what the catalogue says. Pure."""

from collections.abc import Callable, Sequence

from labels import words
from labels.catalogue.limit import Limit
from labels.catalogue.link import Link
from labels.catalogue.link_types import TITLES
from labels.catalogue.place import Place
from labels.judgement import PERHAPS_RECALLED, RECALLED, Standing
from labels.pages.described import Described, Recalled, SaidOf
from labels.pages.page import LimitView, LinkView, ProductView, Proof, RecallView, SaidView
from labels.pages.verdicts import Checked

Prove = Callable[[str, Checked], Proof]


def headline(label: str, standing: Standing, recalls: Sequence[Recalled]) -> str:
    """What stands above all else: a recall; but of a label that is none, that is the first thing to know."""
    if not recalls or standing is Standing.PROBLEM:
        return label
    return PERHAPS_RECALLED if all(recalled.perhaps for recalled in recalls) else RECALLED


def product(
    described: Described, picture: tuple[int, int] | None, *, organisation: Callable[[str], str], prove: Prove
) -> ProductView:
    """What is said, as far as it verifies. `picture` is the size of the one that is here."""
    width, height = picture or (0, 0)
    return ProductView(
        name=described.name,
        text=described.text,
        picture=f"/picture/{described.picture.hex()}" if picture else "",
        width=width,
        height=height,
        lacks=bool(described.picture) and picture is None,
        links=tuple(_link(link, place) for link, place in described.links),
        limits=tuple(_limit(metric, *limited) for metric, limited in described.limits.items()),
        said=tuple(said(one, organisation=organisation, prove=prove) for one in described.said),
        below=tuple((place.short, place.link.canonical_path) for place in described.below),
    )


def said(one: SaidOf, *, organisation: Callable[[str], str], prove: Prove) -> SaidView:
    """An entry that says something."""
    description = one.entered.said
    proof = prove(f"{one.level} description", one.checked)
    return SaidView(one.level, description.place.short, organisation(description.organisation), proof)


def recall(recalled: Recalled, *, prove: Prove) -> RecallView:
    """A recall; also one whose entry does not verify is told, with that, but leads nowhere."""
    told = recalled.entered.said
    return RecallView(
        level=told.place.level,
        what=told.place.short,
        reason=told.reason,
        since=told.since,
        advice=told.advice,
        href=told.href if recalled.checked.verdict else "",
        host=told.host,
        perhaps=recalled.perhaps,
        proof=prove("recall", recalled.checked),
    )


def _link(link: Link, place: Place) -> LinkView:
    kind = TITLES[link.rel]
    return LinkView(link.rel, kind, link.title, link.href, link.host, link.lang, link.media, place.level)


def _limit(metric: str, limit: Limit, place: Place) -> LimitView:
    return LimitView(words.metric(metric), words.unit(limit.unit), limit.low, limit.high, place.level)
