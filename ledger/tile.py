"""Tiles: how a log's hashes and entries are cut into files that never change (C2SP tlog-tiles).

A tile holds up to 256 hashes that stand side by side. On *tile level* 0 they are leaf hashes; on level l each is
the root of a full tile of level l - 1, which is the node of *hash level* 8·l over 256**l leaves. Nodes of the hash
levels between are computed from a tile, not stored. The last tile of a level is *partial* and has a smaller
*width*. An *entry bundle* is to the entries what a tile of level 0 is to their leaf hashes.

Nothing here reads: `node_reader` turns a function that fetches tiles into the one that Merkle proofs read by. Who
fetches from a place he need not trust checks the proof that comes of it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger import merkle
from ledger.errors import MalformedError
from ledger.merkle import HASH_BYTES, Node

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
LEVEL_MAX = 63
INDEX_MAX = 2**63 - 1
ENTRY_BYTES_MAX = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Tile:
    """Tile `index` of its tile level, with `width` hashes (1 to 256): 32 bytes each, and nothing else."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        return tile_path(self.level, self.index, self.width)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Entry bundle `index`, with `width` entries (1 to 256)."""

    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        return entries_path(self.index, self.width)


Fetch = Callable[[Sequence[Tile]], Sequence[bytes]]
"""Gives the bytes of tiles, in the order asked for."""


# Paths


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Where a tile is served below the log's prefix, such as `tile/0/x001/x234/067.p/5`.

    Raises ValueError if a tile cannot have these numbers.
    """
    if not 0 <= level <= LEVEL_MAX:
        raise ValueError(f"a tile's level is 0 to {LEVEL_MAX}, not {level}")
    return f"tile/{level}/{_position(index, width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Where an entry bundle is served below the log's prefix, such as `tile/entries/x001/x234/067`.

    Raises ValueError if a bundle cannot have these numbers.
    """
    return f"tile/entries/{_position(index, width)}"


def parse_tile_path(path: str) -> Tile:
    """Read a tile's path in its one form, or raise MalformedError. Whether a log has that tile is its size's to say."""
    level, index, width = _parse_path(path)
    if level == "entries":
        raise MalformedError("the path is an entry bundle's, not a tile's")
    return Tile(int(level), index, width)


def parse_entries_path(path: str) -> Bundle:
    """Read an entry bundle's path in its one form, or raise MalformedError."""
    level, index, width = _parse_path(path)
    if level != "entries":
        raise MalformedError("the path is a tile's, not an entry bundle's")
    return Bundle(index, width)


_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


def _parse_path(path: str) -> tuple[str, int, int]:
    match = _PATH.fullmatch(path) if isinstance(path, str) else None
    if match is None:
        raise MalformedError("not the path of a tile or an entry bundle")
    level = match["level"]
    index = int(re.sub("[x/]", "", match["index"]))
    width = int(match["width"] or TILE_WIDTH)
    try:
        one_form = entries_path(index, width) if level == "entries" else tile_path(int(level), index, width)
    except ValueError as error:
        raise MalformedError(str(error)) from error
    if one_form != path:
        raise MalformedError(f"the path is written {one_form}")
    return level, index, width


def _position(index: int, width: int) -> str:
    if not 0 <= index <= INDEX_MAX:
        raise ValueError(f"a tile's index is 0 to 2**63 - 1, not {index}")
    if not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"a tile's width is 1 to {TILE_WIDTH}, not {width}")
    groups = f"{index:,}".split(",")
    path = "/".join([*(f"x{group:0>3}" for group in groups[:-1]), f"{groups[-1]:0>3}"])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


# Which tile holds what


def width_in(size: int, *, level: int, index: int) -> int:
    """How wide tile `index` of `level` is in the tree of `size`: 256 if it is full, 0 if it is not there."""
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH))


def tiles_for(nodes: Sequence[Node], size: int) -> list[Tile]:
    """The tiles of the tree of `size` that `nodes` are computed from, each once.

    Raises ValueError if a node is not complete in that tree.
    """
    return list(dict.fromkeys(_tile_of(node, size) for node in nodes))


def node_from_tile(node: Node, tile: Tile, hashes: bytes) -> bytes:
    """Compute the hash of `node` from `hashes`, the bytes of the `tile` that holds it.

    Raises MalformedError if the bytes are not as many as the tile is wide, ValueError if it does not hold the node.
    """
    if len(hashes) != tile.width * HASH_BYTES:
        raise MalformedError(f"{tile.path} has {len(hashes)} bytes, not {tile.width * HASH_BYTES}")
    level, index, first, count = place(node)
    if (level, index) != (tile.level, tile.index) or first + count > tile.width:
        raise ValueError(f"{tile} does not hold {node}")
    starts = range(first * HASH_BYTES, (first + count) * HASH_BYTES, HASH_BYTES)
    return merkle.root([hashes[start : start + HASH_BYTES] for start in starts])


def node_reader(fetch: Fetch, size: int) -> merkle.Read:
    """The `read` that makes proofs in the tree of `size` out of tiles, all of them fetched in one call."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        tiles = tiles_for(nodes, size)
        fetched = dict(zip(tiles, fetch(tiles), strict=True))
        holders = [_tile_of(node, size) for node in nodes]
        return [node_from_tile(node, tile, fetched[tile]) for node, tile in zip(nodes, holders, strict=True)]

    return read


def _tile_of(node: Node, size: int) -> Tile:
    if (node.index + 1) << node.level > size:
        raise ValueError(f"{node} is not complete in a tree of size {size}")
    level, index, _, _ = place(node)
    return Tile(level, index, width_in(size, level=level, index=index))


def place(node: Node) -> tuple[int, int, int, int]:
    """Where a node's hashes stand: tile level, tile index, the first hash in the tile, and how many."""
    level, height = divmod(node.level, TILE_HEIGHT)
    index, first = divmod(node.index << height, TILE_WIDTH)
    return level, index, first, 1 << height


# Entry bundles


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle: each entry after its length, a big-endian uint16.

    Raises ValueError if there are not 1 to 256 entries, or one has more than 65,535 bytes.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise ValueError(f"a bundle has 1 to {TILE_WIDTH} entries, not {len(entries)}")
    if any(len(entry) > ENTRY_BYTES_MAX for entry in entries):
        raise ValueError(f"an entry has at most {ENTRY_BYTES_MAX} bytes")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_entries(data: bytes, width: int) -> list[bytes]:
    """Read the `width` entries of a bundle, all bytes consumed, or raise MalformedError."""
    entries, position = [], 0
    for _ in range(width):
        start = position + 2
        position = start + int.from_bytes(data[position:start])
        entries.append(data[start:position])
    if position != len(data):
        raise MalformedError("the entry bundle does not end with its last entry")
    return entries
