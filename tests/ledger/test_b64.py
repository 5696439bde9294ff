"""Base64 with one encoding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import b64
from ledger.errors import MalformedError


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"foob", "Zm9vYg=="), (b"\xfb\xff", "+/8=")],
)
def test_rfc_4648_vectors(data: bytes, text: str) -> None:
    """The vectors of RFC 4648, 10, hold both ways."""
    assert b64.encode(data) == text
    assert b64.decode(text) == data


@pytest.mark.parametrize("text", ["Zg", "Zg=", "Zh==", "Zg==\n", "Zm 8=", "-_8=", "Zg==Zg==", "=", "Zé=="])
def test_another_encoding_is_refused(text: str) -> None:
    """Missing padding, unused bits, white space and the URL alphabet are not the one encoding."""
    with pytest.raises(MalformedError, match="base64"):
        b64.decode(text)


@pytest.mark.parametrize("text", [None, 7, b"Zg==", ["Zg=="]])
def test_only_text_is_decoded(text: Any) -> None:
    """What is no text is not base64."""
    with pytest.raises(MalformedError, match="base64"):
        b64.decode(text)


@given(st.text() | st.text("ABg/+="))
def test_decode_is_total(text: str) -> None:
    """Any text gives bytes that encode to it, or MalformedError."""
    try:
        data = b64.decode(text)
    except MalformedError:
        return
    assert b64.encode(data) == text
