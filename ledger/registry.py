"""The registry: whose keys are whose, as a fold over the entries of the chain `registry`.

Each entry is a statement with one public section whose body (content format 65002) is a map with a `type`. What its
signer may not say, or what contradicts the registry, raises RegistryError and changes nothing.
"""

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from ledger import cbor, note, topic
from ledger.errors import MalformedError, NoteError, RegistryError
from ledger.keys import thumbprint
from ledger.log import LogKey, Rotation, keys_of
from ledger.statement import LINES_MAX, StreamKey

REGISTRY, ANCHOR = "registry", "anchor"
CHAIN_KINDS = ("production", "logistics", "trade", REGISTRY, ANCHOR)
PLACES_MAX, STREAM_BYTES = 64, 8
LOG_SIZE_MAX = 2**40  # of a log: what the tables can number
NOTE_CHARS_MAX = 64 * 1024
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


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
    """A label key's entry: for which GTINs (or their prefixes) it may sign, on which days since 2020-01-01."""

    public_key: bytes
    organisation: str
    gtins: tuple[str, ...]
    first_day: int
    last_day: int
    revoked: bool = False


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
class Registry:
    """The state after `size` entries."""

    size: int = 0
    name: str = ""
    root_stream: StreamKey | None = None  # the genesis', if that was folded in as a statement
    chains: dict[str, Chain] = field(default_factory=dict)
    organisations: dict[str, str] = field(default_factory=dict)
    keys: dict[bytes, Key] = field(default_factory=dict)
    label_keys: dict[bytes, LabelScope] = field(default_factory=dict)
    shredded: dict[tuple[str, int, int], int] = field(default_factory=dict)  # (chain, index, line): the entry's index
    rollbacks: list["Rollback"] = field(default_factory=list)
    _log_kids: frozenset[bytes] = frozenset()
    _named: dict[str, bytes] = field(default_factory=dict)  # the newest key of each name
    _subjects: dict[str, str] = field(default_factory=dict)  # whose each URN is, by name

    def copy(self) -> "Registry":
        """A registry of its own that goes on from here."""
        twin = Registry()
        for name, value in vars(self).items():
            setattr(twin, name, value.copy() if isinstance(value, dict | list) else value)
        return twin

    def key(self, kid: bytes) -> Key | None:
        """The registered key `kid`, or None."""
        return self.keys.get(kid)

    def is_good(self, kid: bytes) -> bool:
        """Whether the key is registered, and neither suspended nor revoked."""
        key = self.keys.get(kid)
        return key is not None and key.status is Status.GOOD

    def key_named(self, name: str) -> Key | None:
        """The newest key of a device or service by its name, or None."""
        return self.keys.get(self._named.get(name, b""))

    def apply(self, index: int, kid: bytes, body: bytes) -> Mapping[str, Any]:
        """Take entry `index`, signed by `kid`; returns its map. Raises RegistryError or MalformedError.

        Whatever comes out, the entry has its place: `size` moves on.
        """
        self.size = index + 1
        entry = decode(body)
        if index == 0:
            vars(self).update(vars(_found(entry, kid)))
            return entry
        signer = self.keys.get(kid)
        speakers, apply = _RULES.get(entry["type"], (frozenset(), _refuse_type))
        if signer is None or signer.role not in speakers:
            raise RegistryError(f"a {entry['type']} entry is not for {signer.role if signer else 'an unknown key'}")
        apply(self, entry, index)
        return entry


def decode(body: bytes) -> dict[str, Any]:
    """Read a registry section's body: a map with text keys and a `type`; or MalformedError."""
    entry = cbor.decode(body, depth_max=6)
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        raise MalformedError("a registry entry is a map by name")
    _text(entry, "type")
    return entry


def is_disputed(places: Iterable[Place], chain: str, index: int, stream: bytes, seq: int) -> bool:
    """Whether a statement at this place lies behind one of those from which on a key's statements are disputed."""
    return any(at >= first for where, first in places for of, at in ((chain, index), (stream, seq)) if where == of)


def is_text(value: object) -> TypeGuard[str]:
    """Whether `value` is a text as registry entries have it: 1 to 256 characters, none a control or a surrogate."""
    return isinstance(value, str) and 0 < len(value) <= 256 and not _CONTROLS.search(value)


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


