"""Descriptions: a place's name, words, picture, links and limits, as a registry entry has them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from labels.catalogue import fields
from labels.catalogue.limit import Limit, read_limits
from labels.catalogue.link import Link
from labels.catalogue.place import Place
from ledger.errors import MalformedError

ENTRY_TYPE = "product"
NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, LINKS_MAX = 120, 1000, 30


@dataclass(frozen=True, slots=True)
class Description:
    """What is said of a place; what is empty is not said here. `picture` is a SHA-256, and the picture its content.

    `organisation` is the URI of whose product it is.
    """

    place: Place
    organisation: str
    name: str = ""
    text: str = ""
    picture: bytes = b""
    links: tuple[Link, ...] = ()
    limits: Mapping[str, Limit] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        """The registry entry, as a map."""
        said = {
            "name": self.name,
            "text": self.text,
            "picture": self.picture,
            "links": [link.entry() for link in self.links],
            "limits": {metric: limit.entry() for metric, limit in self.limits.items()},
        }
        head = {"type": ENTRY_TYPE, "organisation": self.organisation, **self.place.entry()}
        return head | {name: value for name, value in said.items() if value}

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Read a registry entry's map, or raise MalformedError."""
        if entry.get("type") != ENTRY_TYPE:
            raise MalformedError("not the entry of a product")
        links = tuple(map(Link.read, fields.sequence(entry.get("links"), "links", LINKS_MAX)))
        return cls(
            place=Place.read(entry),
            organisation=fields.text(entry.get("organisation"), "an organisation"),
            name=fields.optional(entry.get("name"), "a name", NAME_CHARACTERS_MAX),
            text=fields.optional(entry.get("text"), "a description", TEXT_CHARACTERS_MAX),
            picture=_picture(entry.get("picture")),
            links=links,
            limits=read_limits(entry.get("limits")),
        )


def _picture(value: Any) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, bytes) or len(value) != 32:
        raise MalformedError("a picture is named by its SHA-256, 32 bytes")
    return value
