"""Whose GTINs are whose: the GS1 Company Prefixes that organisations declare.

A GS1 Company Prefix has 4 to 12 digits and begins a GTIN of 13 (GS1 General Specifications, 1.4.2); a GTIN that was
licensed singly is one of 13. A label key names GTINs of 14 digits, or what such ones begin with: behind the first
digit, the indicator, stands what a prefix begins. No two organisations' prefixes begin one GTIN.
"""

from collections.abc import Iterable, Mapping

DIGITS = range(4, 14)

Prefixes = Mapping[str, tuple[str, ...]]
"""What each organisation has declared, by its URI; who has declared nothing is not in it."""


def is_prefix(text: object) -> bool:
    """Whether it can be a GS1 Company Prefix, or a GTIN of 13 digits."""
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) in DIGITS


def owner(prefixes: Prefixes, part: str) -> str | None:
    """Who has declared a prefix that this GTIN of 14 digits, or what begins one, lies within."""
    digits = part[1:]
    return next((uri for uri, own in prefixes.items() if any(digits.startswith(one) for one in own)), None)


def overlapping(prefixes: Prefixes, organisation: str, begins: Iterable[str]) -> str | None:
    """Another organisation than this one that has declared a prefix of GTINs that begin so, of 13 digits each."""
    wanted = tuple(begins)
    return next((uri for uri, own in prefixes.items() if uri != organisation and _meet(own, wanted)), None)


def _meet(some: Iterable[str], others: tuple[str, ...]) -> bool:
    return any(one.startswith(other) or other.startswith(one) for one in some for other in others)


def doubt(prefixes: Prefixes, organisation: str, what: str) -> str:
    """What is to be said of `what` that is taken for the organisation's, if it has declared no prefix; or ""."""
    if organisation in prefixes:
        return ""
    told = f"{organisation} has declared no GS1 Company Prefix, so nothing shows that {what} is its own"
    return f"{told}: 'tallystick ledger register --organisation {organisation} --gs1-prefix DIGITS' declares it"


def complaint(prefixes: Prefixes, organisation: str, gtins: Iterable[str]) -> str | None:
    """Why the organisation's labels cannot be of these GTINs of 14 digits, or of what they begin with; or None."""
    own = prefixes.get(organisation)
    for part in gtins:
        if own is not None and not any(part[1:].startswith(one) for one in own):
            return f"{part} is not of {organisation}: its GS1 Company Prefixes are {', '.join(own)}"
        if other := overlapping(prefixes, organisation, [part[1:]]):
            return f"{part} is not of {organisation}: {other} has declared its GS1 Company Prefix"
    return None
