"""A file of EPCIS events, as a person or a program hands them to a device to sign."""

import sys
from pathlib import Path
from typing import Any

from ledger import epcis, gs1_key, strict_json
from ledger.errors import MalformedError, UserError

_HINT = "write an EPCIS 2.0 event as JSON, or a list of them"


def read(path: Path) -> list[Any]:
    """The documents in the file at `path` (- for standard input): one, or each of a list. Raises UserError."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
        value = strict_json.loads(text)
    except OSError as error:
        raise UserError.of_system(f"cannot read {path}", error) from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}", _HINT) from error
    documents = value if isinstance(value, list) else [value]
    if not documents:
        raise UserError(f"{path} holds no event: its list is empty", _HINT)
    return documents


def body(document: Any, number: int) -> bytes:
    """The section's body of the event that stands at `number` of the file, from 1. Raises UserError."""
    try:
        data = epcis.encode(document)
        # Beyond what readers ask: a slip of the hand is mended now or never.
        gs1_key.require_check_digits(epcis.decode(data))
        return data
    except MalformedError as error:
        raise UserError(
            f"event {number} is no EPCIS 2.0 event: {error}", "mend it in the file: nothing was spooled"
        ) from error
