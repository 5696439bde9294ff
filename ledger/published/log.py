"""One log as it is published: read through a Reader, each thing checked for what it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointError, MalformedError
from ledger.log import Log
from ledger.merkle import HASH_BYTES
from ledger.published import blocks, content
from ledger.published.blocks import Block
from ledger.published.content import Content
from ledger.published.paths import Kind, Place
from ledger.published.reader import NotForYouError, NotPublishedError, Reader
from ledger.tile import TILE_WIDTH, Tile, decode_entries, width_in

_Item = TypeVar("_Item")


class Signed(NamedTuple):
    """A checkpoint's signed note, and what it says."""

    text: str
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block, whose header and checkpoint agree."""

    block: Block
    header: Header

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.header.size

    @property
    def blocks(self) -> int:
        """How many blocks the log has."""
        return self.header.height + 1


class PublishedLog:
    """Reads `log` by `reader`.

    Every method raises NotPublishedError if there is nothing, and another OutsideError if it is not what it should
    be. Whether hashes, entries and blocks belong together is their Merkle tree's to say, not ours.
    """

    def __init__(self, reader: Reader, log: Log) -> None:
        self._reader, self.log = reader, log

    def checkpoint(self) -> Signed:
        """The newest checkpoint: the log's word."""
        text = _text(self._reader.read(Place(Kind.CHECKPOINT, self.log.origin).path))
        return Signed(text, self.log.open(text))

    def head(self) -> Head:
        """The newest block. Its checkpoint is the log's word, and of the tree that its header names."""
        block = blocks.decode_head(self._reader.read(Place(Kind.HEAD, self.log.origin).path))
        header, checkpoint = Header.decode(block.header), self.log.open(block.checkpoint)
        if (header.origin, header.size, header.root) != (checkpoint.origin, checkpoint.size, checkpoint.root):
            raise CheckpointError("the newest block's checkpoint is of another tree than its header")
        return Head(block, header)

    def tiles(self, tiles: Sequence[Tile]) -> list[bytes]:
        """The bytes of hash tiles, in the order asked for: a `ledger.tile.Fetch`."""
        return [b"".join(self.hashes(tile)) for tile in tiles]

    def hashes(self, tile: Tile) -> list[bytes]:
        """The hashes of one tile."""
        return self._read(Place(Kind.TILE, self.log.origin, tile.level, tile.index, tile.width), _hashes)

    def entries(self, index: int, width: int = TILE_WIDTH) -> list[bytes | None]:
        """The entries of bundle `index`; None for an erased one."""
        return [entry or None for entry in self._read(self._place(Kind.ENTRIES, index, width), decode_entries)]

    def blocks(self, index: int, width: int = TILE_WIDTH) -> list[Block]:
        """`width` blocks from height `index * 256` on, as they are: their headers may be none."""
        return self._read(self._place(Kind.BLOCKS, index, width), blocks.decode_blocks)

    def content(self, index: int, width: int = TILE_WIDTH) -> list[Content]:
        """What stands beside the entries of bundle `index`. The anchor has none."""
        return self._read(self._place(Kind.CONTENT, index, width), content.decode)

    def _place(self, kind: Kind, index: int, width: int) -> Place:
        return Place(kind, self.log.origin, 0, index, width)

    def _read(self, place: Place, decode: Callable[[bytes, int], Sequence[_Item]]) -> list[_Item]:
        """The items of a file. A partial one may be gone once the full one is there (C2SP tlog-tiles)."""
        try:
            return list(decode(self._reader.read(place.path), place.width))
        except NotForYouError:
            raise
        except NotPublishedError:
            if not place.is_partial:
                raise
        try:
            return self._cut(place, TILE_WIDTH, decode)
        except NotPublishedError:
            return self._cut(place, self._width_now(place), decode)

    def _cut(self, place: Place, width: int, decode: Callable[[bytes, int], Sequence[_Item]]) -> list[_Item]:
        """The items of a file, out of one that is wider."""
        if width <= place.width:
            raise NotPublishedError("it is not there")
        return list(decode(self._reader.read(replace(place, width=width).path), width))[: place.width]

    def _width_now(self, place: Place) -> int:
        """How wide the file is by now: content changes, so in a folder only its widest file stays."""
        head = self.head()
        return width_in(head.blocks if place.kind is Kind.BLOCKS else head.size, level=place.level, index=place.index)


def _hashes(data: bytes, width: int) -> list[bytes]:
    if len(data) != width * HASH_BYTES:
        raise MalformedError(f"a tile of {width} hashes has {len(data)} bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("the checkpoint is not UTF-8") from error
