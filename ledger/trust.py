"""The trust file: what a verifier must have from the operator by a way of its own, before it believes anything.

It pins the genesis entry of the registry by its hash, and the logs' keys that the genesis names.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger import note, topic
from ledger.checkpoint import Checkpoint
from ledger.errors import NoteError, TrustError, UserError
from ledger.keys import thumbprint

VERSION = 1
TRUST_BYTES_MAX = 1024 * 1024
_WHERE = "the ledger's operator gives it out: <data>/ledger/trust.json"


@dataclass(frozen=True)
class Log:
    """A log as a verifier knows it: the chain's short name, and the note verifier that holds origin and key."""

    chain: str
    verifier: note.Verifier

    @property
    def origin(self) -> str:
        """The log's origin: the `aud` of its statements and the first line of its checkpoints."""
        return self.verifier.name

    @property
    def public_key(self) -> bytes:
        """The log's Ed25519 key, 32 bytes."""
        return self.verifier.public_key

    @property
    def kid(self) -> bytes:
        """The thumbprint of the log's key."""
        return thumbprint(self.public_key)

    def open(self, text: str) -> Checkpoint:
        """The checkpoint that the signed note `text` holds; raises NoteError, CheckpointError or TrustError.

        It is the log's word: signed by its key, and of its origin.
        """
        checkpoint = Checkpoint.parse(note.open(text, [self.verifier]).text)
        if checkpoint.origin != self.origin:
            raise TrustError(f"the checkpoint is of {checkpoint.origin!r}, not of {self.origin!r}")
        return checkpoint


@dataclass(frozen=True)
class Trust:
    """The ledger's name, the SHA-256 of its genesis entry, and its logs by chain name."""

    name: str
    genesis: bytes
    logs: Mapping[str, Log]

    @classmethod
    def load(cls, path: Path) -> "Trust":
        """Read a trust file, or raise UserError."""
        try:
            return cls.parse(path.read_text("utf-8"))
        except OSError as error:
            raise UserError(f"cannot read the trust file {path}: {error.strerror}", _WHERE) from error
        except (TrustError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is not a trust file: {error}", _WHERE) from error

    @classmethod
    def parse(cls, text: str) -> "Trust":
        """Read a trust file's text, or raise TrustError."""
        if len(text) > TRUST_BYTES_MAX:
            raise TrustError("it is over its size")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TrustError(f"it is not JSON: {error}") from error
        match value:
            case {"tallystick-trust": version, "name": str(name), "genesis": str(genesis), "logs": dict(logs)}:
                if type(version) is not int or version != VERSION:
                    raise TrustError(f"it is not of version {VERSION}")
                return cls(name, _hash(genesis), _logs(logs))
        raise TrustError("it has not the fields tallystick-trust, name, genesis and logs")

    @property
    def text(self) -> str:
        """The file's text: JSON."""
        logs = {chain: log.verifier.vkey for chain, log in self.logs.items()}
        fields = {"tallystick-trust": VERSION, "name": self.name, "genesis": self.genesis.hex(), "logs": logs}
        return json.dumps(fields, indent=2) + "\n"

    def log(self, chain: str) -> Log:
        """The log of `chain`, or TrustError."""
        try:
            return self.logs[chain]
        except KeyError as error:
            raise TrustError(f"the trust file pins no log for the chain {chain!r}") from error

    def log_of(self, origin: str) -> Log:
        """The log whose origin is `origin`, or TrustError."""
        for log in self.logs.values():
            if log.origin == origin:
                return log
        raise TrustError(f"the trust file pins no log with the origin {origin!r}")


def _hash(text: str) -> bytes:
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise TrustError("genesis is not a SHA-256 in hexadecimal")
    return bytes.fromhex(text)


def _logs(vkeys: Mapping[str, Any]) -> dict[str, Log]:
    logs = {chain: _log(chain, vkey) for chain, vkey in vkeys.items()}
    if len({log.origin for log in logs.values()}) != len(logs):
        raise TrustError("two of its logs have one origin")
    return logs


def _log(chain: str, vkey: Any) -> Log:
    if not topic.NAME.fullmatch(chain):
        raise TrustError("a chain's name matches [a-z0-9-]{1,32}")
    try:
        return Log(chain, note.Verifier.parse(vkey))
    except NoteError as error:
        raise TrustError(f"the key of {chain!r} is no verifier key: {error}") from error
