"""A product's or a unit's links for machines: as a linkset (RFC 9264, 4.2), and the one that is asked for. Pure.

GS1-Conformant Resolver 1.2: a linkset has the links of the product, lot or item that is asked for and of all above it
(2.5.9); its default link is the page with the proven history.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from labels import gs1
from labels.address import as_json
from labels.catalogue import link_types
from labels.catalogue.link import Link
from labels.catalogue.link_types import RECALL_STATUS, TRACEABILITY
from labels.catalogue.place import Place
from labels.pages.described import Described, Recalled

MEDIA_TYPE = "application/linkset+json"
CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
OWN = ("gs1:defaultLink", TRACEABILITY, RECALL_STATUS)  # what the page itself answers, where no link does
_TITLE = "Proven history"


def document(link: gs1.DigitalLink, described: Described, *, root: str, page: str) -> dict[str, Any]:
    """The linkset of a link, whose page is at the URL `page`; `root` is the resolver's, such as https://id.example.com.

    Links and recalls stand with what they are said of: the first context is what was asked for. A logistic unit has its
    page alone.
    """
    if link.sscc is not None:
        unit: dict[str, Any] = {"anchor": root + link.canonical_path}
        _add_page(unit, page, _TITLE)
        return {"linkset": [unit]}
    place = Place(link.gtin or "", "" if link.serial else link.lot or "", link.serial or "")
    places = dict.fromkeys([place, *_places(described)])
    return {"linkset": [_context(one, described, root, page if one == place else "") for one in places]}


def chosen(described: Described, rel: str, accept_language: str) -> Link | None:
    """The link of a type: the lowest place's, in the language that the asker likes best, else one without a language.

    None if there is no link of that type.
    """
    links = [link for link, _ in described.links if link.rel == rel]
    wanted = languages(accept_language)
    return min(links, key=lambda link: _rank(link.lang, wanted), default=None)


def languages(accept_language: str) -> list[str]:
    """The languages of an Accept-Language header, in lower case, the best first (RFC 9110, 12.5.4)."""
    weighed = []
    for part in accept_language[:500].split(","):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if tag.strip() and weight > 0:
            weighed.append((-weight, tag.strip().lower()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _rank(lang: str, wanted: Sequence[str]) -> float:
    """How far down a language stands in the list (RFC 4647, 3.4: pt-BR takes pt); none is behind all, another last."""
    for place, tag in enumerate(wanted):
        if lang and (tag == lang.lower() or tag.startswith(f"{lang.lower()}-")):
            return place
    return len(wanted) + (1 if lang else 0)


def _places(described: Described) -> Iterable[Place]:
    yield from (one.place for one in described.proven)
    yield from (one.entered.said.place for one in reversed(described.recalls))


def _context(place: Place, described: Described, root: str, page: str) -> dict[str, Any]:
    """What is said of one place; of what was asked for also where its page is."""
    said = next((one for one in described.proven if one.place == place), None)
    context: dict[str, Any] = {"anchor": root + place.link.canonical_path}
    name = (said.name if said else "") or (described.name if page else "")
    if name:
        context["description"] = name
    if page:
        _add_page(context, page, name or _TITLE)
    for link in said.links if said else ():
        _add(context, link.rel, _target(link))
    for recalled in described.recalls:
        if recalled.entered.said.place == place:
            _add(context, RECALL_STATUS, _recall(recalled, page or root + place.link.canonical_path))
    return context


def _add_page(context: dict[str, Any], page: str, title: str) -> None:
    context[link_types.DEFAULT_LINK] = [{"href": page, "title": title}]
    _add(context, TRACEABILITY, {"href": page, "title": _TITLE, "type": "text/html"})
    _add(context, TRACEABILITY, {"href": as_json(page), "title": _TITLE, "type": "application/json"})


def _add(context: dict[str, Any], rel: str, target: dict[str, Any]) -> None:
    context.setdefault(link_types.uri(rel), []).append(target)


def _target(link: Link) -> dict[str, Any]:
    language = {"hreflang": [link.lang]} if link.lang else {}
    return {"href": link.href, "title": link.title, **language, **({"type": link.media} if link.media else {})}


def _recall(recalled: Recalled, page: str) -> dict[str, Any]:
    recall = recalled.entered.said
    href = recall.href if recall.href and recalled.checked.verdict else page
    return {"href": href, "title": f"Recalled since {recall.since}: {recall.reason}"}
