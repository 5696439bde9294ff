"""What a code says: a label of ours, another GS1 message, a link to somewhere else, or something else. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from labels import gs1
from labels.address import signed
from labels.hidden.code import MARK
from labels.reading.code import Code
from labels.words import clipped, mistake

_OURS = re.compile(r"[?&]s=[0-9]{40,}")  # as it stands in a label that was changed or cut short, too
_MESSAGES = ("]C1", "]e0", "]d2", "]Q3", "]E0", "]E4", "]I1")  # which hold nothing but GS1's element strings


Titled = tuple[str, str, str]  # an AI, its title and its value


class Kind(StrEnum):
    """What sort of thing a code says."""

    LABEL = "label"  # a GS1 Digital Link with a signature as ours have, or what was one
    DIGITAL_LINK = "gs1-digital-link"
    UNIT = "logistic-unit"  # the Digital Link on a pallet's or a case's label
    HIDDEN = "hidden-code"  # what stands under a label's scratch field
    ELEMENTS = "gs1-elements"
    URL = "url"
    OTHER = "other"

    @property
    def is_label(self) -> bool:
        """Whether it is to be judged."""
        return self is Kind.LABEL

    @property
    def headline(self) -> str:
        """What a person is told that it is."""
        return _HEADLINES[self]


_HEADLINES = {
    Kind.LABEL: "A label",
    Kind.DIGITAL_LINK: "A GS1 Digital Link without a signature",
    Kind.UNIT: "A pallet's or a case's link: not signed, but its page has what is known of it",
    Kind.HIDDEN: "The code of a label's scratch field: open its link to redeem it, once",
    Kind.ELEMENTS: "GS1 data",
    Kind.URL: "A link that is not GS1's",
    Kind.OTHER: "Something that is not GS1's",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a code says. `elements` are (AI, title, value); `complaint` tells why it is not what it should be.

    `link` is there for a GS1 Digital Link that can be read, and names a product where `kind` is LABEL. `thing` is what
    the codes on the same thing say together, where one lacks what stands in another.
    """

    kind: Kind
    text: str
    link: gs1.DigitalLink | None = None
    elements: tuple[Titled, ...] = ()
    complaint: str = ""
    thing: tuple[Titled, ...] = ()

    @property
    def page(self) -> str:
        """The path of a label's page, with its signature, or of a unit's; "" for what has none."""
        if self.kind is Kind.UNIT and self.link is not None:
            return self.link.canonical_path
        if self.link is None or self.link.gtin is None or not self.kind.is_label:
            return ""
        return signed(self.link)

    @property
    def product(self) -> gs1.DigitalLink | None:
        """The product that it names, or that a pallet holds, with lot and serial where they are said of that thing."""
        own, thing = ({ai: value for ai, _, value in said} for said in (self.elements or self.thing, self.thing))
        gtin, said = own.get("01") or own.get("02"), thing | own
        try:
            return gs1.item(gtin, lot=said.get("10"), serial=said.get("21")) if gtin else None
        except gs1.Gs1Error:  # a lot or a serial that no link can name, nor a recall
            return gs1.item(gtin) if gtin else None


def say_all(codes: Sequence[Code]) -> list[Said]:
    """What the codes of one page say. What one of a pallet's symbols lacks may stand in another of them."""
    said = [say(code) for code in codes]
    symbols = [number for number, code in enumerate(codes) if code.symbology in _MESSAGES]
    if any(said[number].complaint for number in symbols):
        together = _together([codes[number] for number in symbols], [said[number] for number in symbols])
        for number, one in zip(symbols, together, strict=True):
            said[number] = one
    return said


def _together(codes: Sequence[Code], said: Sequence[Said]) -> list[Said]:
    """What symbols say that stand on one thing; where they cannot, each by itself."""
    if (apart := _apart(codes)) is not None:
        thing = tuple(dict.fromkeys(titled for elements in apart for titled in elements.titled))
        pairs = zip(codes, apart, strict=True)
        return [Said(Kind.ELEMENTS, code.text, None, elements.titled, "", thing) for code, elements in pairs]
    units = [code for code, one in zip(codes, said, strict=True) if any(ai == "00" for ai, _, _ in one.elements)]
    return [_on_some(units, code, one) for code, one in zip(codes, said, strict=True)]


def _on_some(units: Sequence[Code], code: Code, said: Said) -> Said:
    """What a symbol says that may be any of several pallets'."""
    apart = _apart([code, units[0]]) if units and said.complaint else None
    return said if apart is None else replace(said, thing=apart[0].titled)


def _apart(codes: Sequence[Code]) -> tuple[gs1.Elements, ...] | None:
    try:
        return gs1.read_apart(code.symbology + code.text for code in codes)
    except gs1.Gs1Error:
        return None


def say(code: Code) -> Said:
    """What a code says, whatever that is."""
    if code.symbology in _MESSAGES:
        return _message(code)
    if code.text[:8].lower().startswith(("http://", "https://")):
        return _link(code.text)
    return Said(Kind.OTHER, code.text)


def _message(code: Code) -> Said:
    try:
        return Said(Kind.ELEMENTS, code.text, None, gs1.read(code.symbology + code.text).titled)
    except gs1.Gs1Error as error:
        return Said(Kind.ELEMENTS, code.text, complaint=clipped(mistake(error)))


def _link(text: str) -> Said:
    is_ours = _OURS.search(text) is not None
    try:
        link = gs1.parse(text)
    except gs1.Gs1Error as error:
        is_gs1 = is_ours or error.rule is not gs1.Rule.NO_KEY
        kind = Kind.LABEL if is_ours else Kind.URL
        return Said(kind, text, complaint=clipped(mistake(error)) if is_gs1 else "")
    has_signature = link.gtin is not None and any(name == "s" for name, _ in link.query)
    kind = Kind.LABEL if is_ours or has_signature else _unsigned(link, text)
    complaint = "" if link.gtin is not None else "it names no product" if kind is Kind.LABEL else ""
    return Said(kind, text, link, link.elements.titled, complaint)


def _unsigned(link: gs1.DigitalLink, text: str) -> Kind:
    if link.sscc is not None:
        return Kind.UNIT
    return Kind.HIDDEN if link.gtin is not None and MARK in text else Kind.DIGITAL_LINK
