"""The catalogue: what is said of a product, a lot or an item, and what is recalled. It changes no key.

What the rules ask is whose product it is and what place is named; the rest is for whoever shows it to read.
"""

from typing import Any

from ledger.errors import MalformedError, RegistryError
from ledger.registry import fields, prefixes
from ledger.registry.state import Recalled, State


def product(registry: State, entry: dict[str, Any], index: int) -> None:
    """A name, a picture, links, limits: of a product, or of one lot or item of it. A later entry takes its stead."""
    _require_place(registry, entry)


def recall(registry: State, entry: dict[str, Any], index: int) -> None:
    """What is at the place must not be used."""
    place = _require_place(registry, entry)
    reason, since = fields.text(entry, "reason"), fields.text(entry, "since")
    registry.recalls[place] = Recalled(*place, entry["organisation"], reason, since, index)


def recall_lifting(registry: State, entry: dict[str, Any], index: int) -> None:
    """It may be used again."""
    place = _require_place(registry, entry)
    fields.text(entry, "reason")
    registry.recalls.pop(place, None)


def _require_place(registry: State, entry: dict[str, Any]) -> tuple[str, str, str]:
    """The place that an entry is of, by GTIN, lot and serial, if its organisation may say something of it."""
    organisation, gtin = fields.text(entry, "organisation"), fields.text(entry, "gtin")
    if organisation not in registry.organisations:
        raise RegistryError(f"organisation {organisation} is not registered")
    if not (len(gtin) == 14 and gtin.isascii() and gtin.isdigit()):
        raise RegistryError("a product has a GTIN of 14 digits")
    if complaint := prefixes.complaint(registry.prefixes, organisation, [gtin]):
        raise RegistryError(complaint)
    below = [name for name in ("lot", "serial") if name in entry]
    if len(below) > 1:
        raise MalformedError("a place is a product, a lot of it or an item of it")
    lot, serial = (fields.text(entry, name) if name in entry else "" for name in ("lot", "serial"))
    return gtin, lot, serial
