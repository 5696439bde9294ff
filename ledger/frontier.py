"""The right edge of a growing log: all that its one writer must remember to append.

A log's hashes are kept in tiles (C2SP tlog-tiles): a full one holds 256 hashes, the leaf hashes on level 0, and on
each level above the Merkle roots of the full tiles below. The *frontier* is what is not in a full tile yet: one
*row* a level, of fewer than 256 hashes. A full tile never changes, so the writer stores it and forgets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from ledger import merkle
from ledger.tile import TILE_HEIGHT, TILE_WIDTH
from ledger.tile_tree import TileTree


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that will never change again: its 256 hashes and the nodes above them."""

    level: int
    index: int
    tree: TileTree

    @property
    def hashes(self) -> bytes:
        """The tile's bytes."""
        return b"".join(self.tree.hashes)

    @property
    def root(self) -> bytes:
        """The Merkle root of its hashes: the hash that stands for it one level up."""
        return self.tree.node(TILE_HEIGHT, 0)


class Frontier:
    """The frontier of a tree of `size`, which `append` moves.

    Not safe to share: there is one writer a chain. It works on a `copy` while it seals a block, so that a seal
    that fails leaves nothing behind.
    """

    def __init__(self, size: int = 0, rows: Sequence[Sequence[bytes]] = ()) -> None:
        """Start from what was remembered. Raises ValueError unless `rows` are what a tree of `size` has."""
        if [len(row) for row in rows] != _widths(size):
            raise ValueError(f"these are not the rows of a tree of size {size}")
        if any(len(value) != merkle.HASH_BYTES for row in rows for value in row):
            raise ValueError(f"a hash has {merkle.HASH_BYTES} bytes")
        self._size = size
        self._rows = [TileTree(row) for row in rows]
        self._full: list[FullTile] = []

    @property
    def size(self) -> int:
        """How many leaves were appended since the log began."""
        return self._size

    @property
    def rows(self) -> list[list[bytes]]:
        """A copy of the hashes that no full tile holds, by tile level: the partial tiles of this size."""
        return [row.hashes for row in self._rows]

    def append(self, leaf_hash: bytes) -> None:
        """Append one leaf. Raises ValueError, and changes nothing, if it is no hash."""
        if len(leaf_hash) != merkle.HASH_BYTES:
            raise ValueError(f"a leaf hash has {merkle.HASH_BYTES} bytes, not {len(leaf_hash)}")
        self._size += 1
        self._push(0, leaf_hash)

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Append leaves, of 32 bytes each: many at half of what it costs to append each."""
        at = 0
        while at < len(leaf_hashes):
            if not self._rows:
                self._rows.append(TileTree())
            count = min(TILE_WIDTH - len(self._rows[0]), len(leaf_hashes) - at)
            self._size += count
            self._rows[0].extend(leaf_hashes[at : at + count])
            self._move_up(0)
            at += count

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        # What a row's peaks cover is complete; what the rows below amount to is the incomplete subtree behind it.
        peaks = [peak for row in reversed(self._rows) for peak in row.peaks()]
        return (
            reduce(lambda right, left: merkle.node_hash(left, right), reversed(peaks)) if peaks else merkle.EMPTY_ROOT
        )

    def take_full_tiles(self) -> list[FullTile]:
        """The tiles that became full since the last call, in the order in which they did."""
        full, self._full = self._full, []
        return full

    def copy(self) -> "Frontier":
        """A frontier of its own, with the same size, rows and full tiles not yet taken."""
        twin = Frontier()
        twin._size, twin._full = self._size, list(self._full)
        twin._rows = [row.copy() for row in self._rows]
        return twin

    def tree(self, level: int) -> TileTree:
        """What no full tile of `level` holds, with the complete nodes above it: to read, and not to change."""
        return self._rows[level]

    def _push(self, level: int, value: bytes) -> None:
        if level == len(self._rows):
            self._rows.append(TileTree())
        self._rows[level].append(value)
        self._move_up(level)

    def _move_up(self, level: int) -> None:
        """If the row is full, put it by, and its root on the level above."""
        row = self._rows[level]
        if len(row) == TILE_WIDTH:
            full = FullTile(level, (self._size >> TILE_HEIGHT * (level + 1)) - 1, row)
            self._full.append(full)
            self._rows[level] = TileTree()
            self._push(level + 1, full.root)


def _widths(size: int) -> list[int]:
    """How many hashes each row has: the digits of `size` to base 256, lowest first (C2SP tlog-tiles)."""
    if not 0 <= size <= merkle.SIZE_MAX:
        raise ValueError("a tree's size is a number from 0 to 2**63 - 1")
    return list(size.to_bytes((size.bit_length() + TILE_HEIGHT - 1) // TILE_HEIGHT, "little"))
