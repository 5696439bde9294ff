"""Recalls, and their lifting, as registry entries have them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from urllib.parse import urlsplit

from labels.catalogue import fields, link
from labels.catalogue.place import Place
from ledger.errors import MalformedError

ENTRY_TYPE, LIFTING_TYPE = "recall", "recall-lifting"
ADVICE_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Recall:
    """What is at a place must not be used: why, since which day (ISO 8601), what to do, and where more is said."""

    place: Place
    organisation: str
    reason: str
    since: str
    advice: str = ""
    href: str = ""

    @property
    def host(self) -> str:
        """Where its link leads."""
        return urlsplit(self.href).netloc

    def entry(self) -> dict[str, Any]:
        """The registry entry, as a map."""
        said = {"reason": self.reason, "since": self.since, "advice": self.advice, "href": self.href}
        head = {"type": ENTRY_TYPE, "organisation": self.organisation, **self.place.entry()}
        return head | {name: value for name, value in said.items() if value}

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Read a registry entry's map, or raise MalformedError."""
        if entry.get("type") != ENTRY_TYPE:
            raise MalformedError("not the entry of a recall")
        return cls(
            place=Place.read(entry),
            organisation=fields.text(entry.get("organisation"), "an organisation"),
            reason=fields.text(entry.get("reason"), "a recall's reason"),
            since=_day(entry.get("since")),
            advice=fields.optional(entry.get("advice"), "a recall's advice", ADVICE_CHARACTERS_MAX),
            href="" if entry.get("href") is None else link.href(entry["href"]),
        )


@dataclass(frozen=True, slots=True)
class Lifting:
    """What is at a place may be used again, and why."""

    place: Place
    organisation: str
    reason: str

    def entry(self) -> dict[str, Any]:
        """The registry entry, as a map."""
        head = {"type": LIFTING_TYPE, "organisation": self.organisation, **self.place.entry()}
        return head | {"reason": self.reason}

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Read a registry entry's map, or raise MalformedError."""
        if entry.get("type") != LIFTING_TYPE:
            raise MalformedError("not the entry of a recall's lifting")
        organisation = fields.text(entry.get("organisation"), "an organisation")
        return cls(Place.read(entry), organisation, fields.text(entry.get("reason"), "a lifting's reason"))


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(fields.text(value, "a recall's day", 10)).isoformat()
    except ValueError as error:
        raise MalformedError("a recall is since a day, such as 2026-11-26") from error
