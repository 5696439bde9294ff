"""Linters of GS1 keys: check digits, check characters, and the company prefix that a key begins with."""

from labels.gs1.errors import Fault, Rule, excerpt
from ledger import gs1_key

_CSET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_PREFIX_DIGITS_MIN = 4


def csum(text: str) -> Fault | None:
    """The last digit is the check digit of the others."""
    right = gs1_key.check_digit(text[:-1])
    if text[-1] == right:
        return None
    complaint = f"wrong check digit: {excerpt(text)} ends in {text[-1]}, not in {right}"
    return Fault(Rule.CHECK_DIGIT, complaint, len(text) - 1)


def csumalpha(text: str) -> Fault | None:
    """The last two characters check the others, at most 23 (GS1 General Specifications, 7.9.5)."""
    body, pair = text[:-2], text[-2:]
    if len(pair) < 2:
        return Fault(Rule.CHECK_PAIR, f"{excerpt(text)} is too short to end in two check characters")
    total = sum(_CSET_82.index(c) * prime for c, prime in zip(reversed(body), _PRIMES, strict=False)) % 1021
    right = _CSET_32[total >> 5] + _CSET_32[total & 31]
    if pair == right:
        return None
    return Fault(Rule.CHECK_PAIR, f"wrong check characters: {excerpt(text)} ends in {pair}, not in {right}", len(body))


def gcppos1(text: str) -> Fault | None:
    """A company prefix, which is at least four digits, stands first."""
    head = text[:_PREFIX_DIGITS_MIN]
    if len(head) == _PREFIX_DIGITS_MIN and head.isdigit():
        return None
    at = next((at for at, char in enumerate(head) if not char.isdigit()), 0) if len(head) == 4 else 0
    return Fault(Rule.PREFIX, f"{excerpt(text)} does not begin with a company prefix", at)


def gcppos2(text: str) -> Fault | None:
    """A company prefix stands behind the first character, which is an indicator or extension digit."""
    fault = gcppos1(text[1:])
    return fault and Fault(Rule.PREFIX, f"{excerpt(text)} has no company prefix behind its first digit", fault.at + 1)
