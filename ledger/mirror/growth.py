"""How a log that is held grows to the head that a source shows: each block proven, in order, before it is taken."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from ledger.errors import MalformedError, SourceRefused
from ledger.mirror import evidence, heads, leaves, room
from ledger.mirror.chaining import blocks_after
from ledger.mirror.heads import LYING, refusing
from ledger.mirror.held import Held
from ledger.mirror.leaves import Gone, Leaf
from ledger.mirror.room import Room
from ledger.published.content import Content
from ledger.published.follow import begins_with
from ledger.published.log import Head, PublishedLog
from ledger.published.paths import files, tiles
from ledger.published.reader import FILE_BYTES_MAX, NotPublishedError, Reader
from ledger.registry import ANCHOR
from ledger.tile import TILE_HEIGHT, TILE_WIDTH, Tile

COMMIT_ENTRIES = 16 * 1024  # after so many, at a block's end, what is proven is made the folder's
AHEAD = 8  # files that are asked for before they are needed
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Source:
    """Where others publish: how it is read, by how many at once, and its name for people."""

    reader: Reader
    pool: Executor
    name: str


class Growth:
    """One log that grows from what is `held` to the head `to`. After an error, `held` is to be read anew."""

    def __init__(self, source: Source, held: Held, to: Head, *, gone: Gone) -> None:
        self._source, self._held, self._to, self._gone = source, held, to, gone
        self._log = PublishedLog(source.reader, held.log)
        self._chain, self._first = held.log.chain, held.size
        self._shows_entries = held.shows_entries if held.size else self._finds_entries()
        self._room = Room(held.size // TILE_WIDTH, room.ROOM_BYTES)

    def run(self, *, before: Callable[[Head, Sequence[Leaf]], None], tell: Callable[[str, int], None]) -> None:
        """Take block by block. `before` hears of each and its leaves before it is taken, and may refuse it."""
        with closing(self._leaves()) as fresh:
            self._take(fresh, before, tell)
        self._compare_upper_tiles()

    def _take(
        self,
        fresh: Iterator[Leaf],
        before: Callable[[Head, Sequence[Leaf]], None],
        tell: Callable[[str, int], None],
    ) -> None:
        uncommitted = 0
        last = self._held.head.header if self._held.head else None
        for block in blocks_after(self._log, last, self._to):
            new = list(islice(fresh, block.size - self._held.size))
            for leaf in new:
                self._held.append(leaf)
            self._require_root(block)
            before(block, new)
            self._held.append_block(block.block)
            uncommitted += len(new)
            if uncommitted >= COMMIT_ENTRIES or block.blocks == self._to.blocks:
                self._held.commit(block)
                uncommitted = 0
            tell(self._chain, self._held.size)

    def _compare_upper_tiles(self) -> None:
        """What the source shows above level 0 is what follows from level 0: other clients of it rely on that."""
        for place in tiles(self._held.log.origin, self._to.size):
            count = self._first >> TILE_HEIGHT * place.level
            if place.level and (place.index + 1) * TILE_WIDTH > count:
                with refusing(place.path):
                    if self._log.tiles([place.tile]) != [self._held.store.read(place.path)]:
                        raise MalformedError("it is not what the tiles below it give")

    def _require_root(self, block: Head) -> None:
        """The leaves give the block's root; else the log has forked, or the source's files lie."""
        if self._held.root == block.header.root:
            return
        log = self._held.log
        ours, newest = heads.word(log, block), heads.word(log, self._to)
        with refusing(f"the tiles of {self._chain!r}"):
            if begins_with(newest.checkpoint, ours.checkpoint, self._log.tiles):
                what = f"the entries of {self._chain!r} do not give the root of block {block.header.height}"
                raise SourceRefused(what, LYING)
        raise evidence.forked(self._held.store, self._chain, ours, newest, source=self._source.name)

    # Leaves

    def _finds_entries(self) -> bool:
        with refusing(f"file 0 of {self._chain!r}"):
            try:
                self._log.entries(0, min(self._to.size, TILE_WIDTH))
            except NotPublishedError:
                return False
        return True

    def _leaves(self) -> Generator[Leaf]:
        """The leaves after those held, file by file."""
        new = (file for file in files(self._to.size) if (file[0] + 1) * TILE_WIDTH > self._first)
        try:
            for index, found in enumerate(_ahead(self._source.pool, self._read, new), self._first // TILE_WIDTH):
                yield from found
                self._room.give_back(index)
        finally:
            self._room.close()

    def _read(self, file: tuple[int, int]) -> list[Leaf]:
        index, width = file
        with refusing(f"tile {index} of {self._chain!r}"):
            hashes = self._log.hashes(Tile(0, index, width))
        skipped = max(0, self._first - index * TILE_WIDTH)
        if hashes[:skipped] != self._held.edge[:skipped]:
            raise SourceRefused(f"tile {index} of {self._chain!r} is not the one that is held", LYING)
        with refusing(f"file {index} of {self._chain!r}"):
            entries = self._log.entries(index, width) if self._shows_entries else [None] * width
            shows_content = self._shows_entries and self._chain != ANCHOR
            contents = self._content(index, width) if shows_content else [None] * width
        found = [Leaf(*parts) for parts in zip(hashes, entries, contents, strict=True)]
        return [self._checked(number, leaf) for number, leaf in enumerate(found, index * TILE_WIDTH)][skipped:]

    def _content(self, index: int, width: int) -> list[Content]:
        """What stands beside the entries of a file; nobody knows how large it is before it is there."""
        self._room.take(index, FILE_BYTES_MAX)
        found = self._log.content(index, width)
        self._room.keep(index, sum(len(shown.data or b"") for of in found for shown in of.sections))
        return found

    def _checked(self, number: int, leaf: Leaf) -> Leaf:
        leaves.check(leaf, f"entry {number} of {self._chain!r}")
        if leaf.content is None or number not in self._gone:
            return leaf
        return leaf._replace(content=leaves.without(leaf.content, self._gone[number]))


def _ahead(pool: Executor, make: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """What is made of each item, in order; a few are begun before they are asked for."""
    waiting: deque[Future[_Made]] = deque()
    for item in items:
        waiting.append(pool.submit(make, item))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
