"""Bearer tokens: by which a reader over HTTP shows which audience he belongs to (RFC 6750)."""

import hmac
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ledger import whole_file
from ledger.errors import UserError
from ledger.published.policy import AUDIENCES
from ledger.section import Privacy

_SCHEME = "bearer "
_WITH_TOKENS = {name: privacy for name, privacy in AUDIENCES.items() if privacy is not Privacy.PUBLIC}
_HINT = 'it holds {"partners": "…", "private": "…"}: mend it, or remove it and have new ones made'


@dataclass(frozen=True, slots=True)
class Tokens:
    """The audiences by their tokens; none, and everybody is the public."""

    audiences: Mapping[bytes, Privacy] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Tokens":
        """Read a tokens file's text, or raise ValueError."""
        tokens = json.loads(text)
        if not isinstance(tokens, dict) or not tokens.keys() <= _WITH_TOKENS.keys():
            raise ValueError("it does not hold tokens by audience")
        if not all(isinstance(token, str) and len(token) >= 16 and token.isascii() for token in tokens.values()):
            raise ValueError("a token has at least 16 characters, all of ASCII")
        return cls({token.encode(): _WITH_TOKENS[name] for name, token in tokens.items()})

    @classmethod
    def load_or_make(cls, path: Path) -> "Tokens":
        """Read the file, which is made if there is none, for its owner alone; raises UserError."""
        try:
            if not path.exists():
                _make(path)
            return cls.parse(path.read_text("utf-8"))
        except OSError as error:
            raise UserError.of_system(f"cannot read {path}", error) from error
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} is no file of tokens: {error}", _HINT) from error

    def audience(self, authorization: str | None) -> Privacy | None:
        """Whom a request's Authorization header speaks for; None for a token that is none of ours.

        It takes as long whichever token it is.
        """
        if authorization is None:
            return Privacy.PUBLIC
        given = authorization.strip().encode("utf-8", "surrogateescape")
        is_bearer, token = given[: len(_SCHEME)].lower() == _SCHEME.encode(), given[len(_SCHEME) :].strip()
        found = [privacy for known, privacy in self.audiences.items() if hmac.compare_digest(known, token)]
        return found[0] if found and is_bearer else None


def _make(path: Path) -> None:
    """Two that make it at once end with one file."""
    text = json.dumps({name: secrets.token_urlsafe(24) for name in _WITH_TOKENS}, indent=1) + "\n"
    with suppress(FileExistsError):
        whole_file.create(path, text.encode())
