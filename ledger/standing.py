"""Whether a statement may stand in a chain: by the registry's state that its block names."""

from ledger.errors import RegistryError
from ledger.registry import Key, Registry, Status
from ledger.statement import Statement


def require_standing(statement: Statement, registry: Registry, *, chain: str, origin: str) -> Key:
    """Check that `statement` was said by a key that `registry` lets speak, to the chain whose log is `origin`.

    Returns the key. Raises RegistryError, or SignatureError if the signature does not hold.
    """
    key = registry.key(statement.kid)
    if key is None:
        raise RegistryError(f"its key {statement.kid.hex()[:16]}… is not registered")
    statement.verify(key.public_key)
    if (statement.issuer, statement.subject) != (key.issuer, key.subject):
        raise RegistryError(f"it speaks as {statement.subject!r} of {statement.issuer!r}, who does not hold its key")
    if statement.audience != origin:
        raise RegistryError(f"it is addressed to {statement.audience!r}, not to {origin!r}")
    if chain not in key.chains:
        raise RegistryError(f"its key is not registered for the chain {chain!r}")
    if key.status is not Status.GOOD:
        raise RegistryError(f"its key was {key.status} by registry entry {key.since}")
    return key
