"""What is asked of a catalogue entry's fields: each gives its value, or MalformedError."""

from typing import Any

from ledger.errors import MalformedError


def text(value: Any, what: str, most: int = 256) -> str:
    """A text that a page can show in a line: no control, nothing that turns the direction of writing."""
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable() or value != value.strip():
        raise MalformedError(f"{what} is a text of 1 to {most} characters that all can be seen")
    return value


def optional(value: Any, what: str, most: int = 256) -> str:
    """The same, or nothing."""
    return "" if value is None else text(value, what, most)


def sequence(value: Any, what: str, most: int) -> list[Any]:
    """A list of at most `most` things; none is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise MalformedError(f"{what} are a list of at most {most}")
    return value
