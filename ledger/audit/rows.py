"""What an audit reads, as it was stored: rows that claim to be true, and the source that gives them in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.statement import StreamKey


@dataclass(frozen=True, slots=True)
class ChainRow:
    """A log: its short name and its origin."""

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section as it is kept; `data` is None once it is erased."""

    line: int
    privacy: int
    content_format: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry as it is kept; `data` is None once it is erased. The anchor's have no stream, seq or lines.

    Where nothing is kept beside an entry's bytes, `statement_hash` is None, and stream, seq and lines say nothing;
    if `data` is None too, it is not for the reader.
    """

    index: int
    stream: StreamKey | None
    seq: int | None
    lines: int
    statement_hash: bytes | None
    leaf_hash: bytes
    data: bytes | None
    sections: tuple[SectionRow, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A block as it is kept: its header's bytes, some of its fields again, and its checkpoint's signed note."""

    height: int
    first: int
    size: int
    root: bytes
    time_ms: int
    header: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class TileRow:
    """A full tile: 256 hashes, joined, and their Merkle root."""

    hashes: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class AnchoredRow:
    """Which entry of the anchor holds block `height` of `chain`."""

    chain: str
    height: int
    anchor_index: int


class Source(Protocol):
    """Where a ledger is stored. All that it gives is of one moment, and what is published is not newer."""

    def chains(self) -> Sequence[ChainRow]:
        """The logs."""

    def entries(self, chain: str) -> Iterator[EntryRow]:
        """A chain's entries by index."""

    def blocks(self, chain: str) -> Iterator[BlockRow]:
        """A chain's blocks by height."""

    def tile(self, chain: str, level: int, index: int) -> TileRow | None:
        """A full tile of a chain."""

    def tile_count(self, chain: str) -> int:
        """How many full tiles of a chain are stored."""

    def anchored(self) -> Iterator[AnchoredRow]:
        """Where headers stand in the anchor, by its index."""

    def published(self, chain: str) -> str | None:
        """The chain's published checkpoint, or None."""

    def strays(self) -> Iterator[str]:
        """What is stored and belongs to nothing, each in words."""
