"""Any of GS1's syntaxes, told apart by how a text begins."""

from collections.abc import Callable
from enum import StrEnum

from labels.gs1 import bracketed, carrier, digital_link, element_string, gtin
from labels.gs1.elements import GS, Elements
from labels.gs1.errors import Gs1Error, Rule, excerpt

_FNC1_WRITTEN = "^"


class Syntax(StrEnum):
    """How a message is written."""

    DIGITAL_LINK = "digital link"
    ELEMENT_STRING = "element string"
    BRACKETED = "bracketed element string"
    SCAN = "symbology identifier"
    GTIN = "gtin"


def syntax_of(text: str) -> Syntax | None:
    """The one syntax that `text` can be of, or None.

    8, 12, 13 or 14 digits alone are a GTIN, as people type it; an element string of so few says nothing by itself.
    """
    if text[:7].lower() == "http://" or text[:8].lower() == "https://":
        return Syntax.DIGITAL_LINK
    if text.startswith("("):
        return Syntax.BRACKETED
    if text.startswith("]"):
        return Syntax.SCAN
    if text.isascii() and text.isdigit() and len(text) in gtin.LENGTHS:
        return Syntax.GTIN
    return Syntax.ELEMENT_STRING if text[:1] in {*"0123456789", GS, _FNC1_WRITTEN} else None


def read(text: str) -> Elements:
    """What `text` says, in whichever of GS1's syntaxes; or raise Gs1Error and nothing else, whatever `text` is.

    A Digital Link (compressed or not), an element string as readers transmit it, with or without symbology identifier
    (FNC1 as GS, or written ^ if the text begins with it), one in brackets, or a GTIN.
    """
    if not isinstance(text, str):
        raise Gs1Error(Rule.SYNTAX, f"a message is text, not {type(text).__name__}")
    syntax = syntax_of(text)
    if syntax is None:
        raise Gs1Error(Rule.SYNTAX, f"{excerpt(text)} is neither a GS1 Digital Link, an element string nor a GTIN")
    return _PARSERS[syntax](text)


def _link(text: str) -> Elements:
    return digital_link.parse(text).elements


def _element_string(text: str) -> Elements:
    return element_string.parse(text, fnc1=_FNC1_WRITTEN if text.startswith(_FNC1_WRITTEN) else GS)


_PARSERS: dict[Syntax, Callable[[str], Elements]] = {
    Syntax.DIGITAL_LINK: _link,
    Syntax.ELEMENT_STRING: _element_string,
    Syntax.BRACKETED: bracketed.parse,
    Syntax.SCAN: carrier.parse,
    Syntax.GTIN: gtin.parse,
}
