"""What a log holds, proven against its checkpoint: the entries of its newest blocks, with what stands beside them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ledger import merkle
from ledger.block import Header
from ledger.errors import MalformedError
from ledger.fold import Stored
from ledger.mirror import leaves
from ledger.mirror.leaves import Leaf
from ledger.published.log import Head, PublishedLog
from ledger.tile import TILE_WIDTH, Tile, node_reader, width_in


class Entry(NamedTuple):
    """An entry, and when its block was sealed, in milliseconds since 1970: the word of who serves it."""

    stored: Stored
    time_ms: int


def newest_blocks(log: PublishedLog, head: Head, *, until: Callable[[Header], bool]) -> list[Header]:
    """The newest headers, from the last one on of which `until` holds, in order.

    Raises MalformedError if each is not the continuation of the one before, up to the head; and as PublishedLog.
    """
    if head.blocks > head.size:  # the height is not signed: it must not lead us on without end
        raise MalformedError("it has more blocks than entries")
    found: list[Header] = []
    for index in reversed(range(-(-head.blocks // TILE_WIDTH))):
        for block in reversed(log.blocks(index, width_in(head.blocks, level=0, index=index))):
            header = Header.decode(block.header)
            if not _leads_to(header, found[-1] if found else None, head.header):
                raise MalformedError(f"block {header.height} does not lead to the head")
            found.append(header)
            if until(header):
                return found[::-1]
    return found[::-1]


def _leads_to(header: Header, following: Header | None, newest: Header) -> bool:
    if following is None:
        return header == newest
    return (following.height, following.prev, following.first) == (header.height + 1, header.hash, header.size)


def entries(log: PublishedLog, head: Head, blocks: Sequence[Header]) -> Iterator[Entry]:
    """The entries of the last `blocks` of a log but for the erased ones.

    Raises ProofError if they are not in the tree of the head, SourceRefused if what stands beside one is not what it
    names, and what PublishedLog raises.
    """
    if not blocks:
        return
    following = iter(blocks)
    block, first = next(following), blocks[0].first
    for index in range(first // TILE_WIDTH, -(-head.size // TILE_WIDTH)):
        for stored in _file(log, head, index):
            while block.size <= stored.index:
                block = next(following)
            if stored.index >= first and stored.data:
                yield Entry(stored, block.time_ms)


def _file(log: PublishedLog, head: Head, index: int) -> list[Stored]:
    width, start = width_in(head.size, level=0, index=index), index * TILE_WIDTH
    shown, contents = log.entries(index, width), log.content(index, width)
    hashes = log.hashes(Tile(0, index, width))
    for number, parts in enumerate(zip(hashes, shown, contents, strict=True), start):
        leaves.check(Leaf(*parts), f"entry {number} of {log.log.chain!r}")
    proof = merkle.range_proof(start, start + width - 1, head.size, node_reader(log.tiles, head.size))
    merkle.verify_range(proof, leaves=hashes, first=start, size=head.size, root=head.header.root)
    return [
        Stored(number, entry or b"", {s.line: s.data for s in content.sections if s.data is not None})
        for number, (entry, content) in enumerate(zip(shown, contents, strict=True), start)
    ]
