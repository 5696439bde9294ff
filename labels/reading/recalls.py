"""What a trust bundle knows of recalls, for whoever reads labels offline. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from labels.catalogue.place import Place, chain
from ledger.registry import Recalled
from ledger.trust import text
from ledger.trust.bundle import TrustBundle


@dataclass(frozen=True, slots=True)
class KnownRecalls:
    """The recalls that stood when a bundle was issued, by place; `by_place` is None where it knows of none at all.

    `as_of` is that moment, as a person reads it.
    """

    as_of: str
    by_place: Mapping[Place, Recalled] | None

    @classmethod
    def of(cls, bundle: TrustBundle) -> Self:
        """Those of a bundle."""
        known = bundle.recalls
        by_place = None if known is None else {Place(*recalled.place): recalled for recalled in known}
        return cls(text.moment(bundle.issued_at), by_place)

    def standing(self, gtin: str, lot: str | None, serial: str | None) -> Recalled | None:
        """The recall of a product, of one lot of it or of an item of it: the widest, if there are several."""
        found = (self._at(place) for place in chain(gtin, lot=lot, serial=serial))
        return next((recalled for recalled in found if recalled is not None), None)

    def lots(self, gtin: str) -> list[Recalled]:
        """The recalls of single lots of a product."""
        return [recalled for place, recalled in (self.by_place or {}).items() if place.gtin == gtin and place.lot]

    def _at(self, place: Place) -> Recalled | None:
        return self.by_place.get(place) if self.by_place is not None else None
