"""The form by which a person redeems a hidden code: it works without a script, which fills it in if it may run."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from labels.hidden import asked
from labels.verify_page import source_hash

_SCRIPT = Path(__file__).parent / "fill.js"


def _nonce() -> str:
    return asked.new_nonce().hex()


@dataclass(frozen=True, slots=True)
class Form:
    """A form for one label, by its canonical path: whoever sends it twice gets the same answer, by its nonce."""

    path: str
    nonce: str = field(default_factory=_nonce)

    @property
    def script(self) -> str:
        """What fills it in."""
        return script()


def policy(base: str) -> str:
    """The Content-Security-Policy `base`, which allows no script, with the form's own allowed."""
    return f"{base}; script-src '{source_hash(script())}'"


@cache
def script() -> str:
    """The script's text, as it stands in the page."""
    return f"\n{_SCRIPT.read_text('utf-8')}"
