"""What the registry says of labels: the keys that may sign them, and the batches that were issued. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from labels.batch import Batch
from labels.catalogue.catalogue import Catalogue, Entered
from labels.catalogue.recall import Recall
from labels.signature import LabelKey
from ledger.registry import Chain, Key, Role
from ledger.registry.prefixes import Prefixes


@dataclass(frozen=True, slots=True)
class IssuedBatch:
    """A batch, and the registry entry that published it."""

    batch: Batch
    index: int
    statement_hash: bytes
    issued_at: int


@dataclass(frozen=True)
class Book:
    """The registry at `size`, as labels need it.

    `key_entries` and `revoked_at` are the registry indices at which a label key was registered, and fell. `shredded`
    has by a statement's chain and index the lines that are gone, each with the registry entry that says so.
    """

    size: int = 0
    organisations: Mapping[str, str] = field(default_factory=dict)
    prefixes: Prefixes = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    keys: Mapping[bytes, Key] = field(default_factory=dict)
    label_keys: tuple[LabelKey, ...] = ()
    key_entries: Mapping[bytes, int] = field(default_factory=dict)
    revoked_at: Mapping[bytes, int] = field(default_factory=dict)
    batches: Mapping[bytes, IssuedBatch] = field(default_factory=dict)
    shredded: Mapping[tuple[str, int], Mapping[int, int]] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue)

    def lots(self, gtin: str, lot: str | None = None) -> list[IssuedBatch]:
        """The batches of a product, or of one lot of it, in the order of issue."""
        return [
            issued for issued in self.batches.values() if issued.batch.gtin == gtin and lot in (None, issued.batch.lot)
        ]

    def recalled(self, gtin: str, lot: str | None = None, serial: str | None = None) -> Entered[Recall] | None:
        """The recall that stands of a product, a lot or an item, as `Catalogue.recalled`."""
        return self.catalogue.recalled(gtin, lot, serial)

    def key_named(self, name: str) -> Key:
        """The newest key of a service; LookupError if there is none."""
        found = next((key for key in reversed(list(self.keys.values())) if key.name == name), None)
        if found is None:
            raise LookupError(f"the registry names no {name!r}")
        return found

    @cached_property
    def _owners(self) -> Mapping[bytes, str]:
        return {line.thumbprint: line.organisation for line in self.label_keys}

    @property
    def operator(self) -> str:
        """The URI of the organisation that operates the ledger."""
        return self.key_named(Role.OPERATOR).issuer

    def labels_of(self, kid: bytes) -> str | None:
        """The URI of the organisation whose labels a label key signs, if the registry knows it."""
        return self._owners.get(kid)

    def organisation(self, uri: str) -> str:
        """The registered name of an organisation, or its URI."""
        return self.organisations.get(uri, uri)
