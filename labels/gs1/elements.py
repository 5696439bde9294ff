"""A GS1 message: application identifiers with values, whatever syntax they came in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labels.gs1 import associations
from labels.gs1.dictionary import AI_DIGITS, ENTRIES, Entry
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.pairs import Field, Pair

GS = "\x1d"  # how a reader transmits FNC1 as a separator


@dataclass(frozen=True, slots=True)
class Elements:
    """What a label says: (AI, value) pairs in its order, each value checked, and all of them together."""

    pairs: tuple[Pair, ...]

    def value(self, ai: str) -> str | None:
        """The value of `ai`."""
        return next((value for key, value in self.pairs if key == ai), None)

    @property
    def gtin(self) -> str | None:
        """14 digits."""
        return self.value("01")

    @property
    def lot(self) -> str | None:
        """The batch or lot, (10)."""
        return self.value("10")

    @property
    def serial(self) -> str | None:
        """The serial, (21)."""
        return self.value("21")

    @property
    def sscc(self) -> str | None:
        """18 digits."""
        return self.value("00")

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
    """The message of these (AI, value) pairs. Gs1Error, whose place counts pairs, unless they are a good one."""
    fields = [(ai, value, place) for place, (ai, value) in enumerate(pairs)]
    for ai, value, place in fields:
        if fault := entry(ai, place).format.fault(value):
            raise Gs1Error(fault.rule, fault.complaint, ai=ai, place=place)
    return of_fields(fields)


def of_fields(fields: Sequence[Field]) -> Elements:
    """The message of fields whose values are good; Gs1Error unless they may stand together."""
    associations.check(fields)
    return Elements(tuple((ai, value) for ai, value, _ in fields))


def entry(ai: str, place: int = 0) -> Entry:
    """What the dictionary says of `ai`; Gs1Error if nothing."""
    found = ENTRIES.get(ai)
    if found is None:
        raise Gs1Error(Rule.UNKNOWN_AI, f"{excerpt(ai)} is no application identifier", place=place)
    return found


def ai_at(text: str, at: int) -> Entry:
    """The AI that stands at `at`; Gs1Error if none does."""
    digits = AI_DIGITS.get(text[at : at + 2], 4)
    return entry(text[at : at + digits], at)
