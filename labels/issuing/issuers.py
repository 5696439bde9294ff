"""Who may issue labels over HTTP: a file of tokens by name, one for each program that does."""

from pathlib import Path

from ledger import bearer
from ledger.errors import UserError

DEFAULT = "default"
_NAME_CHARS_MAX = 64
_HINT = 'it holds {"default": "…"}, a token for each name: mend it, or remove it and have a new one made'


def read_issuers(text: str) -> dict[bytes, str]:
    """The names of issuers by their tokens; ValueError or RecursionError if it is no file of them."""
    tokens = bearer.read_tokens(text)
    if not all(0 < len(name) <= _NAME_CHARS_MAX and name.isprintable() for name in tokens):
        raise ValueError(f"a name has 1 to {_NAME_CHARS_MAX} characters")
    if len({*tokens.values()}) != len(tokens):
        raise ValueError("two names have one token")
    return {token.encode(): name for name, token in tokens.items()}


def load_issuers(path: Path) -> dict[bytes, str]:
    """As `read_issuers`, of the file, which is made if there is none; raises UserError."""
    try:
        if not path.exists():
            bearer.make(path, [DEFAULT])
        return read_issuers(path.read_text("utf-8"))
    except OSError as error:
        raise UserError.of_system(f"cannot read {path}", error) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no file of tokens: {error}", _HINT) from error
