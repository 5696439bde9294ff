"""Whether a key is good: suspended, reinstated, revoked, and from where on what it signed is disputed."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ledger import cbor
from ledger.errors import MalformedError, RegistryError
from ledger.registry import fields
from ledger.registry.fields import LOG_SIZE_MAX
from ledger.registry.state import Place, Role, State, Status

PLACES_MAX, STREAM_BYTES = 64, 8


def is_disputed(places: Iterable[Place], chain: str, index: int, stream: bytes, seq: int) -> bool:
    """Whether a statement at this place lies behind one of those from which on a key's statements are disputed."""
    return any(at >= first for where, first in places for of, at in ((chain, index), (stream, seq)) if where == of)


def revocation(registry: State, entry: dict[str, Any], index: int) -> None:
    """A key is revoked for ever. Of one that is, another revocation may say that more is disputed."""
    kid, places = fields.bytes32(entry, "kid"), _places(registry, entry)
    if kid in registry.label_keys:
        registry.label_keys[kid] = replace(registry.label_keys[kid], revoked=True)
        return
    key = registry.keys.get(kid)
    if key is None or key.status is not Status.REVOKED or not places:
        _set_status(registry, kid, Status.REVOKED, index)
    key = registry.keys[kid]
    registry.keys[kid] = replace(key, disputed=tuple(dict.fromkeys((*key.disputed, *places))))


def suspension(registry: State, entry: dict[str, Any], index: int) -> None:
    """A device's key is no longer good, until a reinstatement."""
    _set_status(registry, fields.bytes32(entry, "kid"), Status.SUSPENDED, index)


def reinstatement(registry: State, entry: dict[str, Any], index: int) -> None:
    """A suspended key is good again."""
    _set_status(registry, fields.bytes32(entry, "kid"), Status.GOOD, index)


def _set_status(registry: State, kid: bytes, status: Status, index: int) -> None:
    key = registry.keys.get(kid)
    if key is None or key.role is not Role.DEVICE:
        raise RegistryError("only a registered device's key is suspended, revoked or reinstated here")
    if key.status is Status.REVOKED:
        raise RegistryError("a revoked key stays revoked")
    if key.status is status:
        return  # two chains may find one clone: `since` stays with the first
    registry.keys[kid] = replace(key, status=status, since=None if status is Status.GOOD else index)


def _places(registry: State, entry: dict[str, Any]) -> tuple[Place, ...]:
    values = entry.get("disputed", [])
    if not isinstance(values, list) or len(values) > PLACES_MAX:
        raise MalformedError(f"what is disputed is a list of at most {PLACES_MAX} places")
    return tuple(_place(registry, value) for value in values)


def _place(registry: State, value: Any) -> Place:
    match value:
        case [str(chain), index] if cbor.is_count(index) and index < LOG_SIZE_MAX:
            if chain not in registry.chains:
                raise RegistryError("a place is on a chain of the ledger")
            return chain, index
        case [bytes(stream), seq] if len(stream) == STREAM_BYTES and cbor.is_count(seq):
            return stream, seq
    raise MalformedError("a place is [chain, index] or [stream, seq]")
