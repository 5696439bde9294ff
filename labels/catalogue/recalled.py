"""Refusing labels of what is recalled. Pure."""

from labels.catalogue.catalogue import Catalogue
from ledger.errors import UserError


def require_not_recalled(
    catalogue: Catalogue,
    gtin: str,
    lot: str | None,
    serial: str | None = None,
    *,
    refusal: type[UserError] = UserError,
) -> None:
    """Raise `refusal` if a product, its lot or an item of it is recalled."""
    if recalled := catalogue.recalled(gtin, lot, serial):
        raise refusal(
            f"{recalled.said.place.words} is recalled: {recalled.said.reason} (registry entry {recalled.index})",
            "no label of it is issued or printed; 'tallystick labels recall --lift' takes a recall back",
        )
