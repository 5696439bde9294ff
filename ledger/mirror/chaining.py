"""The blocks of a log as a source shows them: each signed, and each the continuation of the one before."""

from collections.abc import Iterator

from ledger.block import GENESIS_PREV, Header
from ledger.errors import SourceRefused
from ledger.mirror import heads
from ledger.mirror.heads import LYING, refusing
from ledger.published.log import Head, PublishedLog
from ledger.published.paths import files
from ledger.tile import TILE_WIDTH


def blocks_after(log: PublishedLog, last: Header | None, to: Head) -> Iterator[Head]:
    """The blocks that follow on `last`, or all, up to the head `to`. Raises SourceRefused at one that does not."""
    known = last.height + 1 if last else 0
    for index, width in files(to.blocks):
        if (index + 1) * TILE_WIDTH <= known:
            continue
        with refusing(f"file {index} of the blocks of {log.log.chain!r}"):
            found = log.blocks(index, width)
        for block in found[max(0, known - index * TILE_WIDTH) :]:
            new = heads.signed(log.log, block)
            _require_next(log.log.chain, last, new.header)
            yield new
            last = new.header
    if last != to.header:
        raise SourceRefused(f"the blocks of {log.log.chain!r} do not end with its head", LYING)


def _require_next(chain: str, last: Header | None, new: Header) -> None:
    """Each header continues the one before, and is never judged by an older registry."""
    height, prev, first = (last.height + 1, last.hash, last.size) if last else (0, GENESIS_PREV, 0)
    if (new.height, new.prev, new.first) != (height, prev, first):
        what = f"block {new.height} of {chain!r} does not continue block {height - 1} as it is held"
        raise SourceRefused(what, LYING)
    if last and new.registry[0] < last.registry[0]:
        raise SourceRefused(f"block {height} of {chain!r} goes back to an older registry", LYING)
