"""Tiles: paths, which tile holds what, and proofs made of tiles."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle, tile
from ledger.errors import MalformedError
from ledger.merkle import Node
from ledger.tile import Bundle, Tile

LEAVES = [merkle.leaf_hash(n.to_bytes(4)) for n in range(1100)]

# Paths


@pytest.mark.parametrize(
    ("of", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),  # the specification's own example
        (Tile(0, 1234067, 5), "tile/0/x001/x234/067.p/5"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 255), "tile/1/999.p/255"),
        (Tile(2, 1000, 1), "tile/2/x001/000.p/1"),
        (Tile(63, 2**63 - 1), "tile/63/x009/x223/x372/x036/x854/x775/807"),
        (Bundle(0), "tile/entries/000"),
        (Bundle(1234067, 112), "tile/entries/x001/x234/067.p/112"),
    ],
)
def test_a_path_reads_back(of: Tile | Bundle, path: str) -> None:
    """A tile and a bundle have one path each, by the rules of C2SP tlog-tiles."""
    assert of.path == path
    assert (tile.parse_tile_path if isinstance(of, Tile) else tile.parse_entries_path)(path) == of


@pytest.mark.parametrize(
    "position",
    [
        "", "0", "00", "0000", "x000", "x000/000", "x001/x000", "001/000", "x1/000", "x001/00", "x001//000",
        "x001/000/", "000/", "000.p", "000.p/", "000.p/0", "000.p/05", "000.p/256", "000.p/257", "000.p/999",
        "000.p/1000",
        "000.p/-1", "000.p/5/", "000.p/5\n", "000\n", " 000", "-01", "000.P/5", "X001/000", "\u0660\u0660\u0660",
        "x009/x223/x372/x036/x854/x775/808", "x001/x000/x000/x000/x000/x000/x000/000",
    ],
)  # fmt: skip
def test_another_form_is_refused(position: str) -> None:
    """Leading zeros, full partial tiles, stray characters and huge numbers are no path."""
    with pytest.raises(MalformedError):
        tile.parse_tile_path(f"tile/0/{position}")
    with pytest.raises(MalformedError):
        tile.parse_entries_path(f"tile/entries/{position}")


@pytest.mark.parametrize("level", ["", "64", "99", "100", "00", "01", "-1", "+1", "x", "data", "Entries", "1.0"])
def test_another_level_is_refused(level: str) -> None:
    """A level is 0 to 63, without leading zeros."""
    with pytest.raises(MalformedError):
        tile.parse_tile_path(f"tile/{level}/000")


def test_tiles_and_bundles_are_not_confused() -> None:
    """Each parser reads its own kind of path."""
    with pytest.raises(MalformedError, match="entry bundle's"):
        tile.parse_tile_path("tile/entries/000")
    with pytest.raises(MalformedError, match="a tile's"):
        tile.parse_entries_path("tile/0/000")


@given(st.text() | st.text("tile/0123x.p", max_size=30).map("tile/".__add__) | st.none() | st.binary())
def test_parsing_is_total(path: Any) -> None:
    """Any path gives the tile that has that path, or MalformedError."""
    for parse in (tile.parse_tile_path, tile.parse_entries_path):
        try:
            found = parse(path)
        except MalformedError:
            continue
        assert found.path == path


@given(st.integers(0, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_every_tile_has_a_path_of_its_own(level: int, index: int, width: int) -> None:
    """Formatting and parsing are inverse."""
    assert tile.parse_tile_path(tile.tile_path(level, index, width)) == Tile(level, index, width)
    assert tile.parse_entries_path(tile.entries_path(index, width)) == Bundle(index, width)


@pytest.mark.parametrize("of", [Tile(-1, 0), Tile(64, 0), Tile(0, -1), Tile(0, 2**63), Tile(0, 0, 0), Tile(0, 0, 257)])
def test_what_is_no_tile_has_no_path(of: Tile) -> None:
    """We do not write a path that we would not read."""
    with pytest.raises(ValueError, match="a tile's"):
        _ = of.path


# Which tile holds what


def test_the_specifications_example_tree() -> None:
    """A tree of 70,000 has 273 full tiles and one of 112, one full tile and one of 17, and one of 1."""
    widths = {
        (level, index): tile.width_in(70_000, level=level, index=index) for level in range(4) for index in range(300)
    }
    assert [widths[0, index] for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [widths[1, index] for index in (0, 1, 2)] == [256, 17, 0]
    assert [widths[2, index] for index in (0, 1)] == [1, 0]
    assert widths[3, 0] == 0
    assert sum(width == 256 for width in widths.values()) == 274


def test_a_tree_of_256_has_a_full_tile_and_one_above() -> None:
    """The specification's other example."""
    assert tile.width_in(256, level=0, index=0) == 256
    assert tile.width_in(256, level=1, index=0) == 1


