"""What must hold inside a value: the linters, by their names in GS1's Barcode Syntax Dictionary.

Each takes a component's text, which is not empty and whose characters and length are good, and returns what is wrong
with it, or None.
"""

from collections.abc import Callable
from typing import TypeAlias

from labels.gs1 import lint_codes, lint_coupons, lint_dates, lint_keys, lint_numbers
from labels.gs1.errors import Fault, Gs1Error, Rule, excerpt
from ledger import gs1_key

Lint: TypeAlias = Callable[[str], Fault | None]


def check_digit(digits: str) -> str:
    """The digit that completes `digits` (GS1 General Specifications, 7.9.1): weights 3, 1, 3, … from the right.

    `digits` are those before the check digit: 13 of them for a GTIN-14, 17 for an SSCC. Gs1Error if any is none.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise Gs1Error(Rule.CHARACTER, f"{excerpt(digits)} is not made of digits")
    return gs1_key.check_digit(digits)


def _named(*lints: Lint) -> dict[str, Lint]:
    return {lint.__name__: lint for lint in lints}


LINTS: dict[str, Lint] = {
    **_named(lint_keys.csum, lint_keys.csumalpha, lint_keys.gcppos1, lint_keys.gcppos2),
    **_named(lint_numbers.zero, lint_numbers.nonzero, lint_numbers.nozeroprefix, lint_numbers.hasnondigit),
    **_named(lint_numbers.hyphen, lint_numbers.pieceoftotal, lint_numbers.posinseqslash, lint_numbers.cset64),
    **_named(lint_numbers.latitude, lint_numbers.longitude, lint_numbers.importeridx),
    **_named(lint_dates.yymmd0, lint_dates.yymmdd, lint_dates.yyyymmdd),
    **_named(lint_dates.hh, lint_dates.mi, lint_dates.ss, lint_dates.hhmi),
    **_named(lint_codes.iso3166, lint_codes.iso3166999, lint_codes.iso3166alpha2, lint_codes.iso4217),
    **_named(lint_codes.iso5218, lint_codes.yesno, lint_codes.winding, lint_codes.mediatype, lint_codes.packagetype),
    **_named(lint_codes.iban, lint_codes.pcenc),
    **_named(lint_coupons.couponcode, lint_coupons.couponposoffer),
}
