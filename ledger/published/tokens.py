"""Bearer tokens: by which a reader over HTTP shows which audience he belongs to (RFC 6750)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger import bearer
from ledger.errors import UserError
from ledger.published.policy import AUDIENCES
from ledger.section import Privacy

_WITH_TOKENS = {name: privacy for name, privacy in AUDIENCES.items() if privacy is not Privacy.PUBLIC}
_HINT = 'it holds {"partners": "…", "private": "…"}: mend it, or remove it and have new ones made'


@dataclass(frozen=True, slots=True)
class Tokens:
    """The audiences by their tokens; none, and everybody is the public."""

    audiences: Mapping[bytes, Privacy] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Tokens":
        """Read a tokens file's text, or raise ValueError."""
        tokens = bearer.read_tokens(text)
        if not tokens.keys() <= _WITH_TOKENS.keys():
            raise ValueError("it does not hold tokens by audience")
        return cls({token.encode(): _WITH_TOKENS[name] for name, token in tokens.items()})

    @classmethod
    def load_or_make(cls, path: Path) -> "Tokens":
        """Read the file, which is made if there is none, for its owner alone; raises UserError."""
        try:
            if not path.exists():
                bearer.make(path, _WITH_TOKENS)
            return cls.parse(path.read_text("utf-8"))
        except OSError as error:
            raise UserError.of_system(f"cannot read {path}", error) from error
        except ValueError as error:
            raise UserError(f"{path} is no file of tokens: {error}", _HINT) from error

    def audience(self, authorization: str | None) -> Privacy | None:
        """Whom a request's Authorization header speaks for; None for a token that is none of ours."""
        if authorization is None:
            return Privacy.PUBLIC
        return bearer.holder(authorization, self.audiences)
