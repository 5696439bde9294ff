"""Base64 with one encoding (RFC 4648, 4): padded, no line breaks, unused bits zero."""

from base64 import b64decode, b64encode

from ledger.errors import MalformedError


def encode(data: bytes) -> str:
    """The one encoding of `data`."""
    return b64encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """Decode text that must be in its one encoding, or raise MalformedError."""
    try:
        data = b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise MalformedError("not base64") from error
    if encode(data) != text:
        raise MalformedError("base64 is not in its one encoding")
    return data
