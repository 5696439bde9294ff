"""What a monitor has to say, and how loudly."""

import enum
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Kind(enum.StrEnum):
    """What is the matter."""

    FORKED = "forked"  # one log, two histories: between rounds, or between sources
    REWOUND = "rewound"  # a source shows less of a log than it did
    UNREACHABLE = "unreachable"  # a source cannot be read, or what it shows does not hold
    STALLED = "stalled"  # a log has sealed nothing for too long
    SILENT = "silent"  # a registered device has said nothing for too long
    FINDING = "finding"  # the gateway found something wrong, or the label service
    SUSPENSION = "suspension"
    REVOCATION = "revocation"
    HEARD = "heard"  # a device that was silent speaks again: no alarm, but its end


_EXIT_CODES = {Kind.FORKED: 3, Kind.REWOUND: 3, Kind.UNREACHABLE: 1, Kind.HEARD: 0}
_WARNING = 2
_WORST_FIRST = (3, 1, 2)  # what could not be looked at may be worse than a warning


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is the matter. `about` tells it from others of its kind, `facts` are for machines.

    `since_ms` is the round in which it was first told, in milliseconds since 1970.
    """

    kind: Kind
    about: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    since_ms: int = 0

    @property
    def key(self) -> str:
        """The same for the same alarm, whenever it is raised."""
        return _hash(self.kind, self.about)

    @property
    def id(self) -> str:
        """The same for as long as the alarm stands: one that comes again is another, so doubles may be dropped."""
        return _hash(self.kind, self.about, self.since_ms)

    @property
    def document(self) -> dict[str, Any]:
        """For machines: JSON."""
        about = {"alarm": str(self.kind), "id": self.id, "since_ms": self.since_ms, "text": self.text}
        return {**about, **self.facts}


def _hash(*what: str | int) -> str:
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


def exit_code(kinds: Iterable[Kind]) -> int:
    """3 if a log forked or was rewound, 1 if a source could not be read, 2 if anything else is to be looked at."""
    codes = {_EXIT_CODES.get(kind, _WARNING) for kind in kinds}
    return next((code for code in _WORST_FIRST if code in codes), 0)
