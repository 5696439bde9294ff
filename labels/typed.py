"""What a person writes of a product, a label or a pallet: read, or told what is wrong and how such a thing looks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from labels import gs1, words
from labels.address import page_link
from ledger.errors import UserError

_LIKE_SSCC = re.compile(r"\(00\)|[0-9]{17,19}$|00[0-9]{18}$")
_AI_OF_SSCC = re.compile(r"\(00\)|00(?=[0-9]{18}$)")
_DIGITS = re.compile("[0-9]+")
_GTIN_DIGITS = (8, 12, 13, 14)
_NO_GTIN_DIGITS = 16  # an element string has as many, if it begins with a GTIN
_CODE = "1 to 20 letters, digits and signs such as - . _ /, and no space"


def gtin_of(text: str) -> str:
    """A GTIN as a person writes it, with spaces or without, as 14 digits; UserError if it is none."""
    digits = text.replace(" ", "")
    if _DIGITS.fullmatch(digits) and len(digits) not in _GTIN_DIGITS:
        raise UserError(f"GTIN {text!r} has {_counted(digits)}", "its digits stand below a bar code, or behind (01)")
    with _asked(f"GTIN {text!r}", "a GTIN has 8, 12, 13 or 14 digits, as they stand below a bar code"):
        return gs1.item(digits).gtin or ""


def mistyped_gtin(text: str) -> str:
    """What is wrong with digits alone that a person may mean as a GTIN: their number; "" of any other text."""
    if not _DIGITS.fullmatch(text) or len(text) in _GTIN_DIGITS or len(text) >= _NO_GTIN_DIGITS:
        return ""
    return f"{text} is no GTIN: it has {_counted(text)}"


def code_of(text: str) -> gs1.DigitalLink:
    """The link that a person means: pasted whole, a GTIN, an SSCC, or AIs in brackets. Gs1Error or UserError if none.

    It is of something that has a page.
    """
    text = text.strip()
    if looks_like_sscc(text):
        return sscc_of(text)
    if _DIGITS.fullmatch(text.replace(" ", "")):
        return gs1.item(gtin_of(text))
    if text.startswith("("):
        text = gs1.link_of(gs1.read(text)).build(gs1.GS1_HOST)
    return page_link(text)


def lot_of(gtin: str, text: str) -> str:
    """A lot of `gtin`, as we write it: in upper case. UserError if it is none."""
    with _asked(f"lot {text!r}", f"a lot has {_CODE}"):
        gs1.item(gtin, lot=text)
    if text != text.upper():
        raise UserError(f"lot {text!r} is not in upper case", f"write {text.upper()!r}: case is easily lost by hand")
    return text


def product_of(gtin: str | None, lot: str | None) -> tuple[str | None, str | None]:
    """A product, and a lot of it, if they are named at all; UserError if one is none, or a lot is of no product."""
    if gtin is None:
        if lot is not None:
            raise UserError("a lot is of a product", "name the product as well, by its GTIN")
        return None, None
    checked = gtin_of(gtin)
    return checked, None if lot is None else lot_of(checked, lot)


def serial_of(gtin: str, text: str) -> gs1.DigitalLink:
    """The link of an item by its serial, without a signature; UserError if the serial is none."""
    with _asked(f"serial {text!r}", f"a serial has {_CODE}"):
        return gs1.item(gtin, serial=text)


def looks_like_sscc(text: str) -> bool:
    """Whether a person means an SSCC, perhaps a mistyped one: about 18 digits, or its AI, in brackets or not, first."""
    return _LIKE_SSCC.match(text.replace(" ", "")) is not None


def sscc_of(text: str) -> gs1.DigitalLink:
    """The link of a logistic unit by its SSCC, with or without its AI and spaces; UserError if it is none."""
    digits = _AI_OF_SSCC.sub("", text.replace(" ", ""), count=1)
    try:
        return gs1.sscc(digits)
    except gs1.Gs1Error as error:
        raise UserError(
            f"{text[:40]!r} is no SSCC: {words.mistake(error)}", "it has 18 digits, as they stand below its bar code"
        ) from error


def _counted(digits: str) -> str:
    return f"{words.plural(len(digits), 'digit')}, not 8, 12, 13 or 14"


@contextmanager
def _asked(what: str, hint: str) -> Iterator[None]:
    """Tell a person what is wrong with what they wrote, and how such a thing looks."""
    try:
        yield
    except gs1.Gs1Error as error:
        if error.rule is gs1.Rule.CHECK_DIGIT:
            hint = "the last digit of a GTIN is computed from the others"
            raise UserError(f"{what} has a wrong check digit", hint) from error
        raise UserError(f"{what} is not GS1's: {words.mistake(error)}", hint) from error