def _found(entry: dict[str, Any], kid: bytes) -> Registry:
    if entry["type"] != "genesis" or _count(entry, "version") != 1:
        raise RegistryError("entry 0 is no genesis of version 1")
    root = _bytes32(entry, "root")
    if thumbprint(root) != kid:
        raise RegistryError("the genesis is not signed by the root key that it names")
    organisation = _text(entry, "organisation")
    chains = _chains(entry)
    log_kids = frozenset(thumbprint(_verifier(chain, chain.vkey).public_key) for chain in chains.values())
    registry = Registry(size=1, name=_text(entry, "name"), chains=chains, _log_kids=log_kids)
    registry.organisations[organisation] = registry.name
    names = frozenset(registry.chains)
    _hold(registry, Key(kid, root, Role.ROOT, "root", organisation, "root", names, 0))
    for service in _maps(entry, "services"):
        _add_key(registry, service, 0, role=_role(service), organisation=organisation, chains=names)
    return registry


def _chains(entry: dict[str, Any]) -> dict[str, Chain]:
    """The genesis' logs: each with a name, an origin and a key of its own, the registry and the anchor among them."""
    chains = [
        Chain(_text(chain, "name"), _text(chain, "origin"), _text(chain, "kind"), _text(chain, "vkey"))
        for chain in _maps(entry, "chains")
    ]
    by_name = {chain.name: chain for chain in chains}
    if not {REGISTRY, ANCHOR} <= by_name.keys() or not all(map(topic.NAME.fullmatch, by_name)):
        raise RegistryError("a genesis names the registry, the anchor, and chains that match [a-z0-9-]{1,32}")
    keys = {_verifier(chain, chain.vkey).public_key for chain in chains}
    if any(len(distinct) != len(chains) for distinct in (by_name, {chain.origin for chain in chains}, keys)):
        raise RegistryError("two logs of a genesis share a name, an origin or a key")
    return by_name


def _verifier(chain: Chain, vkey: str) -> note.Verifier:
    """A verifier key of a log: it is for the log's origin."""
    try:
        verifier = note.Verifier.parse(vkey)
    except NoteError as error:
        raise RegistryError(f"the key of the log {chain.name!r} is no verifier key: {error}") from error
    if verifier.name != chain.origin:
        raise RegistryError("a log's key is for another origin")
    return verifier


def _rotation(registry: Registry, entry: dict[str, Any], index: int) -> None:
    """A log's next key.

    What this rule asks of the registry, the genesis and the rotations before it say alone: so whoever has pinned the
    genesis knows the logs' keys by the root's entries, and need not read the rest (`ledger.trust.succession`).
    """
    chain = registry.chains.get(_text(entry, "chain"))
    if chain is None:
        raise RegistryError("a log's key is for a log that the genesis names")
    rotation = Rotation(_verifier(chain, _text(entry, "vkey")), _size(entry, "first"), _size(entry, "until"))
    kid = thumbprint(rotation.verifier.public_key)
    registered = registry.keys.get(kid)
    if kid in registry._log_kids or (registered is not None and registered.index == 0):
        raise RegistryError("this key is the genesis' or a log's already: a key signs one kind of thing, for one log")
    if rotation.verifier.key_id in {key.verifier.key_id for key in chain.log_keys}:
        raise RegistryError("a key of this log has the same four bytes of key id: make another")
    if not chain.log_keys[-1].first < rotation.first <= rotation.until + 1:
        raise RegistryError("a log's next key begins after the one before it began, and at the latest when that ends")
    registry.chains[chain.name] = replace(chain, rotations=(*chain.rotations, rotation))
    registry._log_kids |= {kid}


def _organisation(registry: Registry, entry: dict[str, Any], index: int) -> None:
    uri = _text(entry, "uri")
    if uri in registry.organisations:
        raise RegistryError(f"organisation {uri} is registered already")
    registry.organisations[uri] = _text(entry, "name")


def _device(registry: Registry, entry: dict[str, Any], index: int) -> None:
    organisation, chains = _text(entry, "organisation"), frozenset(_texts(entry, "chains"))
    if organisation not in registry.organisations:
        raise RegistryError(f"organisation {organisation} is not registered")
    if not chains or not chains <= registry.chains.keys() - {REGISTRY, ANCHOR}:
        raise RegistryError("a device's chains are chains of the ledger, and never the registry or the anchor")
    _add_key(registry, entry, index, role=Role.DEVICE, organisation=organisation, chains=chains)


def _add_key(
    registry: Registry, entry: dict[str, Any], index: int, *, role: Role, organisation: str, chains: frozenset[str]
) -> None:
    name, urn, public_key = _text(entry, "name"), _text(entry, "urn"), _bytes32(entry, "key")
    kid = thumbprint(public_key)
    if not topic.NAME.fullmatch(name):
        raise RegistryError("a device's name matches [a-z0-9-]{1,32}")
    _hold(registry, Key(kid, public_key, role, name, organisation, urn, chains, index))


