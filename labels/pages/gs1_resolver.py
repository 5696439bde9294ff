"""What makes the label service a resolver by GS1's standard (GS1-Conformant Resolver 1.2), beside its pages.

Where a redirect leads, a registry entry of the operator's says and nothing else: of the request only the link type
and the languages choose among what is signed. It departs from the standard in two things: a label's signature is not
handed on (2.12), and binary EPCs are not read (2.3).
"""

from dataclasses import replace
from urllib.parse import unquote

from fastapi import Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from labels import gs1
from labels.address import signed
from labels.catalogue.link_types import PREFIX, VOCABULARY, relation
from labels.pages import linkset
from labels.pages.described import Described
from labels.pages.resolve import Resolver

LINK_TYPE = "linkType"
_ALL = ("linkset", "all")  # "all" is what the standard called it before 1.1
_OPEN = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_NOT_HANDED_ON = "s"  # who has a label's signature can print its copy


class Gs1Resolver:
    """Answers what a link's page does not."""

    def __init__(self, resolver: Resolver, host: str) -> None:
        self._resolver, self._root = resolver, f"https://{host}"

    def answer(self, request: Request, link: gs1.DigitalLink) -> Response | None:
        """A linkset or a redirect, if the request asks for one; None if it asks for the page.

        Raises HTTPException if there is no such link, or if the request asks for two.
        """
        asked = [unquote(value) for name, value in link.query if name == LINK_TYPE]
        if len(asked) > 1:
            raise HTTPException(400, "The link asks for more than one link type.")
        if asked[:1] in ([name] for name in _ALL) or _accepts_linkset(request):
            return self._linkset(link)
        return self._redirect(request, link, relation(asked[0])) if asked else None

    def description(self) -> Response:
        """What resolver this is (section 3 of the standard)."""
        document = {
            "name": f"Tallystick, {self._root}",
            "resolverRoot": self._root,
            "supportedPrimaryKeys": ["00", "01"],
            "supportedLinkType": [{"namespace": VOCABULARY, "prefix": PREFIX}],
            "linkTypeDefaultCanBeLinkset": False,
            "jsonLdContextLocation": linkset.CONTEXT,
        }
        return JSONResponse(document, headers=_OPEN | {"cache-control": "max-age=3600"})

    def _linkset(self, link: gs1.DigitalLink) -> Response:
        described = self._resolver.described(link)
        if described is None:
            raise HTTPException(404, f"Nothing is known here of this {_noun(link)}.")
        document = linkset.document(link, described, root=self._root, page=self._page(link))
        context = f'<{linkset.CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
        headers = _OPEN | {"vary": "accept", "cache-control": "no-store", "link": context}
        return JSONResponse(document, headers=headers, media_type=linkset.MEDIA_TYPE)

    def _redirect(self, request: Request, link: gs1.DigitalLink, rel: str) -> Response | None:
        described = self._resolver.described(link) or Described()
        found = linkset.chosen(described, rel, request.headers.get("accept-language", ""))
        if found is not None:
            headers = _OPEN | {"vary": "accept, accept-language", "cache-control": "no-store"}
            return RedirectResponse(_with_query(found.href, link), 307, headers)
        if rel in linkset.OWN:
            return None
        known = ", ".join(dict.fromkeys(one.rel for one, _ in described.links)) or "none"
        told = f"There is no link of the type that is asked for. Known of this {_noun(link)}: {known}."
        raise HTTPException(404, told)

    def _page(self, link: gs1.DigitalLink) -> str:
        """The address of the link's page here, with its label if it carries one."""
        return f"{self._root}{signed(link)}"


def options() -> Response:
    """The answer to OPTIONS (section 2.2): who may ask, from anywhere, and how."""
    allowed = {"access-control-allow-methods": "GET, HEAD, OPTIONS", "access-control-allow-headers": "accept"}
    return Response(status_code=204, headers=_OPEN | allowed | {"allow": "GET, HEAD, OPTIONS"})


def _noun(link: gs1.DigitalLink) -> str:
    return "product" if link.sscc is None else "unit"


def _accepts_linkset(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return linkset.MEDIA_TYPE in accept and "text/html" not in accept


def _with_query(href: str, link: gs1.DigitalLink) -> str:
    """Where to go, with what stood in the request's query (2.12), but for the label's signature."""
    kept = tuple(pair for pair in link.query if pair[0] != _NOT_HANDED_ON)
    query = replace(link, query=kept).build(gs1.GS1_HOST).partition("?")[2]
    if not query:
        return href
    head, hash_sign, fragment = href.partition("#")
    return f"{head}{'&' if '?' in head else '?'}{query}{hash_sign}{fragment}"
