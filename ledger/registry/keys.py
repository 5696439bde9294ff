"""Who holds which key: organisations and their devices."""

from typing import Any

from ledger import topic
from ledger.errors import RegistryError
from ledger.keys import thumbprint
from ledger.registry import fields, prefixes
from ledger.registry.state import ANCHOR, REGISTRY, Key, Role, State, Status

PREFIXES_MAX = 64


def organisation(registry: State, entry: dict[str, Any], index: int) -> None:
    """An organisation, by its URI, and its GS1 Company Prefixes. Of one that is registered it says those anew."""
    uri = fields.text(entry, "uri")
    if uri in registry.organisations and "prefixes" not in entry:
        raise RegistryError(f"organisation {uri} is registered already")
    name = fields.text(entry, "name")
    if registry.organisations.get(uri, name) != name:
        raise RegistryError(f"organisation {uri} is registered by another name")
    if "prefixes" in entry:
        registry.prefixes[uri] = _prefixes(registry, uri, fields.texts(entry, "prefixes"))
    registry.organisations[uri] = name


def _prefixes(registry: State, uri: str, said: list[str]) -> tuple[str, ...]:
    if not said or len(said) > PREFIXES_MAX or not all(map(prefixes.is_prefix, said)):
        raise RegistryError(f"an organisation has 1 to {PREFIXES_MAX} GS1 Company Prefixes, of 4 to 12 digits each")
    if other := prefixes.overlapping(registry.prefixes, uri, said):
        raise RegistryError(f"{other} has declared a GS1 Company Prefix of the same GTINs")
    return tuple(said)


def device(registry: State, entry: dict[str, Any], index: int) -> None:
    """A device of an organisation, and its key."""
    organisation, chains = fields.text(entry, "organisation"), frozenset(fields.texts(entry, "chains"))
    if organisation not in registry.organisations:
        raise RegistryError(f"organisation {organisation} is not registered")
    if not chains or not chains <= registry.chains.keys() - {REGISTRY, ANCHOR}:
        raise RegistryError("a device's chains are chains of the ledger, and never the registry or the anchor")
    add_key(registry, entry, index, role=Role.DEVICE, organisation=organisation, chains=chains)


def add_key(
    registry: State, entry: dict[str, Any], index: int, *, role: Role, organisation: str, chains: frozenset[str]
) -> None:
    """Register a device's or a service's key, as its entry says."""
    name, urn, public_key = fields.text(entry, "name"), fields.text(entry, "urn"), fields.bytes32(entry, "key")
    kid = thumbprint(public_key)
    if not topic.NAME.fullmatch(name):
        raise RegistryError("a device's name matches [a-z0-9-]{1,32}")
    hold(registry, Key(kid, public_key, role, name, organisation, urn, chains, index))


def hold(registry: State, key: Key) -> None:
    """Register a key under its holder's name and URN."""
    require_new_key(registry, key.kid)
    holder = registry.key_named(key.name)
    if holder and holder.status is not Status.REVOKED:
        raise RegistryError(f"the name {key.name!r} has a key already; revoke it first")
    if registry.subjects.setdefault(key.subject, key.name) != key.name:
        raise RegistryError(f"the URN {key.subject!r} is another's")
    registry.keys[key.kid] = key
    registry.named[key.name] = key.kid


def require_new_key(registry: State, kid: bytes) -> None:
    """Raise RegistryError if the key is anybody's already."""
    if kid in registry.keys or kid in registry.label_keys or kid in registry.log_kids:
        raise RegistryError("this key is registered already: a key signs one kind of thing, for one holder")
