"""The right edge of a growing log."""

from collections.abc import Sequence
from hashlib import sha256

import pytest

from ledger import merkle, tile
from ledger.frontier import Frontier
from ledger.tile import Tile

LEAVES = [merkle.leaf_hash(n.to_bytes(4)) for n in range(600)]


def grown(size: int) -> Frontier:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    return frontier


def test_the_root_is_the_trees_at_every_size() -> None:
    """Up to 600 leaves, the root after each append is that of the whole tree."""
    frontier = Frontier()
    assert frontier.root() == merkle.EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, start=1):
        frontier.append(leaf)
        assert frontier.size == size
        assert frontier.root() == merkle.root(LEAVES[:size])


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 513, 600])
def test_it_starts_again_from_its_rows(size: int) -> None:
    """Size and rows are all that must be remembered."""
    frontier = grown(size)
    again = Frontier(frontier.size, frontier.rows)
    assert again.root() == merkle.root(LEAVES[:size])
    again.append(LEAVES[0])
    assert again.root() == merkle.root([*LEAVES[:size], LEAVES[0]])
    assert frontier.size == size


def test_full_tiles_come_once_and_in_order() -> None:
    """A tile is given when it is full, with its root; after that it is forgotten."""
    frontier = grown(255)
    assert frontier.take_full_tiles() == []
    frontier.append(LEAVES[255])
    [full] = frontier.take_full_tiles()
    assert (full.level, full.index, full.hashes) == (0, 0, b"".join(LEAVES[:256]))
    assert full.root == merkle.root(LEAVES[:256])
    assert frontier.take_full_tiles() == []
    assert frontier.rows == [[], [full.root]]
    for leaf in LEAVES[256:600]:
        frontier.append(leaf)
    assert [(one.level, one.index) for one in frontier.take_full_tiles()] == [(0, 1)]


def test_a_copy_can_be_thrown_away() -> None:
    """What happens to a copy does not happen to the frontier it was made of, nor the other way."""
    frontier = grown(256)
    copy = frontier.copy()
    copy.append(LEAVES[256])
    assert len(copy.take_full_tiles()) == 1
    assert (frontier.size, frontier.root()) == (256, merkle.root(LEAVES[:256]))
    assert len(frontier.take_full_tiles()) == 1
    frontier.append(LEAVES[0])
    assert copy.root() == merkle.root(LEAVES[:257])


def test_a_copy_has_full_tiles_of_its_own() -> None:
    """What became full in a copy that was thrown away was never full."""
    frontier = grown(256)
    copy = frontier.copy()
    for leaf in LEAVES[256:512]:
        copy.append(leaf)
    assert [one.index for one in copy.take_full_tiles()] == [0, 1]
    assert [one.index for one in frontier.take_full_tiles()] == [0]


def test_its_rows_are_not_lent() -> None:
    """Neither the rows it was made of nor those it shows are its own."""
    rows = [[LEAVES[0]]]
    frontier = Frontier(1, rows)
    rows[0].append(LEAVES[1])
    frontier.rows[0].append(LEAVES[1])
    assert frontier.root() == LEAVES[0]


H = LEAVES[0]


@pytest.mark.parametrize(
    ("size", "rows"),
    [
        (0, [[]]),
        (1, []),
        (1, [[]]),
        (1, [[H, H]]),
        (1, [[H], []]),
        (256, [[H] * 256]),
        (256, [[], [H], []]),
        (65_536, [[], []]),
        (1, [[H[:31]]]),
        (-1, []),
        (2**63, [[]] * 7 + [[H] * 128]),
    ],
)
def test_rows_of_another_size_are_refused(size: int, rows: Sequence[Sequence[bytes]]) -> None:
    """Each row is as long as the size's digit to base 256."""
    with pytest.raises(ValueError, match=r"size|bytes"):
        Frontier(size, rows)


@pytest.mark.parametrize("leaf", [b"", bytes(31), bytes(33)])
def test_what_is_no_hash_is_not_appended(leaf: bytes) -> None:
    """A refused leaf changes nothing."""
    frontier = grown(3)
    with pytest.raises(ValueError, match="32 bytes"):
        frontier.append(leaf)
    assert (frontier.size, frontier.root()) == (3, merkle.root(LEAVES[:3]))


def test_the_specifications_example_tree() -> None:
    """A run of 70,000 leaves gives the 274 full tiles and three rows of C2SP tlog-tiles, and the right root."""
    leaves = [n.to_bytes(32) for n in range(70_000)]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    full = frontier.take_full_tiles()
    assert [len(row) for row in frontier.rows] == [112, 17, 1]
    assert [sum(one.level == level for one in full) for level in (0, 1, 2)] == [273, 1, 0]
    assert frontier.root() == merkle.root(leaves)

    # What was stored on the way is what proofs are made of.
    stored = {Tile(one.level, one.index): one.hashes for one in full}
    for level, row in enumerate(frontier.rows):
        stored[Tile(level, 70_000 >> 8 * (level + 1), len(row))] = b"".join(row)
    read = tile.node_reader(lambda tiles: [stored[one] for one in tiles], 70_000)
    assert merkle.root_from(70_000, read) == frontier.root()
    proof = merkle.inclusion_proof(65_535, 70_000, read)
    merkle.verify_inclusion(proof, leaf=leaves[65_535], index=65_535, size=70_000, root=frontier.root())


@pytest.mark.parametrize("steps", [(1,), (3, 252, 1, 5), (256,), (255, 2), (700, 0, 324), (65_536 + 300,)])
def test_many_leaves_make_the_tree_that_each_alone_makes(steps: tuple[int, ...]) -> None:
    """Size, rows, root and full tiles, whatever is appended at once."""
    many, each = Frontier(), Frontier()
    for step in steps:
        leaves = [sha256(number.to_bytes(8)).digest() for number in range(many.size, many.size + step)]
        many.extend(leaves)
        for leaf in leaves:
            each.append(leaf)
        assert (many.size, many.rows, many.root()) == (each.size, each.rows, each.root())
    full = [
        [(tile.level, tile.index, tile.hashes, tile.root) for tile in one.take_full_tiles()] for one in (many, each)
    ]
    assert full[0] == full[1]