@pytest.mark.parametrize(
    ("node", "holder"),
    [
        (Node(0, 0), Tile(0, 0)),
        (Node(0, 1099), Tile(0, 4, 76)),
        (Node(7, 1), Tile(0, 0)),
        (Node(7, 7), Tile(0, 3)),
        (Node(2, 256), Tile(0, 4, 76)),
        (Node(8, 0), Tile(1, 0, 4)),  # the root of a full tile stands in the tile above
        (Node(8, 3), Tile(1, 0, 4)),
        (Node(10, 0), Tile(1, 0, 4)),
    ],
)
def test_the_tile_that_holds_a_node(node: Node, holder: Tile) -> None:
    """A node is computed from the one tile of its tile level, as wide as the tree of 1,100 makes it."""
    assert tile.tiles_for([node], 1100) == [holder]
    assert tile.tiles_for([node, node, Node(0, 0)], 1100) == list(dict.fromkeys([holder, Tile(0, 0)]))


@pytest.mark.parametrize("node", [Node(0, 1100), Node(1, 550), Node(8, 4), Node(11, 0)])
def test_an_incomplete_node_is_in_no_tile(node: Node) -> None:
    """A subtree that the tree does not fill has no hash yet."""
    with pytest.raises(ValueError, match="not complete"):
        tile.tiles_for([node], 1100)


def bytes_of(wanted: Tile) -> bytes:
    """A tile's bytes by the specification's formula, over LEAVES."""
    span = 256**wanted.level
    starts = [(wanted.index * 256 + i) * span for i in range(wanted.width)]
    return b"".join(merkle.root(LEAVES[start : start + span]) for start in starts)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300, 511, 512, 513, 768, 1023, 1024, 1100])
def test_proofs_are_made_of_tiles(size: int) -> None:
    """Root and proofs from tiles hold, and every fetch asks for each of a tree's tiles at most once."""
    tiles = {
        Tile(level, index, width): bytes_of(Tile(level, index, width))
        for level in range(2)
        for index in range(5)
        if (width := tile.width_in(size, level=level, index=index))
    }

    def fetch(wanted: Sequence[Tile]) -> list[bytes]:
        assert len(set(wanted)) == len(wanted)
        return [tiles[one] for one in wanted]

    read = tile.node_reader(fetch, size)
    root = merkle.root(LEAVES[:size])
    assert merkle.root_from(size, read) == root
    for index in sorted({0, size // 3, size // 2, size - 1}):
        proof = merkle.inclusion_proof(index, size, read)
        merkle.verify_inclusion(proof, leaf=LEAVES[index], index=index, size=size, root=root)
        old = merkle.root(LEAVES[: index + 1])
        proof = merkle.consistency_proof(index + 1, size, read)
        merkle.verify_consistency(proof, old_size=index + 1, new_size=size, old_root=old, new_root=root)
        proof = merkle.range_proof(index // 2, index, size, read)
        leaves = LEAVES[index // 2 : index + 1]
        merkle.verify_range(proof, leaves=leaves, first=index // 2, size=size, root=root)


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    """What was fetched must be as many hashes as the tile is wide."""
    for length in (0, 31, 32 * 75, 32 * 76 - 1, 32 * 77, 32 * 256):
        with pytest.raises(MalformedError, match=r"tile/0/004\.p/76 has"):
            tile.node_from_tile(Node(0, 1099), Tile(0, 4, 76), bytes(length))


@pytest.mark.parametrize("node", [Node(0, 0), Node(0, 1100), Node(8, 0), Node(7, 8)])
def test_a_tile_gives_only_what_it_holds(node: Node) -> None:
    """Asking the wrong tile is our fault."""
    with pytest.raises(ValueError, match="does not hold"):
        tile.node_from_tile(node, Tile(0, 4, 76), bytes(32 * 76))


# Entry bundles


@pytest.mark.parametrize("entries", [[b""], [b"a", b"", b"bc"], [b"x"] * 256, [bytes(65_535), b"y"]])
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    """Entries come back in order, up to the length that a uint16 can say."""
    data = tile.encode_entries(entries)
    assert tile.decode_entries(data, len(entries)) == entries
    for width in {len(entries) - 1, len(entries) + 1}:
        with pytest.raises(MalformedError, match="entry bundle"):
            tile.decode_entries(data, width)
    for spoiled in (data[:-1], data + b"\x00", data[1:]):
        with pytest.raises(MalformedError, match="entry bundle"):
            tile.decode_entries(spoiled, len(entries))


def test_a_bundle_is_lengths_and_bytes() -> None:
    """The specification's words: big-endian uint16 length-prefixed entries."""
    assert tile.encode_entries([b"ab", bytes(258)]) == b"\x00\x02ab\x01\x02" + bytes(258)


@pytest.mark.parametrize("entries", [[], [b""] * 257, [bytes(65_536)]])
def test_what_is_no_bundle_is_not_written(entries: list[bytes]) -> None:
    """A bundle has 1 to 256 entries, each of a length that can be told."""
    with pytest.raises(ValueError, match=r"entries, not|at most"):
        tile.encode_entries(entries)


@given(st.binary(max_size=64), st.integers(1, 256))
def test_reading_a_bundle_is_total(data: bytes, width: int) -> None:
    """Any bytes give the entries that encode to them, or MalformedError."""
    try:
        entries = tile.decode_entries(data, width)
    except MalformedError:
        return
    assert tile.encode_entries(entries) == data
    assert len(entries) == width
