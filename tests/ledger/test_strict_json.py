"""JSON that all readers read alike, or its named error."""

import json
from typing import Any

import pytest

from ledger import strict_json


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Expecting value"),
        ('{"a": 1, "a": 2}', "comes twice"),
        ("[NaN]", "no number of JSON"),
        ("[-Infinity]", "no number of JSON"),
        ("1e999", "larger than any"),
        ("[-1e999]", "larger than any"),
        ("9" * 1_001, "more than 1,000 digits"),
        ("\ufeff1", "byte order mark"),
        (b"\xef\xbb\xbf1", "byte order mark"),
        ("1".encode("utf-16"), "utf-8"),
        (b'"\xff"', "utf-8"),
        ("[" * 101 + "]" * 101, "nested more than 100 deep"),
        ("[" * 100_000 + "]" * 100_000, "nested more than 100 deep"),
        ('{"a":' * 101 + "1" + "}" * 101, "nested more than 100 deep"),
    ],
)
def test_what_readers_differ_on_is_refused(text: str | bytes, complaint: str) -> None:
    """By one error, whatever it is."""
    with pytest.raises(ValueError, match=complaint):
        strict_json.loads(text)


@pytest.mark.parametrize("value", [None, 1, -0.5, 1e300, 2**64, "\u00e9", [], {"a": [{}]}], ids=repr)
def test_all_else_is_read(value: Any) -> None:
    """As text and as bytes, a hundred deep too."""
    text = "[" * 90 + json.dumps(value) + "]" * 90
    found = strict_json.loads(text)
    assert found == strict_json.loads(text.encode())
    for _ in range(90):
        [found] = found
    assert found == value


def test_where_numbers_are_whole_no_other_is_taken() -> None:
    """1.0 is one to some readers, and none to others."""
    assert strict_json.loads("[1, -1]", is_whole=True) == [1, -1]
    for text in ("1.0", "1e2", "1e999"):
        with pytest.raises(ValueError, match="whole numbers"):
            strict_json.loads(text, is_whole=True)
