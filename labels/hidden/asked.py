"""What is asked when a hidden code is redeemed: read from a form, from JSON, or from a command line. Pure.

{"label": "https://id.example.com/01/09506000134352/21/7K3M9QX2AB", "code": "7K3M9QX2ABCDEFGH", "nonce": "<32 digits>"}

`label` is any link of the label, or its canonical path; `nonce` is 16 to 64 bytes in hexadecimal that the asker has
drawn: the answer is signed over it, and whoever asks again with it gets the same answer.
"""

import json
import os
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from labels import gs1
from labels.hidden import code as codes
from ledger.errors import MalformedError

BODY_BYTES_MAX = 4 * 1024
NONCE_BYTES = 16
_FIELDS = ("label", "code", "nonce")
_NONCE = re.compile(r"(?:[0-9a-f]{2}){16,64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A label's canonical path, what stands under its scratch field, and the asker's nonce."""

    path: str
    code: str
    nonce: bytes


def new_nonce() -> bytes:
    """Bytes that nobody has asked with."""
    return os.urandom(NONCE_BYTES)


def read_nonce(text: object) -> bytes:
    """A nonce as an asker writes it, or MalformedError."""
    if not isinstance(text, str) or not _NONCE.fullmatch(text):
        raise MalformedError("a nonce is 16 to 64 bytes in hexadecimal, in lower case")
    return bytes.fromhex(text)


def read_json(body: bytes) -> Asked:
    """Read a request's body, or raise MalformedError."""
    try:
        fields = json.loads(body) if len(body) <= BODY_BYTES_MAX else None
    except (ValueError, RecursionError) as error:
        raise MalformedError("the request is not JSON") from error
    if not isinstance(fields, dict):
        raise MalformedError(f"a request is a JSON object of at most {BODY_BYTES_MAX:,} bytes")
    return _read(fields)


def read_form(body: bytes) -> Asked:
    """Read what a form sent (application/x-www-form-urlencoded), or raise MalformedError."""
    try:
        pairs = parse_qsl(body[: BODY_BYTES_MAX + 1].decode("ascii"), max_num_fields=len(_FIELDS), errors="strict")
    except ValueError as error:
        raise MalformedError("the form cannot be read") from error
    if len(body) > BODY_BYTES_MAX or len(dict(pairs)) != len(pairs):
        raise MalformedError("the form is too long, or has a field twice")
    return _read(dict(pairs))


def read(label: str, code: str, nonce: bytes) -> Asked:
    """What is asked of a label, by its link or its path, and the code as a person typed it; or MalformedError."""
    uri = f"https://{gs1.GS1_HOST}{label}" if label.startswith("/") else label.partition("#")[0]
    try:
        link = gs1.parse(uri)
    except gs1.Gs1Error as error:
        raise MalformedError("what is said to be a label is no GS1 Digital Link") from error
    if link.gtin is None or link.serial is None:
        raise MalformedError("the link is of no single item: only such have a hidden code")
    return Asked(link.canonical_path, codes.read(code), nonce)


def _read(fields: dict[str, object]) -> Asked:
    label, code, nonce = (fields.get(name) for name in _FIELDS)
    if fields.keys() != set(_FIELDS) or not (isinstance(label, str) and isinstance(code, str)):
        raise MalformedError(f"what is asked has the texts {', '.join(_FIELDS)}, and nothing else")
    return read(label, code, read_nonce(nonce))