def _hold(registry: Registry, key: Key) -> None:
    _require_new_key(registry, key.kid)
    holder = registry.key_named(key.name)
    if holder and holder.status is not Status.REVOKED:
        raise RegistryError(f"the name {key.name!r} has a key already; revoke it first")
    if registry._subjects.setdefault(key.subject, key.name) != key.name:
        raise RegistryError(f"the URN {key.subject!r} is another's")
    registry.keys[key.kid] = key
    registry._named[key.name] = key.kid


def _require_new_key(registry: Registry, kid: bytes) -> None:
    if kid in registry.keys or kid in registry.label_keys or kid in registry._log_kids:
        raise RegistryError("this key is registered already: a key signs one kind of thing, for one holder")


def _label_key(registry: Registry, entry: dict[str, Any], index: int) -> None:
    public_key, organisation = _bytes32(entry, "key"), _text(entry, "organisation")
    kid = thumbprint(public_key)
    if organisation not in registry.organisations:
        raise RegistryError(f"organisation {organisation} is not registered")
    _require_new_key(registry, kid)
    gtins = tuple(_texts(entry, "gtins"))
    if not gtins or not all(gtin.isascii() and gtin.isdigit() and len(gtin) <= 14 for gtin in gtins):
        raise RegistryError("a label key signs for GTINs of 14 digits, or prefixes of them")
    first, last = _count(entry, "first_day"), _count(entry, "last_day")
    if first > last:
        raise RegistryError("a label key's last day is before its first")
    registry.label_keys[kid] = LabelScope(public_key, organisation, gtins, first, last)


def _revocation(registry: Registry, entry: dict[str, Any], index: int) -> None:
    """A key is revoked for ever. Of one that is, another revocation may say that more is disputed."""
    kid, places = _bytes32(entry, "kid"), _places(registry, entry)
    if kid in registry.label_keys:
        registry.label_keys[kid] = replace(registry.label_keys[kid], revoked=True)
        return
    key = registry.keys.get(kid)
    if key is None or key.status is not Status.REVOKED or not places:
        _set_status(registry, kid, Status.REVOKED, index)
    key = registry.keys[kid]
    registry.keys[kid] = replace(key, disputed=tuple(dict.fromkeys((*key.disputed, *places))))


def _places(registry: Registry, entry: dict[str, Any]) -> tuple[Place, ...]:
    values = entry.get("disputed", [])
    if not isinstance(values, list) or len(values) > PLACES_MAX:
        raise MalformedError(f"what is disputed is a list of at most {PLACES_MAX} places")
    return tuple(_place(registry, value) for value in values)


def _place(registry: Registry, value: Any) -> Place:
    match value:
        case [str(chain), index] if cbor.is_count(index) and index < LOG_SIZE_MAX:
            if chain not in registry.chains:
                raise RegistryError("a place is on a chain of the ledger")
            return chain, index
        case [bytes(stream), seq] if len(stream) == STREAM_BYTES and cbor.is_count(seq):
            return stream, seq
    raise MalformedError("a place is [chain, index] or [stream, seq]")


def _suspension(registry: Registry, entry: dict[str, Any], index: int) -> None:
    _set_status(registry, _bytes32(entry, "kid"), Status.SUSPENDED, index)


def _reinstatement(registry: Registry, entry: dict[str, Any], index: int) -> None:
    _set_status(registry, _bytes32(entry, "kid"), Status.GOOD, index)


def _set_status(registry: Registry, kid: bytes, status: Status, index: int) -> None:
    key = registry.keys.get(kid)
    if key is None or key.role is not Role.DEVICE:
        raise RegistryError("only a registered device's key is suspended, revoked or reinstated here")
    if key.status is Status.REVOKED:
        raise RegistryError("a revoked key stays revoked")
    if key.status is status:
        return  # two chains may find one clone: `since` stays with the first
    registry.keys[kid] = replace(key, status=status, since=None if status is Status.GOOD else index)


def _finding(registry: Registry, entry: dict[str, Any], index: int) -> None:
    """A finding stands for itself: it changes no key. Its items are [index, line, reason]."""
    if _text(entry, "chain") not in registry.chains:
        raise RegistryError("a finding is about a chain of the ledger")
    items = entry.get("items")
    if not isinstance(items, list) or not items or not all(map(_is_finding, items)):
        raise MalformedError("a finding's items are a list of [index, line, reason]")


def _is_finding(item: Any) -> bool:
    match item:
        case [about, line, str(reason)]:
            numbers = cbor.is_count(about) and about < LOG_SIZE_MAX and cbor.is_count(line)
            return numbers and 0 < len(reason) <= 256 and "\x00" not in reason
    return False


