"""How a log's newest checkpoint stands to the one seen before, proven by tiles."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from ledger import merkle
from ledger.checkpoint import Checkpoint
from ledger.errors import MalformedError, ProofError
from ledger.published.follow import Course, begins_with, course
from ledger.tile import Fetch, Tile

ORIGIN = "example.com/tallystick/production"
SIZES = (0, 1, 2, 3, 255, 256, 257, 511, 512, 700)


class Tree:
    """A log's leaves: `spoilt` of them from that index on are another history's."""

    def __init__(self, size: int, *, spoilt: int | None = None) -> None:
        other = size if spoilt is None else spoilt
        self.leaves = [merkle.leaf_hash(f"{n}{'!' * (n >= other)}".encode()) for n in range(size)]
        self.checkpoint = Checkpoint(ORIGIN, size, merkle.root(self.leaves))

    def fetch(self, tiles: Sequence[Tile]) -> list[bytes]:
        """The tiles' bytes."""
        return [b"".join(self._row(tile.level)[tile.index * 256 :][: tile.width]) for tile in tiles]

    def _row(self, level: int) -> list[bytes]:
        row = self.leaves
        for _ in range(level):
            row = [merkle.root(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
        return row


def _course(held: Tree, offered: Tree, *, held_tiles: Fetch | None = None) -> Course:
    return course(held.checkpoint, offered.checkpoint, held_tiles=held_tiles, offered_tiles=offered.fetch)


@pytest.mark.parametrize(("old", "new"), [*list(pairwise(SIZES)), (0, 700), (3, 511), (256, 512), (1, 257)])
def test_a_log_that_grows(old: int, new: int) -> None:
    """The tree that begins with the one held has grown; seen the other way round, it was rewound."""
    assert _course(Tree(old), Tree(new)) is Course.GROWN
    assert _course(Tree(new), Tree(old)) is Course.REWOUND
    assert _course(Tree(new), Tree(old), held_tiles=Tree(new).fetch) is Course.REWOUND
    assert _course(Tree(new), Tree(new)) is Course.SAME


@pytest.mark.parametrize(("old", "new"), [*list(pairwise(SIZES[1:])), (3, 511), (256, 512), (257, 700)])
def test_a_fork_is_proven(old: int, new: int) -> None:
    """One other leaf below the old size, first or last: forked, whichever of the two is held, where tiles are."""
    for spoilt in {0, old - 1}:
        forked = Tree(new, spoilt=spoilt)
        assert _course(Tree(old), forked) is Course.FORKED
        assert _course(forked, Tree(old), held_tiles=forked.fetch) is Course.FORKED
        assert _course(Tree(new), forked) is Course.FORKED


def test_what_comes_after_is_no_fork() -> None:
    """Two trees that differ beyond the old size both have grown from it."""
    assert _course(Tree(300), Tree(700, spoilt=300)) is Course.GROWN


@pytest.mark.parametrize("level", [0, 1])
def test_tiles_that_lie_prove_nothing(level: int) -> None:
    """A tile that is not of the signed tree is an error: it accuses nobody of a fork."""
    old, new = Tree(257), Tree(700)

    def fetch(tiles: Sequence[Tile]) -> list[bytes]:
        return [
            bytes([data[0] ^ 1]) + data[1:] if tile.level == level else data
            for tile, data in zip(tiles, new.fetch(tiles), strict=True)
        ]

    with pytest.raises(ProofError, match="not those of the tree"):
        begins_with(new.checkpoint, old.checkpoint, fetch)


def test_a_tile_of_another_size() -> None:
    """A tile that is cut short is an error of its own."""
    with pytest.raises(MalformedError, match="bytes, not"):
        begins_with(Tree(700).checkpoint, Tree(257).checkpoint, lambda tiles: [b"" for _ in tiles])
