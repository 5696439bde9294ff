"""Where each chain stands: what the database has, what was published, and whether somebody has to decide."""

from dataclasses import dataclass

import psycopg

from ledger import checkpoint_file, merkle
from ledger.backup.backup import Head, read_heads
from ledger.checkpoint_file import Published
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.frontier import Frontier
from ledger.tile import node_reader
from ledger.tree_store import edge_rows, fetch_tiles

ROOT_DIGITS = 16  # of a root, in hexadecimal: enough to name it


@dataclass(frozen=True, slots=True)
class Standing:
    """A chain. `why` says what has to be decided, or is empty if it goes on from its published checkpoint."""

    chain: str
    chain_id: int
    head: Head | None
    published: Published | None
    why: str

    @property
    def state(self) -> tuple[int, bytes]:
        """Size and root in the database."""
        return (self.head.size, self.head.root) if self.head else (0, merkle.EMPTY_ROOT)

    @property
    def named(self) -> str:
        """The database's state as the operator names it: `CHAIN=SIZE:ROOT`."""
        size, root = self.state
        return f"{self.chain}={size}:{root.hex()[:ROOT_DIGITS]}"

    @property
    def lost(self) -> str | None:
        """The published checkpoint that this history does not lead to, a signed note."""
        if self.published is None or self.published.note == (self.head.note if self.head else None):
            return None
        return self.published.note

    @property
    def lost_count(self) -> int:
        """How many published entries are not in the database; 0 as well if what is here is another history."""
        return max(self.published.checkpoint.size - self.state[0], 0) if self.published else 0


def standings(connection: psycopg.Connection, folder: LedgerFolder) -> list[Standing]:
    """Every chain's standing, in the order of their row ids."""
    heads = read_heads(connection)
    rows = connection.execute("select name, chain_id from chain order by chain_id").fetchall()
    return [_standing(connection, folder, name, chain_id, heads.get(name)) for name, chain_id in rows]


def require_sound(connection: psycopg.Connection, standing: Standing) -> None:
    """Raise UserError unless the chain's entries and tiles give the root of its newest block."""
    size, root = standing.state
    try:
        found = Frontier(size, edge_rows(connection, standing.chain_id, size)).root()
    except ValueError:
        found = b""
    if found != root:
        raise UserError(
            f"{standing.chain!r}: its entries do not give the root of its last block: this database is damaged",
            "restore a backup: 'tallystick ledger restore'",
        )


def _standing(
    connection: psycopg.Connection, folder: LedgerFolder, chain: str, chain_id: int, head: Head | None
) -> Standing:
    published = checkpoint_file.load(folder.checkpoints, chain)
    why = "it was restored from a backup" if checkpoint_file.is_held(folder.checkpoints, chain) else ""
    why = _contradiction(connection, chain_id, head, published) or why
    return Standing(chain, chain_id, head, published, why)


def _contradiction(
    connection: psycopg.Connection, chain_id: int, head: Head | None, published: Published | None
) -> str:
    """Why a writer would refuse to go on, as `ledger.seal` has it."""
    size = head.size if head else 0
    if published is None:
        first = connection.execute("select count(*) from block where chain_id = %s", [chain_id]).fetchone()
        return "none of its checkpoints was ever published" if first and first[0] > 1 else ""
    found = published.checkpoint
    if found.size > size:
        return f"{found.size} entries were published, the database has {size}"
    read = node_reader(lambda tiles: fetch_tiles(connection, chain_id, tiles), found.size)
    is_same = merkle.root_from(found.size, read) == found.root
    return "" if is_same else "the database has another history than the published checkpoint"
