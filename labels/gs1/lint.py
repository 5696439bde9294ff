"""What must hold inside a value, one function a rule, named as in GS1's Barcode Syntax Dictionary.

Each takes the component's text, whose characters and length are good, and returns a complaint or "".
"""

from collections.abc import Callable

from labels.gs1.errors import Gs1Error, Rule, excerpt
from ledger import gs1_key

_CSET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)


def check_digit(digits: str) -> str:
    """The digit that completes `digits` (GS1 General Specifications, 7.9.1): weights 3, 1, 3, … from the right.

    `digits` are those before the check digit: 13 of them for a GTIN-14, 17 for an SSCC. Gs1Error if any is none.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise Gs1Error(Rule.CHARACTER, f"{excerpt(digits)} is not made of digits")
    return gs1_key.check_digit(digits)


def csum(text: str) -> str:
    """The last digit is the check digit of the others."""
    right = gs1_key.check_digit(text[:-1])
    return "" if text[-1] == right else f"wrong check digit: {excerpt(text)} ends in {text[-1]}, not in {right}"


def csumalpha(text: str) -> str:
    """The last two characters check the others (GS1 General Specifications, 7.9.5)."""
    body, pair = text[:-2], text[-2:]
    total = sum(_CSET_82.index(c) * prime for c, prime in zip(reversed(body), _PRIMES, strict=False)) % 1021
    right = _CSET_32[total >> 5] + _CSET_32[total & 31]
    return "" if pair == right else f"wrong check characters: {excerpt(text)} ends in {pair}, not in {right}"


def gcppos1(text: str) -> str:
    """A company prefix, which is at least four digits, stands first."""
    head = text[:4]
    return "" if len(head) == 4 and head.isdigit() else f"{excerpt(text)} does not begin with a company prefix"


def zero(text: str) -> str:
    """Nothing but zeros."""
    return f"{excerpt(text)} must be 0" if text.strip("0") else ""


def nozeroprefix(text: str) -> str:
    """A number without leading zeros."""
    return f"{excerpt(text)} begins with a zero" if text[0] == "0" else ""


def pieceoftotal(text: str) -> str:
    """Piece number and total, in two halves: neither is zero, the first is not beyond the second."""
    half = len(text) // 2
    piece, total = int(text[:half]), int(text[half:])
    return "" if 0 < piece <= total else f"{piece} of {total} is no piece of a total"


def importeridx(text: str) -> str:
    """One character of the URL-safe base 64 alphabet."""
    return "" if text.isalnum() or text in "-_" else f"{excerpt(text)} is no importer index"


LINTS: dict[str, tuple[Rule, Callable[[str], str]]] = {
    "csum": (Rule.CHECK_DIGIT, csum),
    "csumalpha": (Rule.CHECK_PAIR, csumalpha),
    "gcppos1": (Rule.PREFIX, gcppos1),
    "zero": (Rule.ZERO, zero),
    "nozeroprefix": (Rule.ZERO, nozeroprefix),
    "pieceoftotal": (Rule.PIECE, pieceoftotal),
    "importeridx": (Rule.CHARACTER, importeridx),
}
