"""Links: where more is said of a product, each by a link type of GS1's, and to https alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from labels.catalogue import fields
from labels.catalogue.link_types import TITLES
from ledger import names
from ledger.errors import MalformedError, UserError

HREF_CHARACTERS_MAX = 1000
_URI = re.compile(r"https://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")  # RFC 3986, 2
_LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")  # RFC 5646, 2.1, as far as pages have them
_MEDIA_TYPE = re.compile("[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")  # RFC 6838, 4.2


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its type in compact form, an https URI, a title, and perhaps the target's language and media type."""

    rel: str
    href: str
    title: str
    lang: str = ""
    media: str = ""

    @property
    def host(self) -> str:
        """Where it leads."""
        return urlsplit(self.href).netloc

    def entry(self) -> dict[str, str]:
        """As a registry entry has it."""
        said = {"rel": self.rel, "href": self.href, "title": self.title, "lang": self.lang, "type": self.media}
        return {name: value for name, value in said.items() if value}

    @classmethod
    def read(cls, entry: Any) -> Self:
        """Read it, or raise MalformedError."""
        if not isinstance(entry, Mapping) or not entry.keys() <= {"rel", "href", "title", "lang", "type"}:
            raise MalformedError("a link has rel, href and title, and perhaps lang and type")
        rel, lang, media = (fields.optional(entry.get(name), f"a link's {name}") for name in ("rel", "lang", "type"))
        if rel not in TITLES:
            raise MalformedError(f"{rel!r} is no link type of GS1's for a product, such as gs1:pip or gs1:instructions")
        if lang and not _LANGUAGE.fullmatch(lang):
            raise MalformedError(f"{lang!r} is no language, such as de or pt-BR")
        if media and not _MEDIA_TYPE.fullmatch(media):
            raise MalformedError(f"{media!r} is no media type, such as text/html")
        return cls(rel, href(entry.get("href")), fields.text(entry.get("title"), "a link's title", 120), lang, media)


def href(value: Any) -> str:
    """An https URI at a host that can be one, without a user's name or password in it; or MalformedError."""
    if not isinstance(value, str) or len(value) > HREF_CHARACTERS_MAX or not _URI.fullmatch(value):
        raise MalformedError(f"a link leads to https://, in at most {HREF_CHARACTERS_MAX} characters of a URI's")
    try:
        names.host(urlsplit(value).netloc)
    except (UserError, ValueError) as error:
        raise MalformedError("a link leads to a host by its name, and names no user") from error
    return value
