"""The catalogue as a fold over registry entries: of each place the newest description, and the recall that stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from labels.catalogue import description, recall
from labels.catalogue.description import Description
from labels.catalogue.place import Place, chain
from labels.catalogue.recall import Lifting, Recall

Said = TypeVar("Said", Description, Recall)


@dataclass(frozen=True, slots=True)
class Entered(Generic[Said]):
    """What a registry entry says, and which one it is. `issued_at` is in seconds since 1970."""

    said: Said
    index: int
    statement_hash: bytes
    issued_at: int

    @property
    def moment(self) -> datetime:
        """When it was said."""
        return datetime.fromtimestamp(self.issued_at, UTC)


@dataclass
class Catalogue:
    """What is said by now."""

    descriptions: dict[Place, Entered[Description]] = field(default_factory=dict)
    recalls: dict[Place, Entered[Recall]] = field(default_factory=dict)

    def copy(self) -> "Catalogue":
        """One of its own that goes on from here."""
        return Catalogue(dict(self.descriptions), dict(self.recalls))

    def take(self, entry: Mapping[str, Any], *, index: int, statement_hash: bytes, issued_at: int) -> None:
        """Take a registry entry, if it is one of the catalogue's; MalformedError if it cannot be read."""
        if entry["type"] == description.ENTRY_TYPE:
            product = Description.read(entry)
            self.descriptions[product.place] = Entered(product, index, statement_hash, issued_at)
        elif entry["type"] == recall.ENTRY_TYPE:
            recalled = Recall.read(entry)
            self.recalls.pop(recalled.place, None)  # so that the newest comes last
            self.recalls[recalled.place] = Entered(recalled, index, statement_hash, issued_at)
        elif entry["type"] == recall.LIFTING_TYPE:
            self.recalls.pop(Lifting.read(entry).place, None)

    def described(self, *places: Place) -> tuple[Entered[Description], ...]:
        """What is said of these places, in their order."""
        return tuple(self.descriptions[place] for place in places if place in self.descriptions)

    def has_picture(self, sha256: bytes) -> bool:
        """Whether some place has this picture."""
        return any(entered.said.picture == sha256 for entered in self.descriptions.values())

    def recalled(self, gtin: str, lot: str | None = None, serial: str | None = None) -> Entered[Recall] | None:
        """The recall that stands of a product, of one lot of it or of an item of it: the widest, if there are several.

        A recall of the product is one of all its lots, and a lot's is one of the items in it.
        """
        return next(iter(self.recalls_of(gtin, lot, serial)), None)

    def recalls_of(self, gtin: str, lot: str | None = None, serial: str | None = None) -> list[Entered[Recall]]:
        """The recalls that stand of a product, of one lot of it and of an item of it, the widest first."""
        found = (self.recalls.get(place) for place in chain(gtin, lot=lot, serial=serial))
        return [entered for entered in found if entered is not None]

    def recalled_below(self, gtin: str) -> list[Place]:
        """The lots and items of a product that are recalled by themselves, the newest last."""
        return [place for place in self.recalls if place.gtin == gtin and place != Place(gtin)]
