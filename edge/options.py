"""A table of a TOML file, read strictly: every getter gives a value of its kind or raises UserError."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.errors import UserError
from ledger.names import is_machine, is_uri
from ledger.section import Privacy
from ledger.topic import NAME

PRIVACIES = {"public": Privacy.PUBLIC, "partners": Privacy.PARTNERS, "private": Privacy.PRIVATE}


@dataclass(frozen=True, slots=True)
class Table:
    """The table `[title]` of the file at `path`; relative paths in it start at the file's folder."""

    title: str
    values: Mapping[str, Any]
    path: Path

    def only(self, known: Collection[str]) -> None:
        """Refuse every key that is not `known`: a misspelt 'privacy' would else publish what should be private."""
        for key in self.values:
            if key not in known:
                raise UserError(f"{self.path}: [{self.title}] has no key '{key}'", f"it has {', '.join(sorted(known))}")

    def wrong(self, key: str, what: str) -> UserError:
        """The error for a key whose value `what` says is wrong."""
        return UserError(f"{self.path}: '{key}' of [{self.title}] {what}", "mend that line of the file")

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; without a default it must be there."""
        value = self.values.get(key, default)
        if value is None:
            raise self.wrong(key, "is missing")
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "is not a text")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text, or None if the key is not there."""
        return self.text(key) if key in self.values else None

    def name(self, key: str, default: str | None = None) -> str:
        """A name as topics have it: 1 to 32 of a-z, 0-9 and -."""
        value = self.text(key, default)
        if not NAME.fullmatch(value):
            raise self.wrong(key, f"is {value!r}, and not 1 to 32 of a-z, 0-9 and -")
        return value

    def machine(self, key: str, default: str | None = None) -> str:
        """The name or the address of a machine to connect to."""
        value = self.text(key, default)
        if not is_machine(value):
            raise self.wrong(key, f"is {value!r}, and no machine's name or address")
        return value

    def uri(self, key: str) -> str:
        """A URI that a statement can carry as its iss or sub."""
        value = self.text(key)
        if not is_uri(value):
            raise self.wrong(key, f"is {value!r}, and not a URI of at most 256 characters")
        return value

    def whole(self, key: str, default: int, *, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self.values.get(key, default)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(key, f"is not a whole number from {least} to {most}")
        return value

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        """A number from `least` to `most`."""
        value = self.values.get(key, default)
        if type(value) not in (int, float) or not math.isfinite(value) or not least <= value <= most:
            raise self.wrong(key, f"is not a number from {least:g} to {most:g}")
        return float(value)

    def choice(self, key: str, default: str, allowed: Collection[str]) -> str:
        """One of the `allowed` words."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, f"is {value!r}, and not one of {', '.join(allowed)}")
        return value

    def file(self, key: str, default: str | None = None) -> Path:
        """The path of a file."""
        return self.path.parent / Path(self.text(key, default)).expanduser()

    def privacy(self, default: Privacy) -> Privacy:
        """Who may see a section."""
        names = {value: name for name, value in PRIVACIES.items()}
        return PRIVACIES[self.choice("privacy", names[default], PRIVACIES)]
