"""What no signature says yet, and a source may have made up: it is held until another source says otherwise.

A log signs sizes and roots. The rest of a header is only its server's word until it is in the anchor: which blocks
there were, their times and registries. So the blocks after the last one that is anchored are those of the source that
was read last. Of an erased entry only the leaf hash is signed for: whoever has the entry proves it by that.
"""

from collections.abc import Callable

from ledger import anchor, merkle
from ledger.anchor import Kind as AnchorKind
from ledger.block import Header
from ledger.errors import MalformedError, SourceRefused
from ledger.mirror.chaining import blocks_after
from ledger.mirror.heads import LYING, refusing
from ledger.mirror.held import Held
from ledger.mirror.leaves import Leaf
from ledger.published.content import Content
from ledger.published.log import Head, PublishedLog
from ledger.published.reader import NotPublishedError
from ledger.tile import TILE_WIDTH, node_reader, width_in

Require = Callable[[Held, Head], None]


def settle_blocks(source: PublishedLog, held: Held, to: Head, *, anchored: Callable[[], int], require: Require) -> None:
    """Take the blocks of `source`, whose log ends in `to`, where those that are held are not `anchored`.

    `anchored` finds how many are; `require` may refuse a block. Raises SourceRefused.
    """
    if held.head is None or _agree(source, held.head, to):
        return
    count = anchored()
    last = held.block(count - 1) if count else None
    new = list[Head]()
    for block in blocks_after(source, Header.decode(last.header) if last else None, to):
        if block.size > held.size:
            break
        _require_ours(source, held, block)
        require(held, block)
        new.append(block)
    if not new or new[-1].size != held.size:
        raise SourceRefused(f"no block of {held.log.chain!r} ends with the {held.size} entries that are held", LYING)
    held.replace_blocks(count, new)


def _agree(source: PublishedLog, ours: Head, to: Head) -> bool:
    """Whether the block at our height is ours: then so are those before, which it names."""
    if to.blocks == ours.blocks:
        return to.header == ours.header
    index, number = divmod(ours.blocks - 1, TILE_WIDTH)
    if to.blocks < ours.blocks:
        return False
    with refusing(f"file {index} of the blocks of {source.log.chain!r}"):
        return source.blocks(index, width_in(to.blocks, level=0, index=index))[number].header == ours.block.header


def _require_ours(source: PublishedLog, held: Held, block: Head) -> None:
    read = node_reader(PublishedLog(held.store, held.log).tiles, held.size)
    if merkle.root_from(block.size, read) != block.header.root:
        what = f"block {block.header.height} of {source.log.chain!r} is not of the tree that is held"
        raise SourceRefused(what, LYING)


def settle_entries(source: PublishedLog, held: Held) -> None:
    """Ask `source` for the entries that were erased when they came, and take what it shows. Raises SourceRefused."""
    found = dict[int, list[Leaf]]()
    for index in sorted(held.erased):
        width = width_in(held.size, level=0, index=index)
        with refusing(f"file {index} of {source.log.chain!r}"):
            try:
                entries, contents = source.entries(index, width), source.content(index, width)
            except NotPublishedError:  # it does not show them: then it says nothing of them
                continue
        beside = (Content(of.held, ()) for of in contents)
        found[index] = [Leaf(b"", *parts) for parts in zip(entries, beside, strict=True)]
    held.replace_erased(found)


def anchored_blocks(anchored: Held, origin: str) -> int:
    """How many blocks of the log `origin` are in the anchor as it is held."""
    for index in reversed(range(-(-anchored.size // TILE_WIDTH))):
        for leaf in reversed(anchored.leaves(index)):
            header = _header(leaf.entry or b"")
            if header is not None and header.origin == origin:
                return header.height + 1
    return 0


def _header(entry: bytes) -> Header | None:
    try:
        kind, data = anchor.decode(entry)
        return Header.decode(data) if kind is AnchorKind.HEADER else None
    except MalformedError:
        return None
