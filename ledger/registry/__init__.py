"""The registry: whose keys are whose, as a fold over the entries of the chain `registry`.

Each entry is a statement with one public section whose body (content format 65002) is a map with a `type`. What its
signer may not say, or what contradicts the registry, raises RegistryError and changes nothing.
"""

from ledger.registry.fields import LOG_SIZE_MAX, is_text
from ledger.registry.founding import genesis
from ledger.registry.registry import RULES, Registry, decode
from ledger.registry.standing import PLACES_MAX, STREAM_BYTES, is_disputed
from ledger.registry.state import (
    ANCHOR,
    CHAIN_KINDS,
    REGISTRY,
    Chain,
    Key,
    LabelScope,
    Place,
    Recalled,
    Role,
    Rollback,
    State,
    Status,
)
from ledger.registry.told import NOTE_CHARS_MAX

__all__ = [
    "ANCHOR",
    "CHAIN_KINDS",
    "LOG_SIZE_MAX",
    "NOTE_CHARS_MAX",
    "PLACES_MAX",
    "REGISTRY",
    "RULES",
    "STREAM_BYTES",
    "Chain",
    "Key",
    "LabelScope",
    "Place",
    "Recalled",
    "Registry",
    "Role",
    "Rollback",
    "State",
    "Status",
    "decode",
    "genesis",
    "is_disputed",
    "is_text",
]
