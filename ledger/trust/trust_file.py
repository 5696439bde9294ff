"""The trust file: what a verifier must have from the operator by a way of its own, before it believes anything.

The file with which a ledger begins pins the genesis entry of the registry by its hash, and the logs' keys that the
genesis names. Once a log's key has changed it has what root keys have said as well (`ledger.trust.succession`), which
holds by the pin alone. It never expires. A trust bundle (`ledger.trust.bundle`) is signed anew now and then, and knows
the label keys too. Both are read here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ledger import b64, note, strict_json, topic
from ledger.errors import NoteError, TrustError, UserError
from ledger.log import Log
from ledger.registry import Chain
from ledger.trust import succession
from ledger.trust.bundle import BUNDLE_BYTES_MAX, TrustBundle, is_bundle, read_messages

VERSION = 1
TRUST_BYTES_MAX = BUNDLE_BYTES_MAX
_WHERE = "the ledger's operator gives it out: <data>/ledger/trust.json"


@dataclass(frozen=True)
class Trust:
    """The ledger's name, the SHA-256 of its genesis entry, and its logs by chain name; `bundle`, if it was read of one.

    The logs have the rotations that are known; `messages` is what root keys have said, if that is known.
    """

    name: str
    genesis: bytes
    logs: Mapping[str, Log]
    bundle: TrustBundle | None = None
    messages: tuple[bytes, ...] = ()

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
        """Read a trust file's text, a bundle's too, or raise TrustError."""
        if len(text) > TRUST_BYTES_MAX:
            raise TrustError("it is over its size")
        if is_bundle(text):
            bundle = TrustBundle.parse(text)
            return cls(bundle.name, bundle.genesis, bundle.logs, bundle, bundle.messages)
        try:
            value = strict_json.loads(text, is_whole=True)
        except ValueError as error:
            raise TrustError(f"it is not JSON: {error}") from error
        match value:
            case {"tallystick-trust": version, "name": str(name), "genesis": str(genesis), "logs": dict(logs)}:
                if type(version) is not int or version != VERSION:
                    raise TrustError(f"it is not of version {VERSION}")
                trust = cls(name, _hash(genesis), _logs(logs))
                return trust.following(read_messages(value["root"])) if "root" in value else trust
        raise TrustError("it has not the fields tallystick-trust, name, genesis and logs")

    @property
    def text(self) -> str:
        """The file's text: a bundle as it was signed, else JSON with what is pinned."""
        if self.bundle is not None:
            return self.bundle.note
        logs = {chain: log.verifier.vkey for chain, log in self.logs.items()}
        fields = {"tallystick-trust": VERSION, "name": self.name, "genesis": self.genesis.hex(), "logs": logs}
        root = {"root": [b64.encode(message) for message in self.messages]} if self.messages else {}
        return json.dumps({**fields, **root}, indent=2) + "\n"

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

    def following(self, messages: Sequence[bytes]) -> "Trust":
        """This trust, with the rotations of the root key's stream (`ledger.trust.succession`); raises TrustError."""
        trust = self.knowing(succession.follow(self.genesis, messages).chains)
        return trust if len(messages) <= len(self.messages) else replace(trust, messages=tuple(messages))

    def knowing(self, chains: Mapping[str, Chain]) -> "Trust":
        """This trust, with the rotations that the registry has, of whoever keeps it; raises TrustError."""
        return replace(self, logs=succession.merged(self.logs, succession.logs(chains)))

    def joined(self, kept: "Trust") -> "Trust":
        """This trust file, with what root keys have said by one that was `kept`; raises UserError if they differ.

        Whoever gives an old file again does not forget by it that a key is retired. A bundle that lacks it is one
        no more: its signature is over less.
        """
        try:
            succession.merged(self.logs, kept.logs)
            knows_more = len(kept.messages) > len(self.messages)
            return replace(self.following(kept.messages), bundle=None) if knows_more else self
        except TrustError as error:
            what = f"the trust file contradicts the one that was given before: {error}"
            raise UserError(what, "ask the operator which one is true, by a way of your own") from error

    def updated(self, new: "Trust", now: float) -> "Trust":
        """The bundle `new`, if it is of this ledger, not older, and not of the future; raises TrustError."""
        if new.bundle is None:
            raise TrustError("it is no trust bundle: only a signed one can follow another")
        if (self.name, self.genesis) != (new.name, new.genesis):
            raise TrustError(f"it is of the ledger {new.name!r}, genesis {new.genesis.hex()[:16]}…: another one")
        if new.bundle.is_ahead(now):
            raise TrustError("it says to be issued more than a day from now: is this clock set?")
        if self.bundle is not None:
            new.bundle.require_newer_than(self.bundle, now)
        if succession.merged(self.logs, new.logs) != new.logs:
            raise TrustError("it is older than the one that is here: it lacks a log's newest key")
        return new


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
