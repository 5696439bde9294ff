"""The keys of the logs: the genesis', and each log's next one."""

from dataclasses import replace
from typing import Any

from ledger import note
from ledger.errors import NoteError, RegistryError
from ledger.keys import thumbprint
from ledger.log import Rotation
from ledger.registry import fields
from ledger.registry.state import Chain, State


def verifier_of(chain: Chain, vkey: str) -> note.Verifier:
    """A verifier key of a log: it is for the log's origin."""
    try:
        verifier = note.Verifier.parse(vkey)
    except NoteError as error:
        raise RegistryError(f"the key of the log {chain.name!r} is no verifier key: {error}") from error
    if verifier.name != chain.origin:
        raise RegistryError("a log's key is for another origin")
    return verifier


def log_key(registry: State, entry: dict[str, Any], index: int) -> None:
    """A log's next key.

    What this rule asks of the registry, the genesis and the rotations before it say alone: so whoever has pinned the
    genesis knows the logs' keys by the root's entries, and need not read the rest (`ledger.trust.succession`).
    """
    chain = registry.chains.get(fields.text(entry, "chain"))
    if chain is None:
        raise RegistryError("a log's key is for a log that the genesis names")
    verifier = verifier_of(chain, fields.text(entry, "vkey"))
    rotation = Rotation(verifier, fields.tree_size(entry, "first"), fields.tree_size(entry, "until"))
    kid = thumbprint(rotation.verifier.public_key)
    registered = registry.keys.get(kid)
    if kid in registry.log_kids or (registered is not None and registered.index == 0):
        raise RegistryError("this key is the genesis' or a log's already: a key signs one kind of thing, for one log")
    if rotation.verifier.key_id in {key.verifier.key_id for key in chain.log_keys}:
        raise RegistryError("a key of this log has the same four bytes of key id: make another")
    if not chain.log_keys[-1].first < rotation.first <= rotation.until + 1:
        raise RegistryError("a log's next key begins after the one before it began, and at the latest when that ends")
    registry.chains[chain.name] = replace(chain, rotations=(*chain.rotations, rotation))
    registry.log_kids |= {kid}
