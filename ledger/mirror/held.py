"""One log as a mirror's folder holds it: read, made longer, and made whole again."""

from collections.abc import Iterator, Mapping, Sequence

from ledger.errors import OutsideError, SourceError, SourceRefused, UserError
from ledger.frontier import Frontier
from ledger.log import Log
from ledger.mirror import heads, leaves, places
from ledger.mirror.heads import LYING
from ledger.mirror.leaves import Gone, Leaf, contents_of
from ledger.mirror.places import Places
from ledger.mirror.store import Store
from ledger.published import blocks, content
from ledger.published.blocks import Block
from ledger.published.content import Content
from ledger.published.log import Head, PublishedLog
from ledger.published.paths import Kind, Place
from ledger.registry import ANCHOR
from ledger.tile import TILE_HEIGHT, TILE_WIDTH, Tile, encode_entries, width_in

_DAMAGED = "keep it if it is evidence, and mirror into another folder"
_TIDY = 256 * TILE_WIDTH  # so far back from the end may a run that was killed have left partial files


class Held:
    """The log as the folder holds it. What is appended is the folder's from `commit` on, and not before.

    It knows the right edge: the frontier of the tree, and what is in the files that are not full.
    """

    def __init__(self, store: Store, log: Log) -> None:
        """Read the edge; raises UserError if what is held is damaged."""
        self.store, self.log, self._published = store, log, PublishedLog(store, log)
        try:
            self.head = heads.newest(self._published)
            self._frontier = self._load_frontier()
            self.shows_entries = bool(self.size) and self._finds_entries()
            self._leaves = self.leaves(self.size // TILE_WIDTH) if self.size % TILE_WIDTH else []
            self._blocks, self._appended = self._load_blocks(), self.blocks
            self._block_file: tuple[int, Sequence[Block]] = (-1, ())
            self.lacking, self.erased = self._load_files("lacking"), self._load_files("erased")
            self._places: Places | None = None
        except (SourceError, OutsideError, ValueError) as error:
            raise UserError(f"what {store.root} holds of {log.chain!r} is damaged: {error}", _DAMAGED) from error
        if self.head is not None:  # the run before may have ended between head and checkpoint, or before it was tidy
            self._publish(self.head)
            self._tidy(max(0, self.size - _TIDY), max(0, self.blocks - _TIDY))

    @property
    def size(self) -> int:
        """How many entries are held, with those that are not committed."""
        return self._frontier.size

    @property
    def blocks(self) -> int:
        """How many blocks are committed."""
        return self.head.blocks if self.head else 0

    @property
    def root(self) -> bytes:
        """The root at `size`."""
        return self._frontier.root()

    @property
    def edge(self) -> list[bytes]:
        """The leaf hashes that no full tile holds."""
        return [leaf.hash for leaf in self._leaves]

    def leaves(self, index: int) -> list[Leaf]:
        """What is held in file `index`. Raises OutsideError if it is damaged."""
        width = width_in(self.size, level=0, index=index)
        hashes, nothing = self._published.hashes(Tile(0, index, width)), [None] * width
        entries = self._published.entries(index, width) if self.shows_entries else nothing
        contents = self._published.content(index, width) if self.shows_content else nothing
        return [Leaf(*parts) for parts in zip(hashes, entries, contents, strict=True)]

    def block(self, height: int) -> Block | None:
        """The committed block at `height`, or None. Raises OutsideError if it is damaged."""
        if height >= self.blocks:
            return None
        index = height // TILE_WIDTH
        if self._block_file[0] != index:
            self._block_file = index, self._published.blocks(index, width_in(self.blocks, level=0, index=index))
        return self._block_file[1][height % TILE_WIDTH]

    @property
    def shows_content(self) -> bool:
        """Whether what stands beside the entries is held."""
        return self.shows_entries and self.log.chain != ANCHOR

    @property
    def withheld(self) -> int:
        """How many entries are held by their hashes alone: all of a log that is not for us, or none."""
        return 0 if self.shows_entries else self.size

    def _finds_entries(self) -> bool:
        return self.store.find(self._place(Kind.ENTRIES, 0, width_in(self.size, level=0, index=0))) is not None

    def _load_frontier(self) -> Frontier:
        size = self.head.size if self.head else 0
        rows = []
        for level in range((size.bit_length() + TILE_HEIGHT - 1) // TILE_HEIGHT):
            index, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
            rows.append(self._published.hashes(Tile(level, index, width)) if width else [])
        frontier = Frontier(size, rows)
        if self.head and frontier.root() != self.head.header.root:
            raise ValueError("its tiles do not give the root of its checkpoint")
        return frontier

    def _load_blocks(self) -> list[Block]:
        index, width = divmod(self.blocks, TILE_WIDTH)
        return self._published.blocks(index, width) if width else []

    # Made longer

    def append(self, leaf: Leaf) -> None:
        """Append a leaf that is verified, and fits to those held; or SourceRefused. Files that are full are written."""
        if not self.size:
            self.shows_entries = leaf.entry is not None or leaf.content is not None
        self._require_place(leaf)
        self._frontier.append(leaf.hash)
        self._leaves.append(leaf)
        for tile in self._frontier.take_full_tiles():
            self.store.write(self._tile(tile.level, tile.index, TILE_WIDTH).path, tile.hashes)
        if len(self._leaves) == TILE_WIDTH:
            self._write_leaves()
            self._leaves = []

    def _require_place(self, leaf: Leaf) -> None:
        """Whoever names the place of an erased entry does not contradict the others."""
        if self._places is None:
            if not (self.erased or leaves.is_erased(leaf)):
                return
            self._places = Places(self.log.chain)
            for index, held in enumerate(self._all({})):
                self._places.take(index, held)
        if (what := self._places.take(self.size, leaf)) is not None:
            raise self._misplaced(self.size, what)

    def _misplaced(self, index: int, what: str) -> SourceRefused:
        return SourceRefused(f"entry {index} of {self.log.chain!r}: {what}, as erased entries are placed", LYING)

    def _all(self, changed: Mapping[int, Sequence[Leaf]]) -> Iterator[Leaf]:
        """All leaves in their order, but for the files that are `changed`."""
        for index in range(self.size // TILE_WIDTH):
            yield from changed.get(index) or self.leaves(index)
        yield from changed.get(self.size // TILE_WIDTH) or self._leaves

    def append_block(self, block: Block) -> None:
        """Append the block that moved the log to its size now."""
        self._blocks.append(block)
        self._appended += 1
        if len(self._blocks) == TILE_WIDTH:
            self._write_blocks()
            self._blocks = []

    def commit(self, head: Head) -> None:
        """Make what was appended the folder's: `head` is the last block of it."""
        old_size, old_blocks = (self.head.size if self.head else 0), self.blocks
        for level, row in enumerate(self._frontier.rows):
            if row:
                index = (self.size >> TILE_HEIGHT * level) // TILE_WIDTH
                self.store.write(self._tile(level, index, len(row)).path, b"".join(row))
        if self._leaves:
            self._write_leaves()
        if self._blocks:
            self._write_blocks()
        self.save_marks()
        self.store.settle()
        self._publish(head)
        self.head, self._block_file = head, (-1, ())
        self._tidy(old_size, old_blocks)

    def _write_leaves(self) -> None:
        index, width = (self.size - 1) // TILE_WIDTH, len(self._leaves)
        if self.shows_entries:
            entries = encode_entries([leaf.entry or b"" for leaf in self._leaves])
            self.store.write(self._place(Kind.ENTRIES, index, width).path, entries)
        if self.shows_content:
            self.store.write(self._place(Kind.CONTENT, index, width).path, content.encode(contents_of(self._leaves)))
        self._mark(index, self._leaves)

    def _write_blocks(self) -> None:
        place = self._place(Kind.BLOCKS, (self._appended - 1) // TILE_WIDTH, len(self._blocks))
        self.store.write(place.path, blocks.encode_blocks(self._blocks))

    def _publish(self, head: Head) -> None:
        """Head, then checkpoint: who dies between them has the next run write the checkpoint."""
        for kind, data in (
            (Kind.HEAD, blocks.encode_head(head.block)),
            (Kind.CHECKPOINT, head.block.checkpoint.encode()),
        ):
            place = Place(kind, self.log.origin)
            if self.store.find(place) != data:
                self.store.write(place.path, data)
                self.store.settle()

    def _tidy(self, size: int, blocks: int) -> None:
        """Remove the partial files that became longer since the log had this `size` and so many `blocks`."""
        for level in range(len(self._frontier.rows) + 1):
            self._tidy_files(Kind.TILE, size >> TILE_HEIGHT * level, self.size >> TILE_HEIGHT * level, level)
        for kind in (Kind.ENTRIES, Kind.CONTENT):
            self._tidy_files(kind, size, self.size)
        self._tidy_files(Kind.BLOCKS, blocks, self.blocks)

    def _tidy_files(self, kind: Kind, old: int, new: int, level: int = 0) -> None:
        for index in range(old // TILE_WIDTH, new // TILE_WIDTH + 1):
            self.store.clear_partials(Place(kind, self.log.origin, level, index), keep=new - index * TILE_WIDTH)

    # Made whole again

    def replace_blocks(self, first: int, new: Sequence[Head]) -> None:
        """Put these blocks in the place of those from height `first` on: the last is of the size that is committed.

        The head comes last: whoever dies before it has the next run do it again.
        """
        count = first + len(new)
        for index in range(first // TILE_WIDTH, -(-count // TILE_WIDTH)):
            start, end = index * TILE_WIDTH, min(count, (index + 1) * TILE_WIDTH)
            kept = (block for height in range(start, min(first, end)) if (block := self.block(height)))
            found = [*kept, *(head.block for head in new[max(start - first, 0) : end - first])]
            self.store.write(self._place(Kind.BLOCKS, index, end - start).path, blocks.encode_blocks(found))
        self.store.settle()
        self._publish(new[-1])
        for index in range(first // TILE_WIDTH, max(count, self.blocks) // TILE_WIDTH + 1):
            width = width_in(count, level=0, index=index) if index * TILE_WIDTH < count else 0
            self.store.clear_others(self._place(Kind.BLOCKS, index, TILE_WIDTH), keep=width)
        self.head, self._block_file = new[-1], (-1, ())
        self._blocks, self._appended = self._load_blocks(), self.blocks

    def refill(self, index: int, theirs: Sequence[Content], gone: Gone) -> int:
        """Take what a source has beside the entries of file `index`, and is neither here nor `gone`.

        Returns how many sections came. Raises SourceRefused if one is not what its entry names.
        """
        ours = self.leaves(index)
        for number, (leaf, other) in enumerate(zip(ours, theirs, strict=True), index * TILE_WIDTH):
            leaves.check(leaf._replace(content=other), f"entry {number} of {self.log.chain!r}")
        old = contents_of(ours)
        new = [leaves.merge(*two) for two in zip(old, _without(theirs, index, gone), strict=True)]
        if new != old:
            self._rewrite(index, new)
        return _sections(new) - _sections(old)

    def shred(self, gone: Gone) -> int:
        """Delete the bytes of the sections that are gone, where they are held; returns how many were."""
        files = {index // TILE_WIDTH for index in gone if index < self.size} if self.shows_content else ()
        return sum(self._shred_file(index, gone) for index in sorted(files))

    def _shred_file(self, index: int, gone: Gone) -> int:
        old = contents_of(self.leaves(index))
        new = _without(old, index, gone)
        if new != old:
            self._rewrite(index, new)
        return _sections(old) - _sections(new)

    def replace_erased(self, found: Mapping[int, Sequence[Leaf]]) -> None:
        """Take what a source says now, by file, of the entries that were erased when they came.

        Their sections come as late ones do. Raises SourceRefused if it is not true, or cannot be.
        """
        new = {index: held for index, theirs in found.items() if (held := self._replaced(index, theirs))}
        fault = places.fault(self.log.chain, self._all(new)) if new else None
        if fault is not None:
            raise self._misplaced(*fault)
        for index, held in new.items():
            entries = encode_entries([leaf.entry or b"" for leaf in held])
            self.store.write(self._place(Kind.ENTRIES, index, len(held)).path, entries)
            self._rewrite(index, contents_of(held))
            self.store.clear_others(self._place(Kind.ENTRIES, index, TILE_WIDTH), keep=len(held))
        self._places = None

    def _replaced(self, index: int, theirs: Sequence[Leaf]) -> list[Leaf] | None:
        """File `index` with what is said of its erased entries, or None if that is what is held."""
        ours = self.leaves(index)
        new = [leaves.settled(*two) for two in zip(ours, theirs, strict=True)]
        for number, leaf in enumerate(new, index * TILE_WIDTH):
            leaves.check(leaf, f"entry {number} of {self.log.chain!r}")
        return new if new != ours else None

    def _rewrite(self, index: int, contents: Sequence[Content]) -> None:
        """Replace the content of file `index`, all of it committed."""
        self.store.write(self._place(Kind.CONTENT, index, len(contents)).path, content.encode(contents))
        self.store.settle()
        ours = self.leaves(index)
        self._mark(index, ours)
        if index == self.size // TILE_WIDTH:
            self._leaves = ours

    def _mark(self, index: int, held: Sequence[Leaf]) -> None:
        """Remember whether a file lacks sections that may come yet, and whether it has entries that may."""
        (self.lacking.add if any(map(leaves.lacks, held)) else self.lacking.discard)(index)
        (self.erased.add if any(map(leaves.is_erased, held)) else self.erased.discard)(index)

    def save_marks(self) -> None:
        """Remember which files lack something, for the next run."""
        for name, marked in (("lacking", self.lacking), ("erased", self.erased)):
            self.store.remember(f"{name}-{self.log.chain}", " ".join(map(str, sorted(marked))).encode())

    def _load_files(self, name: str) -> set[int]:
        data = self.store.own(f"{name}-{self.log.chain}") or b""
        return {index for index in map(int, data.split()) if index * TILE_WIDTH < self.size}

    def _place(self, kind: Kind, index: int, width: int) -> Place:
        return Place(kind, self.log.origin, 0, index, width)

    def _tile(self, level: int, index: int, width: int) -> Place:
        return Place(Kind.TILE, self.log.origin, level, index, width)


def _without(contents: Sequence[Content], index: int, gone: Gone) -> list[Content]:
    """The contents of file `index` without what is gone."""
    return [leaves.without(of, gone.get(number, ())) for number, of in enumerate(contents, index * TILE_WIDTH)]


def _sections(contents: Sequence[Content]) -> int:
    """How many sections are there with their bytes."""
    return sum(shown.data is not None for of in contents for shown in of.sections)
