"""Element strings as people write them: each AI in brackets, its value behind it, `(01)09506000134352(10)ABC`.

The brackets are in no symbol (GS1 General Specifications, 4.14). One that opens within a value has a backslash before
it, as in GS1's Syntax Engine.
"""

from labels.gs1.element_string import CHARACTERS_MAX
from labels.gs1.elements import Elements, entry, of_fields
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.pairs import Field

_ESCAPED = "\\("


def parse(text: str) -> Elements:
    """Read a bracketed element string, or raise Gs1Error and nothing else."""
    return of_fields(fields(text))


def fields(text: str) -> list[Field]:
    """Its AIs, each good by itself, with the offsets of their values."""
    if len(text) > CHARACTERS_MAX:
        raise Gs1Error(Rule.SYNTAX, f"an element string has at most {CHARACTERS_MAX} characters")
    found: list[Field] = []
    at = 0
    while at < len(text) or not found:
        ai, at = _bracket(text, at)
        end = _value_end(text, at)
        written = text[at:end]
        value = written.replace(_ESCAPED, "(")
        if fault := entry(ai, at - 1 - len(ai)).format.fault(value):
            place = at + len(value[: fault.at].replace("(", _ESCAPED))
            raise Gs1Error(fault.rule, fault.complaint, ai=ai, place=place)
        found.append((ai, value, at))
        at = end
    return found


def _bracket(text: str, at: int) -> tuple[str, int]:
    """The AI in brackets at `at`, and where its value begins."""
    end = text.find(")", at)
    if not text.startswith("(", at) or end < 0:
        raise Gs1Error(Rule.BRACKET, f"{excerpt(text[at:])} does not begin with an AI in brackets", place=at)
    return text[at + 1 : end], end + 1


def _value_end(text: str, at: int) -> int:
    """Where the next bracket opens that no backslash stands before, or the end."""
    end = text.find("(", at)
    while end > at and text[end - 1] == "\\":
        end = text.find("(", end + 1)
    return len(text) if end < 0 else end