def _label_batch(registry: Registry, entry: dict[str, Any], index: int) -> None:
    """A batch of labels stands for itself: it changes no key."""
    gtin = _text(entry, "gtin")
    if not (len(gtin) == 14 and gtin.isascii() and gtin.isdigit()):
        raise RegistryError("a batch of labels is of a GTIN of 14 digits")
    _text(entry, "lot"), _count(entry, "size"), _bytes32(entry, "root"), _bytes32(entry, "kid")


def _shredding(registry: Registry, entry: dict[str, Any], index: int) -> None:
    """Sections whose content is deleted. Its items are [index, line]; to shred twice changes nothing."""
    chain, items = _text(entry, "chain"), entry.get("items")
    if chain not in registry.chains.keys() - {REGISTRY, ANCHOR}:
        raise RegistryError("what is shredded is of a chain of the ledger, and never of the registry or the anchor")
    if not isinstance(items, list) or not items or not all(map(_is_place, items)):
        raise MalformedError("a shredding's items are a list of [index, line]")
    _text(entry, "reason")
    for about, line in items:
        registry.shredded.setdefault((chain, about, line), index)


def _is_place(item: Any) -> bool:
    match item:
        case [about, line]:
            return cbor.is_count(about) and about < LOG_SIZE_MAX and cbor.is_count(line) and line < LINES_MAX
    return False


def _rollback(registry: Registry, entry: dict[str, Any], index: int) -> None:
    """A chain goes on from an older state than was published: said by whoever decided it. It changes no key."""
    chain, lost = _text(entry, "chain"), entry.get("lost")
    if chain not in registry.chains:
        raise RegistryError("a rollback is of a chain of the ledger")
    if lost is not None and not (isinstance(lost, str) and len(lost) <= NOTE_CHARS_MAX):
        raise MalformedError("a rollback's lost checkpoint is a signed note, or null")
    match entry.get("accepted"):
        case [size, bytes(root)] if cbor.is_count(size) and size < LOG_SIZE_MAX and len(root) == 32:
            _text(entry, "reason")
            registry.rollbacks.append(Rollback(chain, lost, size, root, index))
        case _:
            raise MalformedError("a rollback's accepted state is [size, root]")


def _refuse_type(registry: Registry, entry: dict[str, Any], index: int) -> None:
    raise RegistryError(f"{entry['type']!r} is no registry entry")


_Apply = Callable[[Registry, dict[str, Any], int], None]
_RULES: dict[str, tuple[frozenset[Role], _Apply]] = {
    "log-key": (frozenset({Role.ROOT}), _rotation),
    "organisation": (frozenset({Role.OPERATOR}), _organisation),
    "device": (frozenset({Role.OPERATOR}), _device),
    "label-key": (frozenset({Role.OPERATOR}), _label_key),
    "revocation": (frozenset({Role.OPERATOR}), _revocation),
    "reinstatement": (frozenset({Role.OPERATOR}), _reinstatement),
    "suspension": (frozenset({Role.GATEWAY, Role.OPERATOR}), _suspension),
    "finding": (frozenset({Role.GATEWAY}), _finding),
    "label-batch": (frozenset({Role.LABELS}), _label_batch),
    "shredding": (frozenset({Role.OPERATOR}), _shredding),
    "rollback": (frozenset({Role.OPERATOR}), _rollback),
}


def _role(entry: dict[str, Any]) -> Role:
    role = _text(entry, "role")
    if role not in (Role.OPERATOR, Role.GATEWAY, Role.LABELS):
        raise RegistryError(f"{role!r} is no service's role")
    return Role(role)


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    if not is_text(value):
        raise MalformedError(f"a registry entry's {key} is a text of 1 to 256 characters, none a control")
    return value


def _bytes32(entry: dict[str, Any], key: str) -> bytes:
    value = entry.get(key)
    if not isinstance(value, bytes) or len(value) != 32:
        raise MalformedError(f"a registry entry's {key} is 32 bytes")
    return value


def _count(entry: dict[str, Any], key: str) -> int:
    value = entry.get(key)
    if not cbor.is_count(value) or value >= 2**31:
        raise MalformedError(f"a registry entry's {key} is a small number")
    return value


def _size(entry: dict[str, Any], key: str) -> int:
    value = entry.get(key)
    if not cbor.is_count(value) or value >= LOG_SIZE_MAX:
        raise MalformedError(f"a registry entry's {key} is a tree size below 2**40")
    return value


def _texts(entry: dict[str, Any], key: str) -> list[str]:
    values = entry.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise MalformedError(f"a registry entry's {key} is a list of texts")
    return values


def _maps(entry: dict[str, Any], key: str) -> list[dict[str, Any]]:
    values = entry.get(key)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise MalformedError(f"a registry entry's {key} is a list of maps")
    return values
