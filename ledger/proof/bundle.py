"""The proof bundle: one statement, and all that its place in the ledger rests on, in one file.

An arrow is a Merkle proof; what stands at its right end is signed, or is the right end of the next.

    statement         ── inclusion ───▶ the chain's checkpoint
    block header      ── consistency ─▶ the chain's checkpoint
    block header      ── inclusion ───▶ the anchor's checkpoint      (not there before it is anchored)
    registry's state  ── consistency ─▶ the registry's checkpoint
    registry entries  ── inclusion ───▶ registry's state             (the header names it: size and root)

A checkpoint is a signed note. The registry entries are the genesis and those by which the signing key came to be
what it was in that state. A bundle proves nothing by itself: `ledger.proof.verify` holds it against a trust file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ledger import cbor
from ledger.errors import MalformedError
from ledger.merkle import HASH_BYTES
from ledger.statement import LINES_MAX, STATEMENT_BYTES_MAX, UINT63_MAX

VERSION = 1
BUNDLE_BYTES_MAX = 4 * 1024 * 1024
HASHES_MAX = 128
REGISTRY_ENTRIES_MAX = 1_000
_DEPTH_MAX = 6

Hashes = tuple[bytes, ...]
"""A Merkle proof: hashes of 32 bytes."""


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry with those of its sections that may be seen, one slot a manifest line, and its inclusion proof."""

    index: int
    statement: bytes
    sections: tuple[bytes | None, ...]
    path: Hashes


def entry_value(entry: ProvenEntry) -> list[Any]:
    """What is encoded of an entry: what `read_entry` reads."""
    return [entry.index, entry.statement, list(entry.sections), list(entry.path)]


def read_entry(value: Any) -> ProvenEntry:
    """Read an entry's value, or raise MalformedError."""
    match value:
        case [index, bytes(statement), list(sections), path] if len(sections) <= LINES_MAX:
            if len(statement) > STATEMENT_BYTES_MAX:
                raise MalformedError("a bundle's statement is over its size")
            if not all(section is None or isinstance(section, bytes) for section in sections):
                raise MalformedError("a bundle's section is bytes or null")
            return ProvenEntry(_index(index), statement, tuple(sections), _path(path))
    raise MalformedError("a bundle's entry is [index, statement, [section or null, …], path]")


def read_checkpoint(value: Any) -> str:
    """A signed note's text, or MalformedError; what it says is its opener's to read."""
    if not isinstance(value, str):
        raise MalformedError("a bundle's checkpoint is a signed note's text")
    return value


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Where the block's header stands in the anchor, and the anchor's checkpoint."""

    index: int
    path: Hashes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class RegistryPart:
    """The registry's checkpoint, how the state that the header names leads to it, and entries of that state."""

    checkpoint: str
    consistency: Hashes
    entries: tuple[ProvenEntry, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proof bundle; `header` is the header's bytes, as the anchor has them."""

    chain: str
    entry: ProvenEntry
    checkpoint: str
    header: bytes
    consistency: Hashes
    anchor: Anchoring | None
    registry: RegistryPart

    def encode(self) -> bytes:
        """The deterministic CBOR map."""
        return cbor.encode(self.value())

    def value(
        self, *, checkpoint: Callable[[str], Any] = str, entry: Callable[[ProvenEntry], Any] = entry_value
    ) -> dict[str, Any]:
        """What is encoded. Who keeps several says what stands for a `checkpoint`, and for a registry `entry`."""
        return {
            "tallystick-bundle": VERSION,
            "chain": self.chain,
            "entry": entry_value(self.entry),
            "checkpoint": checkpoint(self.checkpoint),
            "header": self.header,
            "consistency": list(self.consistency),
            "anchor": self.anchor
            and {
                "index": self.anchor.index,
                "path": list(self.anchor.path),
                "checkpoint": checkpoint(self.anchor.checkpoint),
            },
            "registry": {
                "checkpoint": checkpoint(self.registry.checkpoint),
                "consistency": list(self.registry.consistency),
                "entries": [entry(item) for item in self.registry.entries],
            },
        }

    @classmethod
    def decode(cls, data: bytes) -> "Bundle":
        """Read a bundle of at most 4 MiB in its one encoding; any bytes give a Bundle or MalformedError."""
        if not isinstance(data, bytes) or len(data) > BUNDLE_BYTES_MAX:
            raise MalformedError(f"a bundle is at most {BUNDLE_BYTES_MAX} bytes")
        return cls.of(cbor.decode_canonical(data, depth_max=_DEPTH_MAX, by_name=True))

    @classmethod
    def of(
        cls,
        value: Any,
        *,
        checkpoint: Callable[[Any], str] = read_checkpoint,
        entry: Callable[[Any], ProvenEntry] = read_entry,
    ) -> "Bundle":
        """Read what `value` gives; any plain value gives a Bundle or MalformedError."""
        match value:
            case {
                "tallystick-bundle": int(version),
                "chain": str(chain),
                "entry": place,
                "checkpoint": text,
                "header": bytes(header),
                "consistency": consistency,
                "anchor": anchor,
                "registry": registry,
            } if len(value) == 8:
                if version != VERSION or isinstance(version, bool):
                    raise MalformedError(f"a bundle of version {version}: this reads version {VERSION}")
                parts = _anchor(anchor, checkpoint), _registry(registry, checkpoint, entry)
                return cls(chain, read_entry(place), checkpoint(text), header, _path(consistency), *parts)
        raise MalformedError("a bundle is a map of its eight fields")


def _anchor(value: Any, checkpoint: Callable[[Any], str]) -> Anchoring | None:
    match value:
        case None:
            return None
        case {"index": index, "path": path, "checkpoint": text} if len(value) == 3:
            return Anchoring(_index(index), _path(path), checkpoint(text))
    raise MalformedError("a bundle's anchor is null or a map of index, path and checkpoint")


def _registry(value: Any, checkpoint: Callable[[Any], str], entry: Callable[[Any], ProvenEntry]) -> RegistryPart:
    match value:
        case {"checkpoint": text, "consistency": consistency, "entries": list(entries)} if len(value) == 3:
            if len(entries) > REGISTRY_ENTRIES_MAX:
                raise MalformedError(f"a bundle has at most {REGISTRY_ENTRIES_MAX} registry entries")
            return RegistryPart(checkpoint(text), _path(consistency), tuple(map(entry, entries)))
    raise MalformedError("a bundle's registry is a map of checkpoint, consistency and entries")


def _index(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= UINT63_MAX:
        raise MalformedError("a bundle's index is a number from 0 to 2**63 - 1")
    return value


def _path(value: Any) -> Hashes:
    if not isinstance(value, list) or len(value) > HASHES_MAX:
        raise MalformedError(f"a bundle's proof is a list of at most {HASHES_MAX} hashes")
    if not all(isinstance(item, bytes) and len(item) == HASH_BYTES for item in value):
        raise MalformedError(f"a bundle's proof holds what is not a hash of {HASH_BYTES} bytes")
    return tuple(value)
