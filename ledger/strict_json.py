"""JSON as it must be (RFC 8259) and as all readers read it alike: an object has each name once, a number is one.

It is UTF-8 without a byte order mark, and what nests deeper than any reader's stack may be is none. The page that
checks proofs reads it the same (`labels/verify/json.js`).
"""

import json
import math
from typing import Any

DIGITS_MAX = 1_000  # of a whole number
DEPTH_MAX = 100  # of lists and objects in each other


def loads(text: str | bytes, *, is_whole: bool = False) -> Any:
    """The value of a JSON text, of whole numbers alone if it `is_whole`; ValueError if it is none."""
    if isinstance(text, bytes):
        text = text.decode()
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_no_name_twice,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_no_fraction if is_whole else _finite,
        )
    except RecursionError as error:
        raise _too_deep() from error
    _require_depth(value)
    return value


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


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is larger than any that readers know")
    return number


def _no_fraction(_: str) -> float:
    raise ValueError("its times, days and sizes are whole numbers")


def _require_depth(value: Any) -> None:
    """Raise ValueError if lists and objects are in each other deeper than `DEPTH_MAX`."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [item for outer in level for item in _inside(outer)]
    if any(isinstance(item, list | dict) for item in level):
        raise _too_deep()


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {DEPTH_MAX} deep")
