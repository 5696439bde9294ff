"""Hash tiles in the database: full ones as rows; partial ones derived from what lies below them."""

from collections.abc import Sequence

import psycopg

from ledger.tile import Tile

INDEX_BITS = 40


def entry_id(chain_id: int, index: int) -> int:
    """The integer id of entry `index` of a chain."""
    return (chain_id << INDEX_BITS) | index


def index_of(entry: int) -> int:
    """The index that an entry's id holds."""
    return entry & ((1 << INDEX_BITS) - 1)


def chain_of(entry: int) -> int:
    """The chain id that an entry's id holds."""
    return entry >> INDEX_BITS


def fetch_tiles(connection: psycopg.Connection, chain_id: int, tiles: Sequence[Tile]) -> list[bytes]:
    """The hashes of each tile, 32 bytes each side by side; raises LookupError. One query reads all the full ones."""
    stored = _full_tiles(connection, chain_id, [tile for tile in tiles if tile.width == 256])
    return [stored.get((tile.level, tile.index)) or _derived(connection, chain_id, tile) for tile in tiles]


def _full_tiles(connection: psycopg.Connection, chain_id: int, tiles: Sequence[Tile]) -> dict[tuple[int, int], bytes]:
    if not tiles:
        return {}
    rows = connection.execute(
        """select level, index, hashes
             from unnest(%s::int2[], %s::int8[]) asked (level, index) join tile using (level, index)
            where chain_id = %s""",
        [[tile.level for tile in tiles], [tile.index for tile in tiles], chain_id],
    )
    return {(level, index): bytes(hashes) for level, index, hashes in rows}


def _derived(connection: psycopg.Connection, chain_id: int, tile: Tile) -> bytes:
    """A partial tile, or a full one that is not stored: from what lies below it."""
    hashes = _row_hashes(connection, chain_id, tile.level, tile.index * 256, tile.width)
    if len(hashes) != tile.width:
        raise LookupError(f"tile {tile.level}/{tile.index} is not in the database")
    return b"".join(hashes)


def _row_hashes(connection: psycopg.Connection, chain_id: int, level: int, first: int, count: int) -> list[bytes]:
    """Hashes `first` to `first + count - 1` of a tile level: leaf hashes at level 0, tiles' roots above."""
    if level == 0:
        rows = connection.execute(
            "select leaf_hash from entry where entry_id >= %s and entry_id < %s order by entry_id",
            [entry_id(chain_id, first), entry_id(chain_id, first + count)],
        )
    else:
        rows = connection.execute(
            """select root from tile where chain_id = %s and level = %s and index >= %s and index < %s
                order by index""",
            [chain_id, level - 1, first, first + count],
        )
    return [bytes(row[0]) for row in rows]


def edge_rows(connection: psycopg.Connection, chain_id: int, size: int) -> list[list[bytes]]:
    """The incomplete row of each tile level at `size`, as `ledger.frontier.Frontier` holds them."""
    rows, level, count = [], 0, size
    while count:
        width = count % 256
        rows.append(_row_hashes(connection, chain_id, level, count - width, width))
        level, count = level + 1, count // 256
    return rows
