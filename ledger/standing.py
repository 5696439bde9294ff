"""Whether a statement may stand in a chain: by the registry's state that its block names."""

from typing import Protocol

from ledger.errors import RegistryError
from ledger.registry import Key, Registry, Status
from ledger.statement import Statement


class Speaker(Protocol):
    """Who says something, and to which log."""

    @property
    def issuer(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def audience(self) -> str: ...


def require_standing(statement: Statement, registry: Registry, *, chain: str, origin: str) -> Key:
    """Check that `statement` was said by a key that `registry` lets speak, to the chain whose log is `origin`.

    Returns the key. Raises RegistryError, or SignatureError if the signature does not hold.
    """
    key = registry.key(statement.kid)
    if key is None:
        raise unregistered(statement.kid)
    statement.verify(key.public_key)
    require_voice(key, statement, chain=chain, origin=origin)
    return key


def unregistered(kid: bytes) -> RegistryError:
    """What is wrong with a key that nobody registered."""
    return RegistryError(f"its key {kid.hex()[:16]}… is not registered")


def require_voice(key: Key, speaker: Speaker, *, chain: str, origin: str) -> None:
    """Check that who signs with `key` may speak as `speaker` does; raises RegistryError."""
    if (speaker.issuer, speaker.subject) != (key.issuer, key.subject):
        raise RegistryError(f"it speaks as {speaker.subject!r} of {speaker.issuer!r}, who does not hold its key")
    if speaker.audience != origin:
        raise RegistryError(f"it is addressed to {speaker.audience!r}, not to {origin!r}")
    if chain not in key.chains:
        raise RegistryError(f"its key is not registered for the chain {chain!r}")
    if key.status is not Status.GOOD:
        raise RegistryError(f"its key was {key.status} by registry entry {key.since}")
