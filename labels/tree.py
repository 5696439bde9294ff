"""The tree of a batch of any size: committed to label by label, and proven from a few rows. Pure.

Of a million labels neither who issues nor who proves holds all leaf hashes. Who issues keeps the right edge of the
tree, and the hash of each *subtree* of 256 labels, 4 KB of them for each 32,768. With these a proof needs two runs of
labels: those of the label's own subtree, and those behind the last complete one.
"""

from collections.abc import Mapping, Sequence

from ledger import merkle
from ledger.frontier import Frontier
from ledger.tile import TILE_HEIGHT, TILE_WIDTH


class Growing:
    """The tree of a batch that labels are added to, in order."""

    def __init__(self) -> None:
        self._frontier, self._subtrees = Frontier(), list[bytes]()

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add labels by their leaf hashes."""
        self._frontier.extend(leaf_hashes)
        self._subtrees += [tile.root for tile in self._frontier.take_full_tiles() if tile.level == 0]

    @property
    def size(self) -> int:
        """How many labels there are."""
        return self._frontier.size

    @property
    def subtrees(self) -> bytes:
        """The hashes of the complete subtrees of 256 labels, in order."""
        return b"".join(self._subtrees)

    def root(self) -> bytes:
        """The root that commits to all of them."""
        return self._frontier.root()


def subtrees_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """What `Growing.subtrees` are of these."""
    growing = Growing()
    growing.extend(leaf_hashes)
    return growing.subtrees


def needed(index: int, size: int) -> list[range]:
    """The labels by which number `index` of `size` is proven: the runs of them, each in order, in 256 at most."""
    first, edge = index - index % TILE_WIDTH, size - size % TILE_WIDTH
    own = range(first, min(first + TILE_WIDTH, size))
    return [own] if first == edge else [own, range(edge, size)]


def prove(index: int, size: int, *, leaves: Mapping[int, bytes], subtrees: bytes) -> list[bytes]:
    """The proof for label `index` of `size`, from the leaf hashes of `needed` by number and the subtrees' hashes.

    KeyError if one is missing; ProofError if there is no such label.
    """
    step = merkle.HASH_BYTES

    def node_hash(node: merkle.Node) -> bytes:
        if node.level < TILE_HEIGHT:
            return merkle.root([leaves[n] for n in range(node.index << node.level, (node.index + 1) << node.level)])
        above = node.level - TILE_HEIGHT
        wanted = range(node.index << above, (node.index + 1) << above)
        hashes = [subtrees[n * step : (n + 1) * step] for n in wanted]
        if len(hashes[-1]) != step:
            raise KeyError(wanted[-1])
        return merkle.root(hashes)

    return merkle.inclusion_proof(index, size, lambda nodes: list(map(node_hash, nodes)))
