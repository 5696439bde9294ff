"""The trust bundle: a trust file that the operator signs anew now and then, with an age and an end.

It is a signed note (C2SP signed-note) whose text is a JSON object. Its signature is the operator's, whose key the
genesis names; the genesis and all that root keys have said since are in it, so a reader needs nothing but the pin.

    tallystick-trust   3
    name, genesis      the ledger's name, and the SHA-256 of its genesis in hexadecimal
    issued_at, expires_at   seconds since 1970
    registry           {size, root}: the state of the registry by which this is told
    logs               by chain: a list of {vkey, first, last}, the sizes that each key signs for; last null: no end yet
    revoked_keys       of devices: {kid, name, entry, disputed}: the registry entry that revoked it, and the places from
                       which on what it signed is disputed: {chain, index} or {stream, seq}
    label_keys         for scanners: {key, organisation, gtins, first_day, last_day, revoked}, days since 2020-01-01;
                       of a key that was made for one batch {lot, batch} as well, the Merkle root of its labels
    recalls            what must not be used: {gtin, organisation, reason, since, entry}, of one lot {lot} and of one
                       item {serial} as well; by the newest registry entry that says so, of each place once. One that
                       was lifted is not there. Bundles of version 2 know none, and are read all the same
    root               the messages of the root key's stream in base64, the genesis first: what `logs` follows from

Times are the operator's word: the time of issue orders bundles, and one of more than a day from now is refused. What is
proven does not become false when a bundle expires; but keys that were retired or revoked since are missing from it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ledger import b64, note, strict_json
from ledger.errors import MalformedError, NoteError, TrustError
from ledger.log import Log
from ledger.registry import LabelScope, Recalled, Registry, Role
from ledger.trust import parts, succession
from ledger.trust.parts import Revoked

VERSION, WITHOUT_RECALLS = 3, 2
AHEAD_S_MAX = 86_400  # so far in the future of the reader's clock may a bundle be issued
# A note of other programs' is 1 MB at most, which is 3,700 batches with a key each; a ledger's label keys do not end
# there. Its readers, here and in the browser, take 8 MB: 25,000 batches.
BUNDLE_BYTES_MAX = 8_000_000
_SEPARATOR = "\n\n"


class _Key(Protocol):
    @property
    def public(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True)
class TrustBundle:
    """What an operator's signed trust bundle says; times are in seconds since 1970.

    `registry` is the (size, root) by which it is told; `revoked` are devices' keys by kid; `messages` are the root
    key's, the genesis first; `logs` are those that follow from them. `recalls` are None where it knows none: it is of
    an older version. `note` is the whole signed text.
    """

    name: str
    genesis: bytes
    issued_at: int
    expires_at: int
    registry: tuple[int, bytes]
    revoked: Mapping[bytes, Revoked]
    label_keys: tuple[LabelScope, ...]
    recalls: tuple[Recalled, ...] | None
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
        recalls: Sequence[Recalled],
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
            "logs": parts.logs_value(succession.logs(state.chains)),
            "revoked_keys": [parts.revoked_value(key) for key in revoked],
            "label_keys": [parts.scope_value(scope) for scope in label_keys],
            "recalls": [parts.recall_value(recalled) for recalled in recalls],
            "root": [b64.encode(message) for message in messages],
        }
        try:
            text = note.sign(_text(fields), [note.Signer(signed_as(state), key)], bytes_max=BUNDLE_BYTES_MAX)
        except NoteError as error:
            raise TrustError(f"it makes no bundle: {error}") from error
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> "TrustBundle":
        """Read a bundle; any text gives one whose parts agree and whose signature holds, or TrustError."""
        fields = _fields(text)
        genesis, messages = parts.hash_of(fields["genesis"], "genesis"), read_messages(fields["root"])
        state = succession.follow(genesis, messages)
        try:
            note.open(text, [note.Verifier(signed_as(state), _operator(state))], bytes_max=BUNDLE_BYTES_MAX)
        except NoteError as error:
            raise TrustError(f"it is not the operator's: {error}") from error
        logs = succession.logs(state.chains)
        if (fields["name"], fields["logs"]) != (state.name, parts.logs_value(logs)):
            raise TrustError("its name or logs are not what its root key's messages say")
        issued_at, expires_at = (parts.count(fields[name], parts.TIME_MAX) for name in ("issued_at", "expires_at"))
        if expires_at < issued_at:
            raise TrustError("it expires before it is issued")
        return cls(
            name=state.name,
            genesis=genesis,
            issued_at=issued_at,
            expires_at=expires_at,
            registry=parts.registry(fields["registry"]),
            revoked=parts.revoked(fields["revoked_keys"]),
            label_keys=parts.label_keys(fields["label_keys"]),
            recalls=parts.recalls(fields["recalls"]) if "recalls" in fields else None,
            messages=messages,
            logs=logs,
            note=text,
        )

    def is_expired(self, now: float) -> bool:
        """Whether its end has come."""
        return now >= self.expires_at

    def is_ahead(self, now: float) -> bool:
        """Whether it says to have been issued more than a day after `now`: then its age counts for nothing."""
        return self.issued_at > now + AHEAD_S_MAX

    def require_newer_than(self, other: "TrustBundle", now: float) -> None:
        """Raises TrustError if it is older than `other`, or takes back what that one says of keys, or forgets recalls.

        A recall may be lifted: then the registry has grown, and who replaces one by the other tells of it (`lifted`).

        Of what it says itself only the time is held against something, our clock: so whoever signs one with the
        operator's key cannot make all later ones old.
        """
        if self.issued_at < other.issued_at and not other.is_ahead(now):
            raise TrustError("it is older than the one that is here")
        ours = {scope.public_key: scope for scope in self.label_keys}
        for scope in other.label_keys:
            if scope.public_key not in ours or (scope.revoked and not ours[scope.public_key].revoked):
                raise TrustError("it leaves out a label key, or its revocation: keep both, they are evidence")
        for kid, key in other.revoked.items():
            if kid not in self.revoked or not {*key.disputed} <= {*self.revoked[kid].disputed}:
                raise TrustError("it leaves out a device key's revocation: keep both, they are evidence")
        if other.recalls is not None and self.recalls is None:
            raise TrustError("it knows no recalls, and the one that is here does")
        if self.registry[0] <= other.registry[0] and self.lifted(other):
            raise TrustError("it leaves out a recall, and its registry has not grown: keep both, they are evidence")

    def lifted(self, other: "TrustBundle") -> tuple[Recalled, ...]:
        """The recalls of `other` whose places have none here: their products may still have (`whole`)."""
        places = {recalled.place for recalled in self.recalls or ()}
        return tuple(recalled for recalled in other.recalls or () if recalled.place not in places)

    def whole(self, gtin: str) -> Recalled | None:
        """The recall of a product as a whole, which is one of all its lots and items."""
        return next((one for one in self.recalls or () if one.place == (gtin, "", "")), None)


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
    "recalls", "root",
)  # fmt: skip
_MANY = ("label_keys", "recalls")


def _text(fields: Mapping[str, Any]) -> str:
    """The JSON object: a line for each label key and recall, for there are many."""
    told = {
        name: _lines(value) if name in _MANY else json.dumps(value, indent=1).replace("\n", "\n ")
        for name, value in fields.items()
    }
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {value}" for name, value in told.items()) + "\n}\n"


def _lines(values: Sequence[Any]) -> str:
    told = ",\n".join(f"  {json.dumps(value)}" for value in values)
    return f"[\n{told}\n ]" if told else "[]"


def _fields(text: str) -> dict[str, Any]:
    """The JSON object before the signature lines, which are not checked yet."""
    if len(text) > BUNDLE_BYTES_MAX:
        raise TrustError("it is over its size")
    try:
        fields = strict_json.loads(text.rpartition(_SEPARATOR)[0], is_whole=True)
    except ValueError as error:
        raise TrustError(f"what is signed is not JSON: {error}") from error
    version = fields.get("tallystick-trust") if isinstance(fields, dict) else None
    if type(version) is int and version not in (WITHOUT_RECALLS, VERSION):
        raise TrustError(f"it is not of version {WITHOUT_RECALLS} or {VERSION}: a newer one needs a newer program")
    names = [name for name in _NAMES if name != "recalls" or version != WITHOUT_RECALLS]
    if not isinstance(fields, dict) or type(version) is not int or fields.keys() != {*names}:
        raise TrustError(f"it has not the fields {', '.join(names)}")
    return fields
