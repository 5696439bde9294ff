"""GS1 element strings: AIs and values side by side, as a reader transmits them (GS1 General Specifications, 7.8).

A value of predefined length ends by itself; any other ends with FNC1, which is transmitted as GS (0x1D), or with the
string. An FNC1 behind a value of predefined length is read over.
"""

from labels.gs1.elements import GS, Elements, ai_at, of_fields
from labels.gs1.errors import Gs1Error, Rule
from labels.gs1.pairs import Field

CHARACTERS_MAX = 8191


def parse(text: str, *, fnc1: str = GS) -> Elements:
    """Read an element string, or raise Gs1Error and nothing else.

    `fnc1` is the character that stands for FNC1. Some readers transmit it at the beginning, too, where it says that
    the symbol is one of GS1.
    """
    return of_fields(fields(text, int(text.startswith(fnc1)), fnc1))


def fields(text: str, at: int, fnc1: str = GS) -> list[Field]:
    """The AIs of the element string that begins at `at`, each good by itself, with the offsets of their values."""
    if len(text) > CHARACTERS_MAX:
        raise Gs1Error(Rule.SYNTAX, f"an element string has at most {CHARACTERS_MAX} characters")
    if at == len(text):
        raise Gs1Error(Rule.EMPTY, "there is no element string", place=at)
    found: list[Field] = []
    while at < len(text):
        entry = ai_at(text, at)
        at += len(entry.ai)
        end = text.find(fnc1, at)
        end = len(text) if end < 0 else end
        if entry.size is not None:
            end = min(end, at + entry.size)
        value = text[at:end]
        if fault := entry.format.fault(value):
            raise Gs1Error(fault.rule, fault.complaint, ai=entry.ai, place=at + fault.at)
        found.append((entry.ai, value, at))
        at = end + text.startswith(fnc1, end)
    return found
