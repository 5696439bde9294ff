"""Which registry entries made a key what it is: those that a proof must carry for it."""

from dataclasses import dataclass, field
from typing import Any

from ledger import fold, registry
from ledger.errors import MalformedError, UserError
from ledger.fold import Stored
from ledger.keys import thumbprint
from ledger.registry import Registry
from ledger.section import ContentFormat
from ledger.statement import Statement

_KEY_ENTRIES = ("suspension", "reinstatement", "revocation")


@dataclass
class KeyHistory:
    """The registry's state, and which of its entries made each key and organisation what they are."""

    state: Registry = field(default_factory=Registry)
    of_key: dict[bytes, list[int]] = field(default_factory=dict)
    of_organisation: dict[str, int] = field(default_factory=dict)

    def add(self, stored: Stored) -> None:
        """Fold one more entry in."""
        kids, organisations = subjects(stored)
        before = {kid: self.state.key(kid) for kid in kids}
        known = [uri for uri in organisations if uri in self.state.organisations]
        fold.apply(self.state, stored)
        for kid in kids:
            if self.state.key(kid) != before[kid]:
                self.of_key.setdefault(kid, []).append(stored.index)
        for uri in organisations:
            if uri not in known and uri in self.state.organisations:
                self.of_organisation[uri] = stored.index

    def concerning(self, kid: bytes, size: int) -> list[int]:
        """The entries below `size` by which `kid` came to be what it was then, the genesis first."""
        key = self.state.key(kid)
        if key is None:
            raise UserError(f"the key {kid.hex()[:16]}… is not registered", "run 'tallystick ledger audit'")
        organisation = self.of_organisation.get(key.issuer, 0)
        return sorted({0, organisation, *(index for index in self.of_key.get(kid, ()) if index < size)})


def subjects(stored: Stored) -> tuple[set[bytes], set[str]]:
    """The keys and organisations that a registry entry may say something of."""
    kids, organisations = set[bytes](), set[str]()
    for body in bodies(stored):
        match body:
            case {"type": "device", "key": bytes(key)}:
                kids.add(thumbprint(key))
            case {"type": str(kind), "kid": bytes(kid)} if kind in _KEY_ENTRIES:
                kids.add(kid)
            case {"type": "organisation", "uri": str(uri)}:
                organisations.add(uri)
    return kids, organisations


def bodies(stored: Stored) -> list[dict[str, Any]]:
    """What a registry entry says, by section; nothing if it cannot be read."""
    try:
        manifest = Statement.decode(stored.data).manifest
        bodies = [stored.body(n) for n, line in enumerate(manifest) if line.content_format == ContentFormat.REGISTRY]
        return [registry.decode(body) for body in bodies if body is not None]
    except MalformedError:
        return []
