"""The one error of the GS1 parsers."""

from enum import StrEnum

from ledger.errors import OutsideError


class Rule(StrEnum):
    """What was broken. The value is also a metric's label."""

    URI = "uri"
    SCHEME = "scheme"
    HOST = "host"
    NO_KEY = "no-key"
    SEQUENCE = "sequence"
    MISSING = "missing"
    ENCODING = "encoding"
    EMPTY = "empty"
    DOT = "dot-segment"
    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check-digit"
    CHECK_PAIR = "check-pair"
    PREFIX = "company-prefix"
    ZERO = "zero"
    PIECE = "piece-of-total"
    UNKNOWN_AI = "unknown-ai"
    NOT_ATTRIBUTE = "not-attribute"
    DUPLICATE = "duplicate"


class Gs1Error(OutsideError):
    """A text is not GS1's.

    `ai` is the application identifier at fault, or None if the fault is outside any; `place` is the offset in
    the text, in characters, at which the faulty part begins.
    """

    def __init__(self, rule: Rule, complaint: str, *, ai: str | None = None, place: int = 0) -> None:
        whose = f"({ai}): " if ai else ""
        super().__init__(f"{whose}{complaint} (at character {place + 1})")
        self.rule = rule
        self.ai = ai
        self.place = place


def excerpt(text: str) -> str:
    """Outside text as it may stand in an error: quoted, printable, at most 40 characters of it."""
    return ascii(text if len(text) <= 40 else text[:39] + "…")
