"""A log's keys as its writer holds them: which there are says the registry, their secret halves lie in the folder."""

from collections.abc import Sequence
from typing import Protocol

import psycopg

from ledger import note, read
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.log import Log, LogKey
from ledger.trust import succession


class LogKeys(Protocol):
    """The keys that a chain's writer signs with."""

    def log(self, connection: psycopg.Connection, registry_size: int | None) -> Log:
        """The log with the keys that the registry's first so many entries name; None, or 0: all of its entries."""

    def secret(self, key: LogKey) -> SigningKey:
        """The secret half of one of the log's keys; raises UserError if it is not here."""


class OneKey:
    """A log of one key: before there is a registry that could say more."""

    def __init__(self, chain: str, origin: str, key: SigningKey) -> None:
        self._log, self._key = Log(chain, note.Verifier(origin, key.public)), key

    def log(self, connection: psycopg.Connection, registry_size: int | None) -> Log:
        return self._log

    def secret(self, key: LogKey) -> SigningKey:
        return self._key


class Keyring:
    """The keys of the log `chain`, by what root keys have said. It reads that again whenever the registry has grown.

    A retired key's file may be gone: nobody loads it.
    """

    def __init__(self, folder: LedgerFolder, chain: str) -> None:
        self._folder, self._chain, self._genesis = folder, chain, folder.trust().genesis
        self._known: tuple[int | None, Log, Sequence[bytes]] | None = None
        self._secrets: dict[bytes, SigningKey] = {}

    @property
    def messages(self) -> Sequence[bytes]:
        """What root keys have said, if one of the log's keys follows from it: for whoever knows the first key only."""
        return self._known[2] if self._known is not None and self._known[1].rotations else ()

    def log(self, connection: psycopg.Connection, registry_size: int | None) -> Log:
        if self._known is None or registry_size is None or self._known[0] != registry_size:
            messages = read.root_messages(connection, registry_size or None)
            messages = messages if registry_size else self._with_lost(messages)
            log = succession.logs(succession.follow(self._genesis, messages).chains)[self._chain]
            self._known = registry_size, log, messages
        return self._known[1]

    def _with_lost(self, said: list[bytes]) -> list[bytes]:
        """What a restored registry has lost is still true of what was published: the trust file has it."""
        known = list(self._folder.trust().messages)
        return known if known[: len(said)] == said else said

    def secret(self, key: LogKey) -> SigningKey:
        if key.public_key not in self._secrets:
            self._secrets[key.public_key] = self._load(key)
        return self._secrets[key.public_key]

    def _load(self, key: LogKey) -> SigningKey:
        assert self._known is not None  # whose key it is, only `log` tells
        number = 1 + self._known[1].keys.index(key)
        path = self._folder.log_key_file(self._chain, number)
        found = self._folder.log_key(self._chain, number)
        if found.public != key.public_key:
            raise UserError(
                f"{path} is not the key that the registry names for {self._chain!r} from size {key.first} on",
                "bring the key back from a copy: what another one signs is worth nothing",
            )
        return found
