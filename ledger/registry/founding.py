"""The genesis: entry 0, that names the logs, the root key and the services."""

from typing import Any

from ledger import cbor, topic
from ledger.errors import RegistryError
from ledger.keys import thumbprint
from ledger.registry import fields
from ledger.registry.keys import add_key, hold
from ledger.registry.log_keys import verifier_of
from ledger.registry.state import ANCHOR, REGISTRY, Chain, Key, Role, State


def genesis(name: str, *, chains: list[Chain], root: bytes, services: list[dict[str, Any]], organisation: str) -> bytes:
    """The body of entry 0: the logs, the operator's root key, and the keys of its services."""
    return cbor.encode(
        {
            "type": "genesis",
            "version": 1,
            "name": name,
            "organisation": organisation,
            "chains": [{"name": c.name, "origin": c.origin, "kind": c.kind, "vkey": c.vkey} for c in chains],
            "root": root,
            "services": services,
        }
    )


def found(entry: dict[str, Any], kid: bytes) -> State:
    """The state that a genesis begins, signed by `kid`."""
    if entry["type"] != "genesis" or fields.count(entry, "version") != 1:
        raise RegistryError("entry 0 is no genesis of version 1")
    root = fields.bytes32(entry, "root")
    if thumbprint(root) != kid:
        raise RegistryError("the genesis is not signed by the root key that it names")
    organisation = fields.text(entry, "organisation")
    chains = _chains(entry)
    log_kids = frozenset(thumbprint(verifier_of(chain, chain.vkey).public_key) for chain in chains.values())
    registry = State(size=1, name=fields.text(entry, "name"), chains=chains, log_kids=log_kids)
    registry.organisations[organisation] = registry.name
    names = frozenset(registry.chains)
    hold(registry, Key(kid, root, Role.ROOT, "root", organisation, "root", names, 0))
    for service in fields.maps(entry, "services"):
        add_key(registry, service, 0, role=_role(service), organisation=organisation, chains=names)
    return registry


def _chains(entry: dict[str, Any]) -> dict[str, Chain]:
    """The genesis' logs: each with a name, an origin and a key of its own, the registry and the anchor among them."""
    chains = [_chain(chain) for chain in fields.maps(entry, "chains")]
    by_name = {chain.name: chain for chain in chains}
    if not {REGISTRY, ANCHOR} <= by_name.keys() or not all(map(topic.NAME.fullmatch, by_name)):
        raise RegistryError("a genesis names the registry, the anchor, and chains that match [a-z0-9-]{1,32}")
    keys = {verifier_of(chain, chain.vkey).public_key for chain in chains}
    if any(len(distinct) != len(chains) for distinct in (by_name, {chain.origin for chain in chains}, keys)):
        raise RegistryError("two logs of a genesis share a name, an origin or a key")
    return by_name


def _chain(entry: dict[str, Any]) -> Chain:
    name, origin = fields.text(entry, "name"), fields.text(entry, "origin")
    return Chain(name, origin, fields.text(entry, "kind"), fields.text(entry, "vkey"))


def _role(entry: dict[str, Any]) -> Role:
    role = fields.text(entry, "role")
    if role not in (Role.OPERATOR, Role.GATEWAY, Role.LABELS):
        raise RegistryError(f"{role!r} is no service's role")
    return Role(role)
