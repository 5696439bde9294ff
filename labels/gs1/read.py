"""Any of GS1's syntaxes, told apart by how a text begins."""

from collections.abc import Iterable
from enum import StrEnum

from labels.gs1 import bracketed, carrier, digital_link, element_string, gtin
from labels.gs1.elements import GS, Elements, of_fields
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.pairs import Field

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
    return of_fields(_fields(text))


def read_together(texts: Iterable[str]) -> Elements:
    """What several codes on one thing say together, such as those of a logistic label; or raise Gs1Error.

    What an AI needs may be in another code (GS1 General Specifications, 4.13). What two say alike is said once. The
    place of an error is one in the text that has the fault, which its AI tells.
    """
    found = [field for text in texts for field in _fields(text)]
    return Elements(tuple(dict.fromkeys(of_fields(found).pairs)))


def read_apart(texts: Iterable[str]) -> tuple[Elements, ...]:
    """What each of several codes on one thing says by itself, where they may stand there together; or Gs1Error."""
    found = [_fields(text) for text in texts]
    of_fields([field for fields in found for field in fields])
    return tuple(Elements(tuple((ai, value) for ai, value, _ in fields)) for fields in found)


def _fields(text: str) -> list[Field]:
    """The AIs of a message, all but their associations checked."""
    if not isinstance(text, str):
        raise Gs1Error(Rule.SYNTAX, f"a message is text, not {type(text).__name__}")
    match syntax_of(text):
        case Syntax.DIGITAL_LINK:
            return digital_link.fields(text)
        case Syntax.BRACKETED:
            return bracketed.fields(text)
        case Syntax.SCAN:
            return carrier.fields(text)
        case Syntax.GTIN:
            return gtin.fields(text, len(text), place=0)
        case Syntax.ELEMENT_STRING:
            fnc1 = _FNC1_WRITTEN if text.startswith(_FNC1_WRITTEN) else GS
            return element_string.fields(text, int(text.startswith(fnc1)), fnc1)
    raise Gs1Error(Rule.SYNTAX, f"{excerpt(text)} is neither a GS1 Digital Link, an element string nor a GTIN")
