"""What an export remembers in its folder until the next: whose it is, and what must be looked at again."""

import json
from dataclasses import dataclass, field
from typing import Any

from ledger.errors import MalformedError
from ledger.published import paths

VERSION = 1


@dataclass
class LogState:
    """Of one log. Paths are partial files': those that an exported checkpoint needs, those that an export writes, and
    those that one has `left` that died before its checkpoint.

    Bundles of content are `settled` below a number, but those which `again` must be rendered: something lacks.
    """

    partials: set[str] = field(default_factory=set)
    planned: set[str] = field(default_factory=set)
    planned_size: int = 0
    left: set[str] = field(default_factory=set)
    settled: int = 0
    again: set[int] = field(default_factory=set)
    shredded: set[tuple[int, int]] = field(default_factory=set)  # (index, line): said to be, and still shown


@dataclass
class ExportState:
    """Of the whole folder: the ledger's genesis, whom it is for, the chains that are open to all; each log's part.

    The `registry` was looked through for shreddings up to that size.
    """

    genesis: bytes
    audience: str
    public: frozenset[str]
    registry: int = 0
    logs: dict[str, LogState] = field(default_factory=dict)

    def log(self, origin: str) -> LogState:
        """The part of the log `origin`."""
        return self.logs.setdefault(origin, LogState())

    @property
    def text(self) -> str:
        """The file's text: JSON."""
        logs = {
            origin: {
                "partials": sorted(log.partials),
                "planned": sorted(log.planned),
                "planned_size": log.planned_size,
                "left": sorted(log.left),
                "settled": log.settled,
                "again": sorted(log.again),
                "shredded": sorted(log.shredded),
            }
            for origin, log in sorted(self.logs.items())
        }
        fields = {
            "tallystick-export": VERSION,
            "genesis": self.genesis.hex(),
            "audience": self.audience,
            "public": sorted(self.public),
            "registry": self.registry,
            "logs": logs,
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> "ExportState":
        """Read the file's text, or raise MalformedError."""
        try:
            value = json.loads(text)
            match value:
                case {
                    "tallystick-export": 1,
                    "genesis": str(genesis),
                    "audience": str(audience),
                    "public": [*public],
                    "registry": int(registry),
                    "logs": dict(logs),
                }:
                    parts = {origin: _log(log) for origin, log in logs.items()}
                    return cls(bytes.fromhex(genesis), audience, frozenset(_texts(public)), registry, parts)
        except (ValueError, TypeError, RecursionError) as error:
            raise MalformedError(f"it is not an export's: {error}") from error
        raise MalformedError("it is not an export's")


def _log(value: Any) -> LogState:
    match value:
        case {
            "partials": [*partials],
            "planned": [*planned],
            "planned_size": int(planned_size),
            "left": [*left],
            "settled": int(settled),
            "again": [*again],
            "shredded": [*shredded],
        }:
            pairs = {(_number(index), _number(line)) for index, line in shredded}
            numbers = {_number(number) for number in again}
            return LogState(_paths(partials), _paths(planned), planned_size, _paths(left), settled, numbers, pairs)
    raise MalformedError("a log has not its fields")


def _texts(values: list[Any]) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        raise MalformedError("a name is not text")
    return values


def _paths(values: list[Any]) -> set[str]:
    """Published paths: others are nobody's to remove."""
    return {paths.parse(value).path for value in values}


def _number(value: Any) -> int:
    if type(value) is not int:
        raise MalformedError("a number is none")
    return value
