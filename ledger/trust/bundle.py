"""The trust bundle: a trust file that the operator signs anew now and then, with an age and an end.

It is a signed note (C2SP signed-note) whose text is a JSON object. Its signature is the operator's, whose key the
genesis names; the genesis and all that root keys have said since are in it, so a reader needs nothing but the pin.

    tallystick-trust   2
    name, genesis      the ledger's name, and the SHA-256 of its genesis in hexadecimal
    issued_at, expires_at   seconds since 1970
    registry           {size, root}: the state of the registry by which this is told
    logs               by chain: a list of {vkey, first, last}, the sizes that each key signs for; last null: no end yet
    revoked_keys       of devices: {kid, name, entry, disputed}: the registry entry that revoked it, and the places from
                       which on what it signed is disputed: {chain, index} or {stream, seq}
    label_keys         for scanners: {key, organisation, gtins, first_day, last_day, revoked}, days since 2020-01-01
    root               the messages of the root key's stream in base64, the genesis first: what `logs` follows from

Times are the operator's word. What is proven does not become false when a bundle expires; but keys that were retired
or revoked since are missing from it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ledger import b64, note
from ledger.errors import MalformedError, NoteError, TrustError
from ledger.log import Log
from ledger.registry import Key, LabelScope, Place, Registry, Role, is_disputed, is_text
from ledger.topic import NAME
from ledger.trust import succession

VERSION = 2
BUNDLE_BYTES_MAX = note.NOTE_BYTES_MAX
TIME_MAX = 2**40
_SEPARATOR = "\n\n"


class _Key(Protocol):
    @property
    def public(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Revoked:
    """A device's key that registry entry `entry` has revoked, and from which places on what it signed is disputed."""

    kid: bytes
    name: str
    entry: int
    disputed: tuple[Place, ...]

    @classmethod
    def of(cls, key: Key) -> "Revoked":
        """The line for a revoked key as the registry has it."""
        return cls(key.kid, key.name, key.since or 0, key.disputed)

    def disputes(self, chain: str, index: int, stream: bytes, seq: int) -> bool:
        """Whether its statement at this place is disputed."""
        return is_disputed(self.disputed, chain, index, stream, seq)


@dataclass(frozen=True)
class TrustBundle:
    """What an operator's signed trust bundle says; times are in seconds since 1970.

    `registry` is the (size, root) by which it is told; `revoked` are devices' keys by kid; `messages` are the root
    key's, the genesis first; `logs` are those that follow from them. `note` is the whole signed text.
    """

    name: str
    genesis: bytes
    issued_at: int
    expires_at: int
    registry: tuple[int, bytes]
    revoked: Mapping[bytes, Revoked]
    label_keys: tuple[LabelScope, ...]
    messages: tuple[bytes, ...]
    logs: Mapping[str, Log]
    note: str

    @classmethod
    def issue(
        cls,
        genesis: bytes,
        messages: Sequence[bytes],
        *,
        key: _Key,
        revoked: Sequence[Revoked],
        label_keys: Sequence[LabelScope],
        registry: tuple[int, bytes],
        issued_at: int,
        expires_at: int,
    ) -> "TrustBundle":
        """A new one, signed by the operator's `key`; raises TrustError for what is no bundle."""
        state = succession.follow(genesis, messages)
        fields = {
            "tallystick-trust": VERSION,
            "name": state.name,
            "genesis": genesis.hex(),
            "issued_at": issued_at,
            "expires_at": expires_at,
            "registry": {"size": registry[0], "root": registry[1].hex()},
            "logs": _logs_value(succession.logs(state.chains)),
            "revoked_keys": [_revoked_value(key) for key in revoked],
            "label_keys": [_scope_value(scope) for scope in label_keys],
            "root": [b64.encode(message) for message in messages],
        }
        try:
            text = note.sign(json.dumps(fields, indent=1) + "\n", [note.Signer(signed_as(state), key)])
        except NoteError as error:
            raise TrustError(f"it makes no bundle: {error}") from error
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> "TrustBundle":
        """Read a bundle; any text gives one whose parts agree and whose signature holds, or TrustError."""
        fields = _fields(text)
        genesis, messages = _hash(fields["genesis"], "genesis"), read_messages(fields["root"])
        state = succession.follow(genesis, messages)
        try:
            note.open(text, [note.Verifier(signed_as(state), _operator(state))])
        except NoteError as error:
            raise TrustError(f"it is not the operator's: {error}") from error
        logs = succession.logs(state.chains)
        if (fields["name"], fields["logs"]) != (state.name, _logs_value(logs)):
            raise TrustError("its name or logs are not what its root key's messages say")
        issued_at, expires_at = _count(fields["issued_at"], TIME_MAX), _count(fields["expires_at"], TIME_MAX)
        if expires_at < issued_at:
            raise TrustError("it expires before it is issued")
        return cls(
            name=state.name,
            genesis=genesis,
            issued_at=issued_at,
            expires_at=expires_at,
            registry=_registry(fields["registry"]),
            revoked=_revoked(fields["revoked_keys"]),
            label_keys=_label_keys(fields["label_keys"]),
            messages=messages,
            logs=logs,
            note=text,
        )

    def is_expired(self, now: float) -> bool:
        """Whether its end has come."""
        return now >= self.expires_at

    def require_newer_than(self, other: "TrustBundle") -> None:
        """Raises TrustError if it is older than `other`, or takes back what that one says of keys."""
        if self.registry[0] < other.registry[0] or self.issued_at < other.issued_at:
            raise TrustError("it is older than the one that is here")
        now = {scope.public_key: scope for scope in self.label_keys}
        for scope in other.label_keys:
            if scope.public_key not in now or (scope.revoked and not now[scope.public_key].revoked):
                raise TrustError("it leaves out a label key, or its revocation: keep both, they are evidence")
        for kid, key in other.revoked.items():
            if kid not in self.revoked or not {*key.disputed} <= {*self.revoked[kid].disputed}:
                raise TrustError("it leaves out a device key's revocation: keep both, they are evidence")


