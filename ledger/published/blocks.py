"""Blocks as they are published: pairs of a header and its checkpoint, alone as the head, or up to 256 by height."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ledger import cbor
from ledger.errors import MalformedError

HEADER_BYTES_MAX = 4096
CHECKPOINT_CHARS_MAX = 64 * 1024


class Block(NamedTuple):
    """A header's bytes, and the signed note over the tree that the block leaves behind."""

    header: bytes
    checkpoint: str


def encode_head(block: Block) -> bytes:
    """CBOR `[header, checkpoint]`."""
    return cbor.encode(list(block))


def decode_head(data: bytes) -> Block:
    """Read a head in its one encoding; any bytes give a Block or MalformedError."""
    return _block(cbor.decode_canonical(data, depth_max=2, items_max=3))


def encode_blocks(blocks: Sequence[Block]) -> bytes:
    """CBOR `[[header, checkpoint], …]`."""
    return cbor.encode([list(block) for block in blocks])


def decode_blocks(data: bytes, width: int) -> list[Block]:
    """Read `width` blocks in their one encoding; any bytes give them or MalformedError."""
    match cbor.decode_canonical(data, depth_max=3, items_max=1 + 3 * width):
        case [*blocks] if len(blocks) == width:
            return [_block(block) for block in blocks]
    raise MalformedError(f"it is not an array of {width} blocks")


def _block(value: Any) -> Block:
    match value:
        case [bytes(header), str(checkpoint)]:
            if len(header) <= HEADER_BYTES_MAX and len(checkpoint) <= CHECKPOINT_CHARS_MAX:
                return Block(header, checkpoint)
            raise MalformedError("a block's header or checkpoint is over its size")
    raise MalformedError("a block is [header, checkpoint]")
