"""JSON as it must be (RFC 8259) and as all readers read it alike: an object has each name once, a number is one."""

import json
from typing import Any

DIGITS_MAX = 1_000  # of a whole number


def loads(text: str | bytes) -> Any:
    """The value of a JSON text; ValueError or RecursionError if it is none."""
    return json.loads(text, object_pairs_hook=_no_name_twice, parse_constant=_no_constant, parse_int=_whole)


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name comes twice in an object")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _whole(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise ValueError(f"a number has more than {DIGITS_MAX:,} digits")
    return int(digits)
