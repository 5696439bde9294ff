"""A published ledger as an audit reads it, from wherever a Reader reads.

What the database keeps beside the entries (a statement's stream, seq and hash, where headers stand in the anchor) is
not published: it follows from the entries. What cannot be read is told among the strays, and is missing where it
should be.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from ledger import anchor, merkle
from ledger.anchor import Kind as AnchorKind
from ledger.audit.rows import AnchoredRow, BlockRow, ChainRow, EntryRow, TileRow
from ledger.block import Header
from ledger.errors import MalformedError, OutsideError, TrustError
from ledger.published.content import Content
from ledger.published.log import Head, PublishedLog, Signed
from ledger.published.paths import Kind, Place, files
from ledger.published.reader import NotForYouError, NotPublishedError, Reader
from ledger.published.trusted import followed
from ledger.registry import ANCHOR, REGISTRY
from ledger.tile import LEVEL_MAX, TILE_HEIGHT, TILE_WIDTH, Tile, width_in
from ledger.trust.trust_file import Trust

_KEPT = 64  # of the registry's bundles, which are read once for each chain
_Read = TypeVar("_Read")


class PublishedSource:
    """Reads by `reader` the logs that `trust` pins, as of the moment when it was made.

    A log of which not even the first entry is to be had is *withheld*: its entries are hashes, and the rest is
    audited. `is_whole` says that whoever serves it withholds nothing.
    """

    def __init__(self, reader: Reader, trust: Trust, *, is_whole: bool = False) -> None:
        self.is_whole = is_whole
        trust = followed(reader, trust)
        self._reader, self._trust = reader, trust
        self._logs = {chain: PublishedLog(reader, log) for chain, log in trust.logs.items()}
        self._faults: dict[str, None] = {}
        self._origins = {log.origin: chain for chain, log in trust.logs.items()}
        self._published: dict[str, str | None] = {}
        self._heads: dict[str, Head | None] = {}
        # The anchor first, the registry last: so every header that is named is there, and every registry state.
        for chain in sorted(self._logs, key=lambda name: (name != ANCHOR, name == REGISTRY)):
            self._open(chain, self._logs[chain])
        self._withheld = {chain for chain in self._logs if self._is_withheld(chain)}
        self._remembered = lru_cache(maxsize=_KEPT)(self._bundle)

    def chains(self) -> Sequence[ChainRow]:
        """The logs that the trust file pins."""
        return [ChainRow(chain, log.log.origin) for chain, log in self._logs.items()]

    def published(self, chain: str) -> str | None:
        """The chain's newest checkpoint, whether it holds or not."""
        return self._published.get(chain)

    def end(self, chain: str) -> int:
        """How many entries there are."""
        head = self._heads.get(chain)
        return head.size if head else 0

    def entries(self, chain: str, first: int = 0, end: int | None = None) -> Iterator[EntryRow]:
        """A chain's entries from `first` on, each with the hash that the tile of level 0 has for it."""
        read, size = self._remembered if chain == REGISTRY else self._bundle, self.end(chain)
        stop = size if end is None else min(end, size)
        for index in range(first // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            width = width_in(size, level=0, index=index)
            rows, start = read(chain, index, width), index * TILE_WIDTH
            yield from rows if first <= start and start + width <= stop else _between(rows, first, stop)

    def blocks(self, chain: str, first: int = 0) -> Iterator[BlockRow]:
        """A chain's blocks from height `first` on; what is beside their headers is what they say."""
        head = self._heads[chain]
        for index, width in files(head.blocks if head else 0):
            if (index + 1) * TILE_WIDTH <= first:
                continue
            found = self._try(Place(Kind.BLOCKS, self._origin(chain), 0, index, width), self._logs[chain].blocks)
            for height, block in enumerate(found or (), index * TILE_WIDTH):
                if height >= first:
                    yield _block(height, block.header, block.checkpoint)

    def tile(self, chain: str, level: int, index: int) -> TileRow | None:
        """A full tile: its root is not published, for it follows."""
        hashes = self._hashes(chain, Tile(level, index))
        return None if hashes is None else TileRow(b"".join(hashes), None)

    def tile_count(self, chain: str) -> int:
        """How many full tiles a tree of this size has: others are nobody's to ask for."""
        return sum(self.end(chain) >> TILE_HEIGHT * level for level in range(1, LEVEL_MAX + 2))

    def anchored(self, first: int = 0) -> Iterator[AnchoredRow]:
        """Where headers stand in the anchor, as its entries say themselves."""
        for row in self.entries(ANCHOR, first):
            try:
                kind, held = anchor.decode(row.data or b"")
                header = Header.decode(held) if kind is AnchorKind.HEADER else None
            except MalformedError:
                continue
            if header is not None and header.origin in self._origins:
                yield AnchoredRow(self._origins[header.origin], header.height, row.index)

    def unread(self) -> Iterator[str]:
        """What could not be read by now."""
        return iter(tuple(self._faults))

    def strays(self) -> Iterator[str]:
        """What could not be read by now, and what is published beside what an audit asks for, and is wrong."""
        self._compare_trust()
        for chain, head in self._heads.items():
            if head is not None:
                self._compare_head(chain, head)
                self._compare_edge(chain, head.size)
        yield from self._faults

    # What is there

    def _open(self, chain: str, log: PublishedLog) -> None:
        """The checkpoint first: then the head is no older."""
        signed: Signed | None = None
        try:
            signed = log.checkpoint()
        except NotPublishedError:
            self._published[chain] = None
        except OutsideError:
            self._published[chain] = self._raw(Place(Kind.CHECKPOINT, log.log.origin))  # the audit says why
        else:
            self._published[chain] = signed.text
        self._heads[chain] = self._try(Place(Kind.HEAD, log.log.origin), log.head, needed=signed is not None)

    def _raw(self, place: Place) -> str:
        return self._reader.read(place.path).decode(errors="replace")

    def _is_withheld(self, chain: str) -> bool:
        if not self.end(chain):
            return False
        try:
            self._logs[chain].entries(0, min(self.end(chain), TILE_WIDTH))
        except NotPublishedError:
            return True
        except OutsideError:
            pass
        return False

    def _bundle(self, chain: str, index: int, width: int) -> Sequence[EntryRow]:
        """The rows of one bundle; none if it cannot be read."""
        log, first = self._logs[chain], index * TILE_WIDTH
        leaves = self._hashes(chain, Tile(0, index, width))
        if chain in self._withheld:
            return [_withheld(first + number, leaf) for number, leaf in enumerate(leaves or ())]
        entries = self._try(self._place(Kind.ENTRIES, chain, index, width), log.entries)
        contents: Sequence[Content] | None = None
        if chain != ANCHOR and entries is not None:
            contents = self._try(self._place(Kind.CONTENT, chain, index, width), log.content)
        beside = contents or [Content(None, ())] * width
        leaves = leaves or [merkle.leaf_hash(entry or b"") for entry in entries or ()]
        return [
            _entry(first + number, leaf, entry, held)
            for number, (leaf, entry, held) in enumerate(zip(leaves, entries or (), beside, strict=False))
        ]

    def _hashes(self, chain: str, tile: Tile) -> list[bytes] | None:
        place = Place(Kind.TILE, self._origin(chain), tile.level, tile.index, tile.width)
        return self._try(place, lambda: self._logs[chain].hashes(tile))

    def _place(self, kind: Kind, chain: str, index: int, width: int) -> Place:
        return Place(kind, self._origin(chain), 0, index, width)

    def _origin(self, chain: str) -> str:
        return self._trust.logs[chain].origin

    def _try(self, place: Place, read: Callable[..., _Read], *, needed: bool = True) -> _Read | None:
        """What is read, or None, and why not among the faults."""
        try:
            return read(place.index, place.width) if place.kind in _BUNDLES else read()
        except NotForYouError:
            self._fault(place, "it is withheld, and others beside it are not")
        except NotPublishedError:
            if needed:
                self._fault(place, "it is not there")
        except OutsideError as error:
            self._fault(place, str(error))
        return None

    def _fault(self, place: Place, what: str) -> None:
        self._faults[f"{place.path}: {what}"] = None  # once, however often it is asked for

    # What no audit of a database asks for

    def _compare_trust(self) -> None:
        try:
            published = Trust.parse(self._reader.read(str(Kind.TRUST)).decode())
            if published.genesis == self._trust.genesis and published.messages:
                self._trust.following(published.messages)
        except (TrustError, UnicodeDecodeError, NotPublishedError) as error:
            self._fault(Place(Kind.TRUST), str(error))
            return
        if published.genesis != self._trust.genesis:
            self._fault(Place(Kind.TRUST), "it is another ledger's")

    def _compare_head(self, chain: str, head: Head) -> None:
        if any(row.header != head.block.header for row in self.blocks(chain, head.header.height)):
            self._fault(Place(Kind.HEAD, self._origin(chain)), "it is not the last of the blocks")

    def _compare_edge(self, chain: str, size: int) -> None:
        """The partial tiles above level 0 hold the roots of the full tiles below."""
        for level in range(1, LEVEL_MAX + 1):
            index = (size >> TILE_HEIGHT * level) // TILE_WIDTH
            width = width_in(size, level=level, index=index)
            found = self._hashes(chain, Tile(level, index, width)) if width else None
            for number, value in enumerate(found or ()):
                below = self._hashes(chain, Tile(level - 1, index * TILE_WIDTH + number))
                if below is not None and merkle.root(below) != value:
                    place = Place(Kind.TILE, self._origin(chain), level, index, width)
                    self._fault(place, f"hash {number} is not the root of the tile below")


_BUNDLES = frozenset({Kind.ENTRIES, Kind.BLOCKS, Kind.CONTENT})


def _between(rows: Sequence[EntryRow], first: int, stop: int) -> Iterator[EntryRow]:
    return (row for row in rows if first <= row.index < stop)


def _withheld(index: int, leaf: bytes) -> EntryRow:
    return EntryRow(index, None, None, 0, None, leaf, None)


def _entry(index: int, leaf: bytes, data: bytes | None, content: Content) -> EntryRow:
    held, sections = content
    if data is None and held is not None:
        stream = (held.kid, held.lane, held.stream)
        return EntryRow(index, stream, held.seq, held.lines, held.hash, leaf, None, sections)
    return EntryRow(index, None, None, 0, None, leaf, data, sections)


def _block(height: int, data: bytes, checkpoint: str) -> BlockRow:
    try:
        header = Header.decode(data)
    except MalformedError:
        return BlockRow(height, 0, 0, b"", 0, data, checkpoint)  # the audit says so
    return BlockRow(header.height, header.first, header.size, header.root, header.time_ms, data, checkpoint)
