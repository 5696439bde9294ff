"""What the registry knows: keys, label keys, chains, and what became of them. Values, without a rule."""

import enum
from dataclasses import dataclass, field

from ledger import note
from ledger.log import LogKey, Rotation, keys_of
from ledger.statement import StreamKey

REGISTRY, ANCHOR = "registry", "anchor"
CHAIN_KINDS = ("production", "logistics", "trade", REGISTRY, ANCHOR)


class Role(enum.StrEnum):
    """What a key may sign."""

    ROOT = "root"
    OPERATOR = "operator"
    GATEWAY = "gateway"
    LABELS = "labels"
    DEVICE = "device"


class Status(enum.StrEnum):
    """Whether a key's statements are admitted from now on."""

    GOOD = "good"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


Place = tuple[str | bytes, int]
"""Where something begins: an index on a chain, by its name; or a seq of a stream, by its eight bytes."""


@dataclass(frozen=True, slots=True)
class Key:
    """A registered key: who holds it, for which chains, and the registry index that introduced it.

    What it signed from one of the `disputed` places on may be a thief's: a revocation says so.
    """

    kid: bytes
    public_key: bytes
    role: Role
    name: str
    issuer: str
    subject: str
    chains: frozenset[str]
    index: int
    status: Status = Status.GOOD
    since: int | None = None  # the registry index that suspended or revoked it
    disputed: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelScope:
    """A label key's entry: for which GTINs (or their prefixes) it may sign, on which days since 2020-01-01.

    A key that was made for one batch names that: its lot, and the Merkle root of its labels.
    """

    public_key: bytes
    organisation: str
    gtins: tuple[str, ...]
    first_day: int
    last_day: int
    revoked: bool = False
    lot: str | None = None
    batch: bytes | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """What must not be used, since when and why, by the newest registry entry that says so of its place.

    The place is a product, by its GTIN of 14 digits, or one lot or one item of it; of the latter two at most one is not
    "". `since` is a day as the entry has it.
    """

    gtin: str
    lot: str
    serial: str
    organisation: str
    reason: str
    since: str
    entry: int

    @property
    def place(self) -> tuple[str, str, str]:
        """Its GTIN, lot and serial."""
        return self.gtin, self.lot, self.serial


@dataclass(frozen=True, slots=True)
class Rollback:
    """The operator's decision that `chain` goes on from `size` and `root`, and who had seen more holds evidence.

    `lost` is the published checkpoint that the database no longer leads to, a signed note, or None if there was none.
    """

    chain: str
    lost: str | None
    size: int
    root: bytes
    index: int  # the registry entry that says so


@dataclass(frozen=True, slots=True)
class Chain:
    """A log that the genesis names: short name, origin, kind, its note verifier key, and those that followed it."""

    name: str
    origin: str
    kind: str
    vkey: str
    rotations: tuple[Rotation, ...] = ()

    @property
    def log_keys(self) -> tuple[LogKey, ...]:
        """The log's keys with the sizes that they sign for, the oldest first."""
        return keys_of(note.Verifier.parse(self.vkey), self.rotations)


@dataclass
class State:
    """The state after `size` entries."""

    size: int = 0
    name: str = ""
    root_stream: StreamKey | None = None  # the genesis', if that was folded in as a statement
    chains: dict[str, Chain] = field(default_factory=dict)
    organisations: dict[str, str] = field(default_factory=dict)
    prefixes: dict[str, tuple[str, ...]] = field(default_factory=dict)  # GS1 Company Prefixes, of who declared any
    keys: dict[bytes, Key] = field(default_factory=dict)
    label_keys: dict[bytes, LabelScope] = field(default_factory=dict)
    recalls: dict[tuple[str, str, str], Recalled] = field(default_factory=dict)  # those that stand, by place
    shredded: dict[tuple[str, int, int], int] = field(default_factory=dict)  # (chain, index, line): the entry's index
    rollbacks: list[Rollback] = field(default_factory=list)
    log_kids: frozenset[bytes] = frozenset()
    named: dict[str, bytes] = field(default_factory=dict)  # the newest key of each name
    subjects: dict[str, str] = field(default_factory=dict)  # whose each URN is, by name

    def key(self, kid: bytes) -> Key | None:
        """The registered key `kid`, or None."""
        return self.keys.get(kid)

    def is_good(self, kid: bytes) -> bool:
        """Whether the key is registered, and neither suspended nor revoked."""
        key = self.keys.get(kid)
        return key is not None and key.status is Status.GOOD

    def key_named(self, name: str) -> Key | None:
        """The newest key of a device or service by its name, or None."""
        return self.keys.get(self.named.get(name, b""))
