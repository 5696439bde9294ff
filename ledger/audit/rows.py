"""What an audit reads, as it was stored: rows that claim to be true, and the source that gives them in order."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ledger.published.content import Shown
from ledger.statement import StreamKey


@dataclass(frozen=True, slots=True)
class ChainRow:
    """A log: its short name and its origin."""

    name: str
    origin: str


@dataclass(slots=True)  # frozen, it would take three times as long to make one
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
    sections: tuple[Shown, ...] = ()


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
    """A full tile: 256 hashes, joined, and their Merkle root; None where none is kept beside them."""

    hashes: bytes
    root: bytes | None


@dataclass(frozen=True, slots=True)
class AnchoredRow:
    """Which entry of the anchor holds block `height` of `chain`."""

    chain: str
    height: int
    anchor_index: int


class Source(Protocol):
    """Where a ledger is stored. All that it gives is of one moment, and what is published is not newer."""

    @property
    def is_whole(self) -> bool:
        """Whether it gives all content that is kept: then what is withheld has been erased."""

    def chains(self) -> Sequence[ChainRow]:
        """The logs."""

    def end(self, chain: str) -> int:
        """One more than the highest index of a chain's entries; 0 if there are none."""

    def entries(self, chain: str, first: int = 0, end: int | None = None) -> Iterator[EntryRow]:
        """A chain's entries by index, from `first` on, and below `end` if it is given."""

    def blocks(self, chain: str, first: int = 0) -> Iterator[BlockRow]:
        """A chain's blocks by height, from `first` on."""

    def tile(self, chain: str, level: int, index: int) -> TileRow | None:
        """A full tile of a chain."""

    def tile_count(self, chain: str) -> int:
        """How many full tiles of a chain are stored."""

    def anchored(self, first: int = 0) -> Iterator[AnchoredRow]:
        """Where headers stand in the anchor, by its index, from `first` on."""

    def published(self, chain: str) -> str | None:
        """The chain's published checkpoint, or None."""

    def unread(self) -> Iterator[str]:
        """What could not be read by now, each in words."""

    def strays(self) -> Iterator[str]:
        """What is stored and belongs to nothing, and what could not be read, each in words."""


class SourceAt(Protocol):
    """Where a source is, for whoever opens it in another process: it can be pickled."""

    def open(self) -> AbstractContextManager[Source]:
        """Open it."""
