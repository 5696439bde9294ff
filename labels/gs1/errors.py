"""The one error of the GS1 parsers."""

from enum import StrEnum
from typing import NamedTuple

from ledger.errors import OutsideError


class Rule(StrEnum):
    """What was broken. The value is also a metric's label."""

    # The text as a whole.
    SYNTAX = "syntax"
    CARRIER = "carrier"
    BRACKET = "bracket"
    URI = "uri"
    SCHEME = "scheme"
    HOST = "host"
    NO_KEY = "no-key"
    ENCODING = "encoding"
    DOT = "dot-segment"
    # Which application identifiers it holds, and in which order.
    UNKNOWN_AI = "unknown-ai"
    SEQUENCE = "sequence"
    NOT_ATTRIBUTE = "not-attribute"
    DUPLICATE = "duplicate"
    DIFFERENT = "different"
    MISSING = "missing"
    EXCLUDED = "excluded"
    # A value.
    EMPTY = "empty"
    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check-digit"
    CHECK_PAIR = "check-pair"
    PREFIX = "company-prefix"
    ZERO = "zero"
    PIECE = "piece-of-total"
    DATE = "date"
    TIME = "time"
    RANGE = "range"
    CODE = "code"
    IBAN = "iban"
    COUPON = "coupon"


class Fault(NamedTuple):
    """What is wrong with a part of a text, and the offset in that part, in characters, at which it begins."""

    rule: Rule
    complaint: str
    at: int = 0


class Gs1Error(OutsideError):
    """A text is not GS1's.

    `ai` is the application identifier at fault, or None if the fault is outside any; `place` is the offset in
    the text, in characters, at which the faulty part begins.
    """

    def __init__(self, rule: Rule, complaint: str, *, ai: str | None = None, place: int = 0) -> None:
        whose = f"({ai}): " if ai else ""
        super().__init__(f"{whose}{complaint} (at character {place + 1})")
        self.rule = rule
        self.complaint = complaint
        self.ai = ai
        self.place = place

    def moved(self, by: int) -> "Gs1Error":
        """This error of a text that begins `by` characters into another."""
        return Gs1Error(self.rule, self.complaint, ai=self.ai, place=self.place + by)


def excerpt(text: str) -> str:
    """Outside text as it may stand in an error: quoted, what cannot be printed escaped, at most 40 characters of it."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
