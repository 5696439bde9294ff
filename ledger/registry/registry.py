"""The fold: each type of entry, who may say it, and the rule that takes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger import cbor
from ledger.errors import MalformedError, RegistryError
from ledger.registry import catalogue, fields, keys, labels, log_keys, standing, told
from ledger.registry.founding import found
from ledger.registry.state import Role, State


@dataclass
class Registry(State):
    """The state after `size` entries, that entries are folded into."""

    def copy(self) -> "Registry":
        """A registry of its own that goes on from here."""
        twin = Registry()
        for name, value in vars(self).items():
            setattr(twin, name, value.copy() if isinstance(value, dict | list) else value)
        return twin

    def apply(self, index: int, kid: bytes, body: bytes) -> Mapping[str, Any]:
        """Take entry `index`, signed by `kid`; returns its map. Raises RegistryError or MalformedError.

        Whatever comes out, the entry has its place: `size` moves on.
        """
        self.size = index + 1
        entry = decode(body)
        if index == 0:
            vars(self).update(vars(found(entry, kid)))
            return entry
        signer = self.keys.get(kid)
        speakers, apply = RULES.get(entry["type"], (frozenset(), _refuse_type))
        if signer is None or signer.role not in speakers:
            raise RegistryError(f"a {entry['type']} entry is not for {signer.role if signer else 'an unknown key'}")
        apply(self, entry, index)
        return entry


def decode(body: bytes) -> dict[str, Any]:
    """Read a registry section's body: a map with text keys and a `type`; or MalformedError."""
    entry = cbor.decode(body, depth_max=6)
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        raise MalformedError("a registry entry is a map by name")
    fields.text(entry, "type")
    return entry


def _refuse_type(registry: State, entry: dict[str, Any], index: int) -> None:
    raise RegistryError(f"{entry['type']!r} is no registry entry")


_Apply = Callable[[State, dict[str, Any], int], None]
RULES: dict[str, tuple[frozenset[Role], _Apply]] = {
    "log-key": (frozenset({Role.ROOT}), log_keys.log_key),
    "organisation": (frozenset({Role.OPERATOR}), keys.organisation),
    "device": (frozenset({Role.OPERATOR}), keys.device),
    "label-key": (frozenset({Role.OPERATOR}), labels.label_key),
    "revocation": (frozenset({Role.OPERATOR}), standing.revocation),
    "reinstatement": (frozenset({Role.OPERATOR}), standing.reinstatement),
    "suspension": (frozenset({Role.GATEWAY, Role.OPERATOR}), standing.suspension),
    "finding": (frozenset({Role.GATEWAY}), told.finding),
    "label-batch": (frozenset({Role.LABELS}), labels.label_batch),
    "label-finding": (frozenset({Role.LABELS}), labels.label_finding),
    "product": (frozenset({Role.OPERATOR}), catalogue.product),
    "recall": (frozenset({Role.OPERATOR}), catalogue.recall),
    "recall-lifting": (frozenset({Role.OPERATOR}), catalogue.recall_lifting),
    "shredding": (frozenset({Role.OPERATOR}), told.shredding),
    "rollback": (frozenset({Role.OPERATOR}), told.rollback),
}
