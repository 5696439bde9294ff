"""A registry entry's fields: each is read as its type, or MalformedError."""

import re
from typing import Any, TypeGuard

from ledger import cbor
from ledger.errors import MalformedError

LOG_SIZE_MAX = 2**40  # of a log: what the tables can number
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_text(value: object) -> TypeGuard[str]:
    """Whether `value` is a text as registry entries have it: 1 to 256 characters, none a control or a surrogate."""
    return isinstance(value, str) and 0 < len(value) <= 256 and not _CONTROLS.search(value)


def text(entry: dict[str, Any], key: str) -> str:
    """A text of 1 to 256 characters, none a control."""
    value = entry.get(key)
    if not is_text(value):
        raise MalformedError(f"a registry entry's {key} is a text of 1 to 256 characters, none a control")
    return value


def bytes32(entry: dict[str, Any], key: str) -> bytes:
    """32 bytes."""
    value = entry.get(key)
    if not isinstance(value, bytes) or len(value) != 32:
        raise MalformedError(f"a registry entry's {key} is 32 bytes")
    return value


def count(entry: dict[str, Any], key: str) -> int:
    """A number below 2**31."""
    value = entry.get(key)
    if not cbor.is_count(value) or value >= 2**31:
        raise MalformedError(f"a registry entry's {key} is a small number")
    return value


def tree_size(entry: dict[str, Any], key: str) -> int:
    """A tree size below 2**40."""
    value = entry.get(key)
    if not cbor.is_count(value) or value >= LOG_SIZE_MAX:
        raise MalformedError(f"a registry entry's {key} is a tree size below 2**40")
    return value


def texts(entry: dict[str, Any], key: str) -> list[str]:
    """A list of texts, maybe empty."""
    values = entry.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise MalformedError(f"a registry entry's {key} is a list of texts")
    return values


def maps(entry: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of maps, maybe empty."""
    values = entry.get(key)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise MalformedError(f"a registry entry's {key} is a list of maps")
    return values
