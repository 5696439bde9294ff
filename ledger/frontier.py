"""The right edge of a growing log: all that its one writer must remember to append.

A log's hashes are kept in tiles (C2SP tlog-tiles): a full one holds 256 hashes, the leaf hashes on level 0, and on
each level above the Merkle roots of the full tiles below. The *frontier* is what is not in a full tile yet: one
*row* a level, of fewer than 256 hashes. A full tile never changes, so the writer stores it and forgets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger import merkle
from ledger.tile import TILE_HEIGHT, TILE_WIDTH


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that will never change again: `hashes` are its 256 hashes, joined; `root` is their Merkle root."""

    level: int
    index: int
    hashes: bytes
    root: bytes


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
        self._rows = [list(row) for row in rows]
        self._full: list[FullTile] = []

    @property
    def size(self) -> int:
        """How many leaves were appended since the log began."""
        return self._size

    @property
    def rows(self) -> list[list[bytes]]:
        """A copy of the hashes that no full tile holds, by tile level: the partial tiles of this size."""
        return [list(row) for row in self._rows]

    def append(self, leaf_hash: bytes) -> None:
        """Append one leaf. Raises ValueError, and changes nothing, if it is no hash."""
        if len(leaf_hash) != merkle.HASH_BYTES:
            raise ValueError(f"a leaf hash has {merkle.HASH_BYTES} bytes, not {len(leaf_hash)}")
        self._size += 1
        self._push(0, leaf_hash)

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        edge: list[bytes] = []
        for row in self._rows:
            # What the rows below amount to is the last, incomplete subtree of this one.
            if row:
                edge = [merkle.root(row + edge)]
        return edge[0] if edge else merkle.EMPTY_ROOT

    def take_full_tiles(self) -> list[FullTile]:
        """The tiles that became full since the last call, in the order in which they did."""
        full, self._full = self._full, []
        return full

    def copy(self) -> "Frontier":
        """A frontier of its own, with the same size, rows and full tiles not yet taken."""
        twin = Frontier(self._size, self._rows)
        twin._full = list(self._full)
        return twin

    def _push(self, level: int, value: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        row.append(value)
        if len(row) == TILE_WIDTH:
            index = (self._size >> TILE_HEIGHT * (level + 1)) - 1
            tile = FullTile(level, index, b"".join(row), merkle.root(row))
            self._full.append(tile)
            row.clear()
            self._push(level + 1, tile.root)


def _widths(size: int) -> list[int]:
    """How many hashes each row has: the digits of `size` to base 256, lowest first (C2SP tlog-tiles)."""
    if not 0 <= size <= merkle.SIZE_MAX:
        raise ValueError("a tree's size is a number from 0 to 2**63 - 1")
    return list(size.to_bytes((size.bit_length() + TILE_HEIGHT - 1) // TILE_HEIGHT, "little"))
