"""A log's keys: which key signs the log's checkpoints and receipts at which tree sizes.

The genesis names a log's first key. A *rotation*, an entry of the registry that a root key signs, names the next: from
tree size `first` on the new key signs, and up to size `until` its predecessor signs as well; after that it is retired,
and who holds it can forge nothing new. At most two keys hold any one size.

    sizes      1 ──────────── first ────────── until ─────────▶
    key 1      ████████████████████████████████████
    key 2                     ████████████████████████████████

What is signed at a size counts if it is signed by a key that holds that size. So receipts and proofs of sizes that the
retired key held stay good for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ledger import note
from ledger.checkpoint import Checkpoint
from ledger.errors import TrustError
from ledger.keys import thumbprint

OVERLAP, OVERLAP_MIN = 10_000, 4_000
"""For how many entries an operator lets both keys sign: any block under way when the new key is published ends within
the least, and so does none without a signature that counts."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """A log's next key: it signs from tree size `first` on; the key before it signs up to `until`, and no further.

    `until` is `first - 1` or more: at `first - 1` no size has two keys.
    """

    verifier: note.Verifier
    first: int
    until: int


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key and the tree sizes that it signs for: from `first` to `last`, both included; None: it is the newest."""

    verifier: note.Verifier
    first: int = 0
    last: int | None = None

    @property
    def public_key(self) -> bytes:
        """The Ed25519 key, 32 bytes."""
        return self.verifier.public_key

    @property
    def kid(self) -> bytes:
        """The key's thumbprint."""
        return thumbprint(self.public_key)

    def holds(self, size: int) -> bool:
        """Whether what it signs for the tree of `size` counts."""
        return self.first <= size and (self.last is None or size <= self.last)

    def require(self, size: int) -> None:
        """Raises TrustError unless the key holds `size`."""
        if size < self.first:
            raise TrustError(f"it is signed for size {size} by a key that signs from size {self.first} on")
        if not self.holds(size):
            raise TrustError(f"it is signed for size {size} by a key that was retired at size {self.last}")


def keys_of(genesis: note.Verifier, rotations: Sequence[Rotation]) -> tuple[LogKey, ...]:
    """A log's keys, the oldest first, by its genesis' key and its rotations in their order."""
    keys = [LogKey(genesis)]
    for rotation in rotations:
        before = [LogKey(key.verifier, key.first, _least(key.last, rotation.first - 1)) for key in keys[:-1]]
        last = LogKey(keys[-1].verifier, keys[-1].first, rotation.until)
        keys = [*before, last, LogKey(rotation.verifier, rotation.first)]
    return tuple(keys)


def _least(last: int | None, most: int) -> int:
    return most if last is None else min(last, most)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that a log has signed, and by which of its keys, of those that hold its size.

    `has_unknown`: under the log's name signed another key as well, which is not known here. It says nothing by itself;
    but a log whose key was changed looks like this to whoever has not heard of it.
    """

    checkpoint: Checkpoint
    keys: tuple[LogKey, ...]
    has_unknown: bool


@dataclass(frozen=True)
class Log:
    """A log as a verifier knows it: the chain's short name, the note verifier of its genesis, and its rotations."""

    chain: str
    verifier: note.Verifier
    rotations: tuple[Rotation, ...] = ()

    @property
    def origin(self) -> str:
        """The log's origin: the `aud` of its statements and the first line of its checkpoints."""
        return self.verifier.name

    @property
    def public_key(self) -> bytes:
        """The Ed25519 key that the genesis names, 32 bytes."""
        return self.verifier.public_key

    @property
    def kid(self) -> bytes:
        """The thumbprint of the key that the genesis names."""
        return thumbprint(self.public_key)

    @cached_property
    def keys(self) -> tuple[LogKey, ...]:
        """Its keys, the oldest first."""
        return keys_of(self.verifier, self.rotations)

    def key(self, kid: bytes, size: int) -> LogKey:
        """The key of this thumbprint, which signs for the tree of `size`; raises TrustError if there is none."""
        for key in self.keys:
            if key.kid == kid:
                key.require(size)
                return key
        raise TrustError(f"{kid.hex()[:16]}… is no known key of {self.origin}")

    def open(self, text: str) -> Checkpoint:
        """The checkpoint that the signed note `text` holds; raises NoteError, CheckpointError or TrustError.

        It is the log's word: signed by a key that holds its size, and of the log's origin.
        """
        return self.open_signed(text).checkpoint

    def open_signed(self, text: str) -> Signed:
        """As `open`, and who signed it."""
        by_id = {(key.verifier.name, key.verifier.key_id): key for key in self.keys}
        opened = note.open(text, [key.verifier for key in self.keys])
        signed_by = [by_id[signature.name, signature.key_id] for signature in opened.signatures]
        checkpoint = Checkpoint.parse(opened.text)
        if checkpoint.origin != self.origin:
            raise TrustError(f"the checkpoint is of {checkpoint.origin!r}, not of {self.origin!r}")
        holders = tuple(key for key in signed_by if key.holds(checkpoint.size))
        if not holders:
            signed_by[-1].require(checkpoint.size)
        return Signed(checkpoint, holders, any(signature.name == self.origin for signature in opened.unverified))

    def follows(self, other: "Log") -> bool:
        """Whether it is the same log, and knows every rotation that `other` knows."""
        known = other.rotations
        return (self.chain, self.verifier, self.rotations[: len(known)]) == (other.chain, other.verifier, known)
