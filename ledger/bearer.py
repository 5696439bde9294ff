"""Bearer tokens (RFC 6750): a file of them by name, and whose a request's is."""

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ledger import strict_json, whole_file

TOKEN_CHARS_MIN = 16
_SCHEME = "bearer "
_Holder = TypeVar("_Holder")


def read_tokens(text: str) -> dict[str, str]:
    """The tokens of a file by the names of who has them; ValueError if it is none."""
    return {name: token_of(value) for name, value in named(text).items()}


def named(text: str) -> dict[str, Any]:
    """What a file holds by name; ValueError if it is none of that kind."""
    held = strict_json.loads(text)
    if not isinstance(held, dict):
        raise ValueError("it does not hold tokens by name")
    return held


def token_of(value: object) -> str:
    """The token that a value is; ValueError if it can be none."""
    if not (isinstance(value, str) and len(value) >= TOKEN_CHARS_MIN and value.isascii()):
        raise ValueError(f"a token has at least {TOKEN_CHARS_MIN} characters, all of ASCII")
    return value


def make(path: Path, names: Iterable[str]) -> None:
    """Make a file with a new token for each name, for its owner alone. Two that make it at once end with one file."""
    text = json.dumps({name: secrets.token_urlsafe(24) for name in names}, indent=1) + "\n"
    with suppress(FileExistsError):
        whole_file.create(path, text.encode())


def holder(authorization: str, holders: Mapping[bytes, _Holder]) -> _Holder | None:
    """Who holds the token of an Authorization header, or None. It takes as long whichever token it is."""
    given = authorization.strip().encode("utf-8", "surrogateescape")
    is_bearer, token = given[: len(_SCHEME)].lower() == _SCHEME.encode(), given[len(_SCHEME) :].strip()
    found = [held for known, held in holders.items() if hmac.compare_digest(known, token)]
    return found[0] if found and is_bearer else None