def read_messages(value: Any) -> tuple[bytes, ...]:
    """The messages of a root key's stream, as a trust file has them: a list in base64; raises TrustError."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TrustError("root is a list of messages in base64")
    try:
        return tuple(b64.decode(item) for item in value)
    except MalformedError as error:
        raise TrustError(f"a message of the root key is {error}") from error


def is_bundle(text: str) -> bool:
    """Whether a trust file's text is a signed bundle, rather than the file with which a ledger begins."""
    return f"{_SEPARATOR}— " in text


def signed_as(registry: Registry) -> str:
    """The name under which the operator's key signs bundles."""
    return f"{registry.name}/tallystick/trust"


def _operator(registry: Registry) -> bytes:
    operator = registry.key_named(Role.OPERATOR)
    if operator is None or operator.role is not Role.OPERATOR:
        raise TrustError("the genesis names no operator")
    return operator.public_key


_NAMES = (
    "tallystick-trust", "name", "genesis", "issued_at", "expires_at", "registry", "logs", "revoked_keys", "label_keys",
    "root",
)  # fmt: skip


def _fields(text: str) -> dict[str, Any]:
    """The JSON object before the signature lines, which are not checked yet."""
    if len(text) > BUNDLE_BYTES_MAX:
        raise TrustError("it is over its size")
    try:
        fields = json.loads(text.rpartition(_SEPARATOR)[0], object_pairs_hook=_no_name_twice)
    except (ValueError, RecursionError) as error:
        raise TrustError(f"what is signed is not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.keys() != {*_NAMES}:
        raise TrustError(f"it has not the fields {', '.join(_NAMES)}")
    if type(fields["tallystick-trust"]) is not int or fields["tallystick-trust"] != VERSION:
        raise TrustError(f"it is not of version {VERSION}")
    return fields


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name comes twice in an object")
    return fields


def _logs_value(logs: Mapping[str, Log]) -> dict[str, Any]:
    return {
        chain: [{"vkey": key.verifier.vkey, "first": key.first, "last": key.last} for key in log.keys]
        for chain, log in logs.items()
    }


def _revoked_value(key: Revoked) -> dict[str, Any]:
    places = [place_value(place) for place in key.disputed]
    return {"kid": key.kid.hex(), "name": key.name, "entry": key.entry, "disputed": places}


def place_value(place: Place) -> dict[str, Any]:
    """A place from which on statements are disputed, as JSON has it."""
    where, at = place
    return {"chain": where, "index": at} if isinstance(where, str) else {"stream": where.hex(), "seq": at}


def _revoked(value: Any) -> dict[bytes, Revoked]:
    if not isinstance(value, list):
        raise TrustError("revoked_keys are a list")
    keys = [_revoked_key(item) for item in value]
    return {key.kid: key for key in keys}


def _revoked_key(value: Any) -> Revoked:
    match value:
        case {"kid": str(kid), "name": str(name), "entry": entry, "disputed": list(places)} if len(value) == 4:
            if NAME.fullmatch(name):
                return Revoked(_hash(kid, "a kid"), name, _count(entry, TIME_MAX), tuple(map(_place, places)))
    raise TrustError("a revoked key is {kid, name, entry, disputed}")


def _place(value: Any) -> Place:
    match value:
        case {"chain": str(chain), "index": index} if len(value) == 2 and NAME.fullmatch(chain):
            return chain, _count(index, TIME_MAX)
        case {"stream": str(stream), "seq": seq} if len(value) == 2 and re.fullmatch("[0-9a-f]{16}", stream):
            return bytes.fromhex(stream), _count(seq, 2**63)
    raise TrustError("a place is {chain, index} or {stream, seq}")


def _scope_value(scope: LabelScope) -> dict[str, Any]:
    return {
        "key": scope.public_key.hex(),
        "organisation": scope.organisation,
        "gtins": list(scope.gtins),
        "first_day": scope.first_day,
        "last_day": scope.last_day,
        "revoked": scope.revoked,
    }


def _label_keys(value: Any) -> tuple[LabelScope, ...]:
    if not isinstance(value, list):
        raise TrustError("label_keys are a list")
    return tuple(_scope(item) for item in value)


def _scope(value: Any) -> LabelScope:
    match value:
        case {
            "key": str(key),
            "organisation": str(organisation),
            "gtins": list(gtins),
            "first_day": first_day,
            "last_day": last_day,
            "revoked": bool(revoked),
        } if len(value) == 6 and all(map(is_text, (organisation, *gtins))):
            first, last = _count(first_day, 2**31), _count(last_day, 2**31)
            return LabelScope(_hash(key, "a label key"), organisation, tuple(gtins), first, last, revoked)
    raise TrustError("a label key is {key, organisation, gtins, first_day, last_day, revoked}")


def _registry(value: Any) -> tuple[int, bytes]:
    match value:
        case {"size": size, "root": str(root)} if len(value) == 2:
            return _count(size, TIME_MAX), _hash(root, "the registry's root")
    raise TrustError("registry is {size, root}")


def _count(value: Any, end: int) -> int:
    if type(value) is not int or not 0 <= value < end:
        raise TrustError("its times, days and sizes are whole numbers")
    return value


def _hash(value: Any, name: str) -> bytes:
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise TrustError(f"{name} is not 32 bytes in hexadecimal")
    return bytes.fromhex(value)
