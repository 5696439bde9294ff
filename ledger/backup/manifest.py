"""A backup's manifest: of which ledger it is, how far it goes, and the SHA-256 of each of its files. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger import topic
from ledger.errors import MalformedError

VERSION = 1
NAME = "manifest.json"
MANIFEST_BYTES_MAX = 64 * 1024 * 1024
_PATH = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,255}(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,255}){0,3}")
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """A file of the backup: its length in bytes, and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `genesis` is the genesis' hash in hexadecimal; `chains` has size and root of each.

    `postgres` is the server's major version, `timescale` that of TimescaleDB on it, if it was there.
    """

    ledger: str
    genesis: str
    made_at: str
    postgres: int
    timescale: str | None
    chains: Mapping[str, tuple[int, str]]
    files: Mapping[str, File]

    @property
    def text(self) -> str:
        """The file's text: JSON."""
        fields = {
            "tallystick-backup": VERSION,
            "ledger": self.ledger,
            "genesis": self.genesis,
            "made_at": self.made_at,
            "postgres": self.postgres,
            "timescale": self.timescale,
            "chains": {name: list(state) for name, state in self.chains.items()},
            "files": {path: [file.bytes, file.sha256] for path, file in self.files.items()},
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """Read a manifest's text; any text gives a Manifest or MalformedError."""
        if len(text) > MANIFEST_BYTES_MAX:
            raise MalformedError("the manifest is over its size")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MalformedError(f"the manifest is not JSON: {error}") from error
        match value:
            case {
                "tallystick-backup": version,
                "ledger": str(ledger),
                "genesis": str(genesis),
                "made_at": str(made_at),
                "postgres": postgres,
                "timescale": None | str() as timescale,
                "chains": dict(chains),
                "files": dict(files),
            }:
                if type(version) is not int or version != VERSION:
                    raise MalformedError(f"the manifest is not of version {VERSION}")
                states = {_name(name): _state(state) for name, state in chains.items()}
                listed = {_path(path): _file(file) for path, file in files.items()}
                return cls(ledger, _hash(genesis), made_at, _count(postgres), timescale, states, listed)
        raise MalformedError("the manifest has not all of its fields")


def _name(name: str) -> str:
    if not topic.NAME.fullmatch(name):
        raise MalformedError("a chain's name matches [a-z0-9-]{1,32}")
    return name


def _path(path: str) -> str:
    """A path within the backup, and never out of it."""
    if not _PATH.fullmatch(path):
        raise MalformedError(f"{path[:100]!r} is no file of a backup")
    return path


def _state(value: Any) -> tuple[int, str]:
    match value:
        case [size, str(root)]:
            return _count(size), _hash(root)
    raise MalformedError("a chain's state is [size, root]")


def _file(value: Any) -> File:
    match value:
        case [size, str(digest)]:
            return File(_count(size), _hash(digest))
    raise MalformedError("a file is [bytes, SHA-256]")


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise MalformedError("a count is a number from 0 on")
    return value


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise MalformedError("a hash is 64 hexadecimal digits")
    return text
