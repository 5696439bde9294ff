"""Sources for mirrors: a ledger as it was once, and one whose operator signs two histories."""

from dataclasses import dataclass, replace

from ledger import merkle, note
from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.published import blocks
from ledger.published.blocks import Block
from ledger.published.log import Head, PublishedLog
from ledger.published.paths import Kind, Place, tiles
from ledger.published.reader import NotPublishedError, Reader
from ledger.tile import TILE_WIDTH, Tile, width_in
from tests.ledger.published.made import Copy, Made
from tests.world import World


@dataclass
class Past:
    """What `made` had published when its clock stood at `now_ms`."""

    made: Made
    now_ms: int
    reader: Reader

    def read(self, path: str) -> bytes:
        """The head of then; all else as it is, if it was there."""
        for chain, origin in self.made.origins.items():
            if path in (f"{origin}/head", f"{origin}/checkpoint"):
                block = self.head(chain)
                return blocks.encode_head(block) if path.endswith("head") else block.checkpoint.encode()
        return self.reader.read(path)

    def head(self, chain: str) -> Block:
        """The newest block of then."""
        log = PublishedLog(self.made.reader(), self.made.world.trust.log(chain))
        found = None
        for index in range(-(-log.head().blocks // TILE_WIDTH)):
            for block in log.blocks(index, width_in(log.head().blocks, level=0, index=index)):
                found = block if Header.decode(block.header).time_ms <= self.now_ms else found
        if found is None:
            raise NotPublishedError("nothing yet")
        return found


def sign(world: World, chain: str, header: Header) -> Block:
    """A block of the log's, signed by its key, whatever its header says."""
    log = world.trust.log(chain)
    text = Checkpoint(log.origin, header.size, header.root).text
    return Block(header.encode(), note.sign(text, [note.Signer(log.origin, world.folder.log_key(chain))]))


def forge(copy: Copy, world: World, chain: str, *, leaf: int) -> None:
    """Have the log sign another history, in which one leaf is another: hash tiles, head and checkpoint follow."""
    log = PublishedLog(copy, world.trust.log(chain))
    head, origin = log.head(), log.log.origin
    leaves = [value for index in range(-(-head.size // TILE_WIDTH)) for value in _hashes(log, head, index)]
    leaves[leaf] = merkle.leaf_hash(b"another entry")
    rows = [leaves]
    while len(rows[-1]) >= TILE_WIDTH:
        full = range(0, len(rows[-1]) - TILE_WIDTH + 1, TILE_WIDTH)
        rows.append([merkle.root(rows[-1][at : at + TILE_WIDTH]) for at in full])
    for place in tiles(origin, head.size):
        row = rows[place.level][place.index * TILE_WIDTH :][: place.width]
        copy.files[place.path] = b"".join(row)
    block = sign(world, chain, replace(head.header, root=merkle.root(leaves)))
    copy.files[Place(Kind.HEAD, origin).path] = blocks.encode_head(block)
    copy.files[Place(Kind.CHECKPOINT, origin).path] = block.checkpoint.encode()


def _hashes(log: PublishedLog, head: Head, index: int) -> list[bytes]:
    return log.hashes(Tile(0, index, width_in(head.size, level=0, index=index)))
