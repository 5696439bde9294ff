"""A tile's nodes, against the Merkle functions that need no tile."""

import pytest

from ledger import merkle
from ledger.tile_tree import TileTree

LEAVES = [merkle.leaf_hash(n.to_bytes(2)) for n in range(256)]


def test_every_complete_node_is_the_root_of_its_hashes() -> None:
    """Of a full tile, at each height from 0 to 8."""
    tree = TileTree(LEAVES)
    for height in range(9):
        for place in range(256 >> height):
            assert tree.node(height, place) == merkle.root(LEAVES[place << height : (place + 1) << height])


@pytest.mark.parametrize("width", [0, 1, 2, 3, 127, 128, 255, 256])
def test_the_peaks_cover_all_hashes(width: int) -> None:
    """A node for each bit that is set in the width, the largest first; what is not complete is not there."""
    tree, expected, start = TileTree(LEAVES[:width]), [], 0
    for height in reversed(range(9)):
        if width >> height & 1:
            expected.append(merkle.root(LEAVES[start : start + (1 << height)]))
            start += 1 << height
    assert (tree.peaks(), tree.hashes, len(tree)) == (expected, LEAVES[:width], width)
    with pytest.raises(IndexError):
        tree.node(0, width)


def test_a_copy_is_its_own() -> None:
    """What is appended to one is not in the other."""
    tree = TileTree(LEAVES[:3])
    copy = tree.copy()
    copy.append(LEAVES[3])
    assert (len(tree), len(copy), copy.peaks()) == (3, 4, [merkle.root(LEAVES[:4])])
