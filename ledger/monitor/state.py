"""What a monitor remembers from run to run, as JSON."""

import json
from dataclasses import dataclass, field
from typing import Any

from ledger import cbor
from ledger.errors import MalformedError, TrustError
from ledger.trust.trust_file import Trust

VERSION = 1


@dataclass
class State:
    """The trust file; each source's newest checkpoint (a signed note) by origin; the registry's size as far as read.

    `told` are the keys of alarms that stand and were told, each with its `since_ms`; `undelivered` the documents of
    those that a webhook has not taken yet.
    """

    trust: Trust | None = None
    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    registry: int = 0
    told: dict[str, int] = field(default_factory=dict)
    undelivered: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> "State":
        """Read a state's text, or raise MalformedError."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MalformedError(f"it is not JSON: {error}") from error
        match value:
            case {
                "tallystick-monitor": 1,
                "trust": str() | None as trust,
                "seen": dict(seen),
                "registry": registry,
                "told": dict(told),
                "undelivered": [*undelivered],
            } if cbor.is_count(registry) and all(map(cbor.is_count, told.values())) and all(map(_is_map, undelivered)):
                return cls(_trust(trust), _seen(seen), registry, told, undelivered)
        raise MalformedError("it has not its fields")

    @property
    def text(self) -> str:
        """The file's text."""
        fields = {
            "tallystick-monitor": VERSION,
            "trust": self.trust.text if self.trust else None,
            "seen": self.seen,
            "registry": self.registry,
            "told": self.told,
            "undelivered": self.undelivered,
        }
        return json.dumps(fields, indent=1) + "\n"


def _trust(text: str | None) -> Trust | None:
    try:
        return Trust.parse(text) if text is not None else None
    except TrustError as error:
        raise MalformedError(f"its trust file is none: {error}") from error


def _seen(value: dict[str, Any]) -> dict[str, dict[str, str]]:
    for notes in value.values():
        if not isinstance(notes, dict) or not all(map(_is_text, notes.values())):
            raise MalformedError("what was seen is a note by origin")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_map(value: object) -> bool:
    return isinstance(value, dict)
