"""A GS1 message: application identifiers with values, whatever syntax they came in."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labels.gs1 import associations
from labels.gs1.dictionary import AI_DIGITS, ENTRIES, Entry
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.pairs import Field, Named, Pair

GS = "\x1d"  # how a reader transmits FNC1 as a separator


@dataclass(frozen=True, slots=True)
class Elements(Named):
    """What a label says: (AI, value) pairs in its order, each value checked, and all of them together."""

    pairs: tuple[Pair, ...]

    def value(self, ai: str) -> str | None:
        """The value of `ai`."""
        return next((value for key, value in self.pairs if key == ai), None)

    @property
    def bracketed(self) -> str:
        """These as people write them: `(01)09506000134352(10)ABC`; a bracket in a value has a backslash before it."""
        return "".join(f"({ai}){value.replace('(', chr(92) + '(')}" for ai, value in self.pairs)

    @property
    def element_string(self) -> str:
        """These as a reader transmits them, without symbology identifier: GS ends what has no predefined length."""
        ended = (f"{ai}{value}{'' if ENTRIES[ai].size else GS}" for ai, value in self.pairs)
        return "".join(ended).removesuffix(GS)

    @property
    def titled(self) -> tuple[tuple[str, str, str], ...]:
        """(AI, GS1's title of it, value)."""
        return tuple((ai, ENTRIES[ai].title, value) for ai, value in self.pairs)


def elements(pairs: Iterable[Pair]) -> Elements:
    """The message of these (AI, value) pairs. Gs1Error, whose place is one in the value, unless they are a good one."""
    fields = [(ai, value, 0) for ai, value in pairs]
    for ai, value, _ in fields:
        if fault := entry(ai).format.fault(value):
            raise Gs1Error(fault.rule, fault.complaint, ai=ai, place=fault.at)
    return of_fields(fields)


def of_fields(fields: Sequence[Field]) -> Elements:
    """The message of fields whose values are good; Gs1Error unless they may stand together."""
    associations.check(fields)
    return Elements(tuple((ai, value) for ai, value, _ in fields))


def entry(ai: str, place: int = 0) -> Entry:
    """What the dictionary says of `ai`; Gs1Error if nothing."""
    found = ENTRIES.get(ai)
    if found is None:
        raise unknown_ai(ai, place)
    return found


def unknown_ai(text: str, place: int) -> Gs1Error:
    """The error of a text that stands where an AI should; it is named as one if it could be."""
    if re.fullmatch("[0-9]{2,4}", text):
        return Gs1Error(Rule.UNKNOWN_AI, "there is no such application identifier", ai=text, place=place)
    return Gs1Error(Rule.UNKNOWN_AI, f"{excerpt(text)} is no application identifier", place=place)


def ai_at(text: str, at: int) -> Entry:
    """The AI that stands at `at`; Gs1Error if none does."""
    digits = AI_DIGITS.get(text[at : at + 2], 4)
    return entry(text[at : at + digits], at)
