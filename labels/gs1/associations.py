"""Which application identifiers may, and which must, be in one message."""

from collections.abc import Sequence

from labels.gs1.dictionary import ENTRIES
from labels.gs1.errors import Fault, Gs1Error, Rule
from labels.gs1.pairs import Field

_SIGNATURE = "8030"
_SERIALISED = ("253", "255", "8003")  # keys whose value may hold a serial number


def check(fields: Sequence[Field]) -> None:
    """Raise Gs1Error if what these AIs are together is against the dictionary, or one has two values."""
    present = frozenset(field[0] for field in fields)
    for ai in sorted(present):
        if others := ENTRIES[ai].excludes & present:
            raise _error(fields, ai, Fault(Rule.EXCLUDED, f"cannot stand beside ({min(others)})"))
    for ai in sorted(present):
        for need in ENTRIES[ai].needs:
            if not need.met_by(present):
                raise _error(fields, ai, Fault(Rule.MISSING, f"needs {_spelled(need.text)}"))
    if len(present) < len(fields):
        _check_repeats(fields)
    if _SIGNATURE in present:
        _check_signed(fields)


def _check_repeats(fields: Sequence[Field]) -> None:
    """An AI that occurs twice, as it may on two carriers of one thing, says the same both times."""
    seen: dict[str, str] = {}
    for ai, value, place in fields:
        if seen.setdefault(ai, value) != value:
            raise Gs1Error(Rule.DIFFERENT, "occurs twice, with different values", ai=ai, place=place)


def _check_signed(fields: Sequence[Field]) -> None:
    """A digital signature is on one thing, not on a kind of things."""
    for ai, value, place in fields:
        if ai in _SERIALISED and len(value) == ENTRIES[ai].format.shortest:
            complaint = f"needs its serial number beside a digital signature, ({_SIGNATURE})"
            raise Gs1Error(Rule.MISSING, complaint, ai=ai, place=place)


def _error(fields: Sequence[Field], ai: str, fault: Fault) -> Gs1Error:
    place = next(field[2] for field in fields if field[0] == ai)
    return Gs1Error(fault.rule, fault.complaint, ai=ai, place=place)


def _spelled(need: str) -> str:
    """`01+21,02` as (01) with (21), or (02)."""
    return ", or ".join(" with ".join(f"({ai})" for ai in group.split("+")) for group in need.split(","))
