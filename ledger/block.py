"""A block's header: how a chain moved from one tree size to the next."""

import hashlib
from dataclasses import dataclass

from ledger import cbor
from ledger.errors import MalformedError

GENESIS_PREV = bytes(32)


@dataclass(frozen=True, slots=True)
class Header:
    """`first` and `size` are tree sizes before and after; `registry` is the (size, root) by which keys were judged.

    `prev` is the SHA-256 of the header before (zeros at height 0); `time_ms` the writer's clock, a claim.
    """

    origin: str
    height: int
    first: int
    size: int
    root: bytes
    prev: bytes
    time_ms: int
    registry: tuple[int, bytes]

    def encode(self) -> bytes:
        """Deterministic CBOR: a map by name."""
        return cbor.encode(
            {
                "origin": self.origin,
                "height": self.height,
                "first": self.first,
                "size": self.size,
                "root": self.root,
                "prev": self.prev,
                "time_ms": self.time_ms,
                "registry": list(self.registry),
            }
        )

    @property
    def hash(self) -> bytes:
        """SHA-256 of the header's bytes: the next header's `prev`."""
        return hashlib.sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Read a header in its one encoding; any bytes give a Header or MalformedError."""
        match cbor.decode_canonical(data, depth_max=3):
            case {
                "origin": str(origin),
                "height": height,
                "first": first,
                "size": size,
                "root": bytes(root),
                "prev": bytes(prev),
                "time_ms": time_ms,
                "registry": [registry_size, bytes(registry_root)],
            } as fields if len(fields) == 8:
                header = cls(origin, height, first, size, root, prev, time_ms, (registry_size, registry_root))
            case _:
                raise MalformedError("a block header is a map of its eight fields")
        if not all(cbor.is_count(number) for number in (height, first, size, time_ms, registry_size)):
            raise MalformedError("a block header's numbers are from 0 to 2**63 - 1")
        if not first < size or not origin:
            raise MalformedError("a block header has an origin, and brings its chain at least one entry")
        if any(len(digest) != 32 for digest in (root, prev, registry_root)):
            raise MalformedError("a block header's hashes are 32 bytes")
        if not (height == 0) == (first == 0) == (prev == GENESIS_PREV):
            raise MalformedError("a chain's first header, and no other, begins at size 0 with a prev of zeros")
        return header
