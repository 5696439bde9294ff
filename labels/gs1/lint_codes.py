"""Linters of codes: from a list, or with a form of their own."""

import re

from labels.gs1.errors import Fault, Rule, excerpt
from labels.gs1.syntax_dictionary import CODE_LISTS

_IBAN = range(11, 35)
_NOT_OF_IBAN = re.compile(r"[^0-9A-Z]")
_NOT_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def iso3166(text: str) -> Fault | None:
    """A country's number."""
    return _listed(text, "iso3166", "no country (ISO 3166-1 numeric)")


def iso3166999(text: str) -> Fault | None:
    """A country's number, or 999."""
    return None if text == "999" else iso3166(text)


def iso3166alpha2(text: str) -> Fault | None:
    """A country's two letters."""
    return _listed(text, "iso3166alpha2", "no country (ISO 3166-1 alpha-2)")


def iso4217(text: str) -> Fault | None:
    """A currency's number."""
    return _listed(text, "iso4217", "no currency (ISO 4217 numeric)")


def iso5218(text: str) -> Fault | None:
    """A biological sex: unknown, male, female, not applicable."""
    return _one_of(text, "0129", "no sex (ISO/IEC 5218)")


def yesno(text: str) -> Fault | None:
    """No or yes."""
    return _one_of(text, "01", "neither 0, no, nor 1, yes")


def winding(text: str) -> Fault | None:
    """A roll's winding: face out, face in, undefined."""
    return _one_of(text, "019", "no winding direction")


def mediatype(text: str) -> Fault | None:
    """An AIDC media type."""
    return _listed(text, "mediatype", "no AIDC media type")


def packagetype(text: str) -> Fault | None:
    """A package type."""
    return _listed(text, "packagetype", "no package type")


def iban(text: str) -> Fault | None:
    """An international bank account number (ISO 13616): country, two check digits, account; modulo 97 it is 1."""
    if len(text) >= 4 and text[:2] not in CODE_LISTS["iso3166alpha2"]:
        return Fault(Rule.IBAN, f"{excerpt(text)} does not begin with a country")
    if len(text) not in _IBAN:
        return Fault(Rule.IBAN, f"{excerpt(text)} has {len(text)} characters instead of 11 to 34")
    if wrong := _NOT_OF_IBAN.search(text, 4) or _NOT_OF_IBAN.search(text):
        return Fault(Rule.IBAN, f"{excerpt(wrong[0])} cannot stand in an IBAN", wrong.start())
    if int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 != 1:
        return Fault(Rule.IBAN, f"{excerpt(text)} has wrong check digits", 2)
    return None


def pcenc(text: str) -> Fault | None:
    """Any text, percent-encoded: each % begins two hexadecimal digits."""
    if wrong := _NOT_AN_ESCAPE.search(text):
        return Fault(Rule.ENCODING, "% is not followed by two hexadecimal digits", wrong.start())
    return None


def _listed(text: str, name: str, complaint: str) -> Fault | None:
    return None if text in CODE_LISTS[name] else Fault(Rule.CODE, f"{excerpt(text)} is {complaint}")


def _one_of(text: str, codes: str, complaint: str) -> Fault | None:
    return None if len(text) == 1 and text in codes else Fault(Rule.CODE, f"{excerpt(text)} is {complaint}")
