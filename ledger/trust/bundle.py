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
    label_keys         for scanners: {key, organisation, gtins, first_day, last_day, revoked}, days since 2020-01-01;
                       of a key that was made for one batch {lot, batch} as well, the Merkle root of its labels
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
from ledger.registry import LabelScope, Registry, Role
from ledger.trust import parts, succession
from ledger.trust.parts import Revoked

VERSION = 2
AHEAD_S_MAX = 86_400  # so far in the future of the reader's clock may a bundle be issued
# A note of other programs' is 1 MB at most, which is 3,700 batches with a key each; a ledger's label keys do not end
# there. Its readers, here and in the browser, take 8 MB: 30,000 batches.
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
            "logs": parts.logs_value(succession.logs(state.chains)),
            "revoked_keys": [parts.revoked_value(key) for key in revoked],
            "label_keys": [parts.scope_value(scope) for scope in label_keys],
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
        """Raises TrustError if it is older than `other`, or takes back what that one says of keys.

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


def _text(fields: Mapping[str, Any]) -> str:
    """The JSON object: a line for each label key, for there are many."""
    keys = ",\n".join(f"  {json.dumps(key)}" for key in fields["label_keys"])
    told = {name: json.dumps(value, indent=1).replace("\n", "\n ") for name, value in fields.items()}
    told["label_keys"] = f"[\n{keys}\n ]" if keys else "[]"
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {value}" for name, value in told.items()) + "\n}\n"


def _fields(text: str) -> dict[str, Any]:
    """The JSON object before the signature lines, which are not checked yet."""
    if len(text) > BUNDLE_BYTES_MAX:
        raise TrustError("it is over its size")
    try:
        fields = strict_json.loads(text.rpartition(_SEPARATOR)[0])
    except (ValueError, RecursionError) as error:
        raise TrustError(f"what is signed is not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.keys() != {*_NAMES}:
        raise TrustError(f"it has not the fields {', '.join(_NAMES)}")
    if type(fields["tallystick-trust"]) is not int or fields["tallystick-trust"] != VERSION:
        raise TrustError(f"it is not of version {VERSION}")
    return fields
