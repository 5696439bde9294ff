"""A tile's hashes and the nodes above them: what is computed once when a tile fills, and read by every proof."""

from collections.abc import Iterable
from hashlib import sha256


class TileTree:
    """The hashes of one tile from its first on, at most 256, and each complete node above them.

    The node at `height` and `place` is the one over the hashes from `place << height` on, 2**height of them.
    """

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self._rows: list[list[bytes]] = [[]]
        self.extend(hashes)

    def __len__(self) -> int:
        return len(self._rows[0])

    @property
    def hashes(self) -> list[bytes]:
        """A copy of the tile's hashes."""
        return list(self._rows[0])

    def append(self, value: bytes) -> None:
        """Append one hash, and compute the nodes that it completes: one for each hash, on the whole."""
        row, height = self._rows[0], 0
        row.append(value)
        while len(row) % 2 == 0:
            height += 1
            if height == len(self._rows):
                self._rows.append([])
            left, right = row[-2:]
            row = self._rows[height]
            row.append(sha256(b"\x01" + left + right).digest())  # a node hash (RFC 9162, 2.1.1)

    def extend(self, values: Iterable[bytes]) -> None:
        """Append hashes: row by row, of many at half of what it costs to append each."""
        row, height = self._rows[0], 0
        row += values
        while len(row) > 1:
            height += 1
            if height == len(self._rows):
                self._rows.append([])
            below, row = row, self._rows[height]
            lefts, rights = below[2 * len(row) :: 2], below[2 * len(row) + 1 :: 2]
            row += [sha256(b"\x01" + left + right).digest() for left, right in zip(lefts, rights, strict=False)]

    def node(self, height: int, place: int) -> bytes:
        """The hash of a complete node. Raises IndexError if it is not complete."""
        return self._rows[height][place]

    def peaks(self) -> list[bytes]:
        """The largest complete nodes that cover all hashes, from left to right."""
        return [row[-1] for row in reversed(self._rows) if len(row) % 2]

    def copy(self) -> "TileTree":
        """A tree of its own with the same hashes."""
        twin = TileTree()
        twin._rows = [list(row) for row in self._rows]
        return twin
