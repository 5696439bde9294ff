"""Places: what a registry entry is said of, be it a product line, a lot of it, or one item."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from labels import gs1
from ledger.errors import MalformedError


class Level(StrEnum):
    """What a link or a place names."""

    ITEM = "item"
    LOT = "lot"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Place:
    """A GTIN of 14 digits, and at most one of a lot and a serial: GTIN and serial make an item one."""

    gtin: str
    lot: str = ""
    serial: str = ""

    @property
    def level(self) -> Level:
        """What it names."""
        return Level.ITEM if self.serial else Level.LOT if self.lot else Level.PRODUCT

    @property
    def link(self) -> gs1.DigitalLink:
        """Its GS1 Digital Link, without a signature."""
        return gs1.item(self.gtin, lot=self.lot or None, serial=self.serial or None)

    @property
    def words(self) -> str:
        """As a person reads it, with its GTIN: `GTIN 09506000134352, lot A1`."""
        return f"GTIN {self.gtin}" + (f", {self.short}" if self.level is not Level.PRODUCT else "")

    @property
    def short(self) -> str:
        """The same beside its GTIN: `lot A1`."""
        named = {Level.ITEM: f"serial {self.serial}", Level.LOT: f"lot {self.lot}"}
        return named.get(self.level, "this product")

    def entry(self) -> dict[str, Any]:
        """Its fields of a registry entry."""
        named = {"gtin": self.gtin, "lot": self.lot, "serial": self.serial}
        return {name: value for name, value in named.items() if value}

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """The place that an entry names, or MalformedError."""
        gtin, lot, serial = (entry.get(name, "") for name in ("gtin", "lot", "serial"))
        if not all(isinstance(value, str) for value in (gtin, lot, serial)) or (lot and serial):
            raise MalformedError("a place is a GTIN, and at most one of a lot and a serial, each a text")
        place = cls(gtin, lot, serial)
        try:
            link = place.link
        except gs1.Gs1Error as error:
            raise MalformedError(f"an entry of the catalogue is of no product: {error}") from error
        if link.gtin != gtin:
            raise MalformedError("a place's GTIN has 14 digits")
        return place


def chain(gtin: str, *, lot: str | None = None, serial: str | None = None) -> tuple[Place, ...]:
    """The places that say something of an item, a lot or a product, the highest first."""
    lots = (Place(gtin, lot=lot),) if lot else ()
    return (Place(gtin), *lots, *((Place(gtin, serial=serial),) if serial else ()))
