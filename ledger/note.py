"""Signed notes: a text, and lines that say which keys signed it (C2SP signed-note).

    a text that ends in a newline

    — example.com/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=

A key is known by its *name* and its *key id*, four bytes of a hash over name, signature type and public key. A
*verifier key* (vkey) is the line of text that hands a public key on: `name+keyid+base64`. The type made and read
here is Ed25519 (0x01); other types join by the two protocols, as a witness's cosignature does.

What is read is never taken for signed before a known key's signature holds, and every error is a NoteError.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Protocol, TypeVar

from ledger import b64, ed25519
from ledger.errors import MalformedError, NoteError, SignatureError

NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100

KEY_ID_BYTES = 4
ED25519_TYPE = b"\x01"


class NoteVerifier(Protocol):
    """A key that signatures are checked by."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises SignatureError unless `signature` (what stands after the key id) is good for `message`."""


class NoteSigner(Protocol):
    """A key that notes are signed with."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


class Ed25519Key(Protocol):
    """An Ed25519 signing key: its public half, and signatures of 64 bytes."""

    @property
    def public(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """An Ed25519 public key (32 bytes) and the name it signs notes under. Raises NoteError if either is not fit."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        _require_name(self.name)
        if type(self.public_key) is not bytes or len(self.public_key) != ed25519.PUBLIC_KEY_BYTES:
            raise NoteError(f"an Ed25519 public key has {ed25519.PUBLIC_KEY_BYTES} bytes")

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read a verifier key in its one form, or raise NoteError."""
        if not isinstance(vkey, str) or vkey.count("+") < 2:
            raise NoteError("a verifier key is written name+keyid+base64")
        return _parse_vkey(vkey)

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ newline ‖ type ‖ public key), its first four bytes."""
        return _key_id(self.name, self.public_key)

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64.encode(ED25519_TYPE + self.public_key)}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises SignatureError unless `signature` is good for `message`."""
        ed25519.verify(self.public_key, signature, message)


# A ledger has few logs, and each proof names them again.
_KEYS_KEPT = 256


@lru_cache(_KEYS_KEPT)
def _key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + ED25519_TYPE + public_key).digest()[:KEY_ID_BYTES]


@lru_cache(_KEYS_KEPT)
def _parse_vkey(vkey: str) -> Verifier:
    name, _, encoded = vkey.split("+", 2)
    key = _decode_base64(encoded)
    if key[:1] != ED25519_TYPE:
        raise NoteError("the verifier key is not of type Ed25519 (0x01)")
    verifier = Verifier(name, key[1:])
    if verifier.vkey != vkey:
        raise NoteError(f"the verifier key's id is not {verifier.key_id.hex()}")
    return verifier


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 key and the name it signs notes under. Raises NoteError if the name is not fit."""

    name: str
    key: Ed25519Key = field(repr=False)

    def __post_init__(self) -> None:
        _ = self.verifier

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.key.public)

    @property
    def key_id(self) -> bytes:
        return self.verifier.key_id

    @property
    def vkey(self) -> str:
        return self.verifier.vkey

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; `value` is what stands after the four bytes of the key id."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line in the note, with its newline."""
        return f"— {self.name} {b64.encode(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """An opened note.

    `text` ends in its newline. `signatures` are those that known keys made, one a key, so that counting them
    counts keys. `unverified` are those of unknown keys: they say nothing.
    """

    text: str
    signatures: tuple[Signature, ...]
    unverified: tuple[Signature, ...] = ()


def open(text: str | bytes, verifiers: Iterable[NoteVerifier], *, bytes_max: int = NOTE_BYTES_MAX) -> Note:
    """Open a note that at least one of `verifiers` signed.

    Raises NoteError if it is malformed or larger than `bytes_max`, if no known key signed it, if a known key's
    signature is bad, or if `verifiers` are none, or two of them have one name and key id.
    """
    body, signatures = _parse(_require_text(text, bytes_max))
    known = _by_key(verifiers, "verify")
    message = body.encode()
    verified: dict[tuple[str, bytes], Signature] = {}
    unverified: dict[Signature, None] = {}
    for signature in signatures:
        key = (signature.name, signature.key_id)
        if key in known:
            _verify(known[key], message, signature)
            verified.setdefault(key, signature)
        else:
            unverified[signature] = None
    if not verified:
        raise NoteError("no known key signed the note")
    return Note(body, tuple(verified.values()), tuple(unverified))


def sign(text: str, signers: Sequence[NoteSigner], *, bytes_max: int = NOTE_BYTES_MAX) -> str:
    """The note in which each of `signers`, one at least, signs `text`.

    Raises NoteError if that is no note: the text does not end in a newline or has control characters, or it is
    too much of something.
    """
    message = _require_text(text, bytes_max).encode()
    made = [Signature(name, key_id, key.sign(message)) for (name, key_id), key in _by_key(signers, "sign").items()]
    note = f"{text}\n{''.join(signature.line for signature in made)}"
    if _parse(_require_text(note, bytes_max)) != (text, made):
        raise NoteError("what was signed does not read as a note")
    return note


def _verify(verifier: NoteVerifier, message: bytes, signature: Signature) -> None:
    try:
        verifier.verify(message, signature.value)
    except SignatureError as error:
        raise NoteError(f"bad signature by {signature.name}+{signature.key_id.hex()}: {error}") from error


_Key = TypeVar("_Key", NoteVerifier, NoteSigner)


def _by_key(keys: Iterable[_Key], able: str) -> dict[tuple[str, bytes], _Key]:
    """The keys by name and key id; NoteError unless each has both, and is `able` to do its work."""
    found: dict[tuple[str, bytes], _Key] = {}
    try:
        for key in keys:
            if not (type(key.name) is str and type(key.key_id) is bytes and callable(getattr(key, able))):
                raise TypeError
            if (key.name, key.key_id) in found:
                raise NoteError(f"ambiguous key {key.name}+{key.key_id.hex()}")
            found[key.name, key.key_id] = key
    except (TypeError, AttributeError) as error:
        raise NoteError(f"keys come as a list, each with its name and key id, and able to {able}") from error
    return found


_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NOT_IN_NAME = re.compile(r"[\s+]")


def _require_text(text: str | bytes, bytes_max: int = NOTE_BYTES_MAX) -> str:
    """The text of a note: UTF-8, of at most so many bytes, with no control character but the newline."""
    if not isinstance(text, str | bytes) or len(text) > bytes_max:
        raise NoteError(f"a note is text of at most {bytes_max // 1_000_000} MB")
    try:
        data, decoded = (text.encode(), text) if isinstance(text, str) else (text, text.decode())
    except UnicodeError as error:
        raise NoteError("the note is not UTF-8") from error
    if len(data) > bytes_max:
        raise NoteError(f"a note is text of at most {bytes_max // 1_000_000} MB")
    if _CONTROL.search(decoded):
        raise NoteError("the note has a control character")
    return decoded


def _parse(note: str) -> tuple[str, list[Signature]]:
    """Split a note at its last empty line, into the text and the signatures."""
    text, separator, block = note.rpartition("\n\n")
    if not separator:
        raise NoteError("the note has no empty line before its signatures")
    if not block.endswith("\n"):
        raise NoteError("the note does not end in a signature line")
    lines = block[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise NoteError(f"the note has more than {SIGNATURES_MAX} signatures")
    return text + "\n", [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—":
        raise NoteError("a signature line begins with an em dash and a space")
    _require_name(name)
    data = _decode_base64(encoded)
    if len(data) <= KEY_ID_BYTES:
        raise NoteError("the signature line has no signature")
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def _require_name(name: str) -> None:
    """A key's name: not empty, without Unicode spaces, plus signs and control characters."""
    if not isinstance(name, str) or not name or _NOT_IN_NAME.search(name):
        raise NoteError("a key name is not empty and has no space and no plus sign")
    _require_text(name)


def _decode_base64(text: str) -> bytes:
    try:
        return b64.decode(text)
    except MalformedError as error:
        raise NoteError(f"a key or a signature is {error}") from error
