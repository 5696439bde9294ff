"""A round of a mirror: every log of a ledger followed once, from a source that need not be trusted."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from ledger import anchor, fold, merkle
from ledger.anchor import Kind as AnchorKind
from ledger.block import Header
from ledger.errors import MalformedError, SourceError, SourceRefused, SourceRewound, TrustError
from ledger.fold import Stored
from ledger.mirror import evidence, heads
from ledger.mirror.growth import Growth, Source
from ledger.mirror.heads import LYING, refusing
from ledger.mirror.held import Held
from ledger.mirror.leaves import Leaf
from ledger.mirror.settling import anchored_blocks, settle_blocks, settle_entries
from ledger.mirror.store import Store
from ledger.published import follow
from ledger.published.follow import Course
from ledger.published.log import Head, PublishedLog
from ledger.published.paths import Kind, files
from ledger.published.trusted import followed_at, without_registry
from ledger.registry import ANCHOR, REGISTRY, Registry
from ledger.statement import Statement
from ledger.terminal import entries
from ledger.tile import TILE_WIDTH, node_reader, width_in
from ledger.trust.trust_file import Trust

REFILLS_MAX = 256
_HEADS_TRIES = 3  # a ledger goes on while its heads are read, one after the other
_AGAIN = "try again: it was sealing blocks while it was read"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round came to for one chain: its size before and after, sections that came late or were shredded.

    `withheld` are the entries that are held by their hashes alone.
    """

    chain: str
    before: int
    size: int
    refilled: int = 0
    shredded: int = 0
    withheld: int = 0
    problem: SourceError | None = None

    @property
    def is_news(self) -> bool:
        """Whether anything came of it."""
        return bool(self.size - self.before or self.refilled or self.shredded or self.problem)

    def __str__(self) -> str:
        """A line for people."""
        numbers = {"new": self.size - self.before, "came late": self.refilled, "shredded": self.shredded}
        numbers["withheld"] = self.withheld
        told = [entries(self.size), *(f"{number:,} {what}" for what, number in numbers.items() if number)]
        told += ["it stands still"] if self.problem else []
        return f"{self.chain:<12} {', '.join(told)}"

    @property
    def document(self) -> dict[str, Any]:
        """For machines."""
        fields: dict[str, Any] = {"chain": self.chain, "size": self.size, "new": self.size - self.before}
        fields |= {"refilled": self.refilled, "shredded": self.shredded, "withheld": self.withheld}
        return fields | ({"problem": type(self.problem).__name__, "error": str(self.problem)} if self.problem else {})


def _no_one(chain: str, entries: int) -> None:
    """Tell no one."""


class Mirror:
    """The mirror in `store` of the ledger that `trust` pins. Not safe to share between threads."""

    def __init__(self, store: Store, trust: Trust, *, tell: Callable[[str, int], None] = _no_one) -> None:
        self._store, self._trust, self._tell = store, trust, tell
        self._held: dict[str, Held] = {}
        self._registry, self._known_root = Registry(), (0, merkle.EMPTY_ROOT)
        self._shredded: Counter[str] = Counter()

    def round(self, source: Source) -> list[Outcome]:
        """Follow each log to what `source` shows now. Raises SourceError if nothing can be followed.

        What is wrong with one chain is in its outcome: it stands still, and so does the anchor, which names its
        blocks; and everything, if it is the registry. What stands still for another's sake is looked at: its own
        fork is found, too.
        """
        self._learn(source)
        offered = self._offered(source)
        outcomes = [self._follow(source, REGISTRY, offered[REGISTRY])]
        for chain in [*sorted(self._trust.logs.keys() - {REGISTRY, ANCHOR}), ANCHOR]:
            wrong = outcomes if chain == ANCHOR else outcomes[:1]
            if all(outcome.problem is None for outcome in wrong):
                outcomes.append(self._follow(source, chain, offered[chain]))
            else:
                outcomes += self._look(source, chain, offered[chain])
        return outcomes

    def _learn(self, source: Source) -> None:
        """Take the log keys that root keys have named since: signed, so it does not matter who brings them.

        Raises SourceError if the source is no ledger, or another one.
        """
        trust = followed_at(source.name, source.reader, self._trust)
        if trust != self._trust:
            self._store.write(str(Kind.TRUST), trust.text.encode())
            self._trust, self._held = trust, {}

    # What is offered

    def _offered(self, source: Source) -> Mapping[str, Head | None]:
        """The heads: the anchor's first and the registry's last, so that each names only what is there by then."""
        for _ in range(_HEADS_TRIES):
            found = {c: heads.newest(PublishedLog(source.reader, self._trust.log(c))) for c in self._order()}
            size = registry.size if (registry := found[REGISTRY]) else 0
            if all(head is None or head.header.registry[0] <= size for head in found.values()):
                return found
        raise SourceRefused("the source shows blocks that were judged by a registry which it does not show", _AGAIN)

    def _order(self) -> list[str]:
        return sorted(self._trust.logs, key=lambda chain: (chain != ANCHOR, chain == REGISTRY, chain))

    # One log

    def _follow(self, source: Source, chain: str, offered: Head | None) -> Outcome:
        held, refilled = self._open(chain), 0
        before = held.size
        try:
            evidence.require_none(self._store.root, chain)
            course = self._course(source, held, offered)
            if offered is not None:
                self._settle(source, held, offered)
            if course is Course.GROWN:
                assert offered is not None
                growth = Growth(source, held, offered, gone=self._gone(chain))
                growth.run(before=partial(self._before, held), tell=self._tell)
            refilled = self._refill(source, held)
        except SourceError as error:
            self._held.pop(chain, None)
            held = self._open(chain)
            return Outcome(chain, before, held.size, refilled, withheld=held.withheld, problem=error)
        return Outcome(chain, before, held.size, refilled, self._shredded.pop(chain, 0), held.withheld)

    def _look(self, source: Source, chain: str, offered: Head | None) -> Iterator[Outcome]:
        """What is wrong with a log that is not followed for another's sake, if anything is."""
        held = self._open(chain)
        try:
            evidence.require_none(self._store.root, chain)
            self._course(source, held, offered)
        except SourceError as error:
            yield Outcome(chain, held.size, held.size, withheld=held.withheld, problem=error)

    def _open(self, chain: str) -> Held:
        if chain not in self._held:
            self._held[chain] = held = Held(self._store, self._trust.log(chain))
            if chain == REGISTRY:
                self._registry = _folded(held)
        return self._held[chain]

    def _course(self, source: Source, held: Held, offered: Head | None) -> Course:
        chain, log = held.log.chain, held.log
        if offered is None or held.head is None:
            if held.head is not None:
                raise _rewound(chain, held.size, 0)
            if offered is None and chain == REGISTRY:
                raise without_registry(source.name)
            return Course.GROWN if offered else Course.SAME
        ours, theirs = heads.word(log, held.head), heads.word(log, offered)
        with refusing(f"the tiles of {chain!r}"):
            found = follow.course(
                ours.checkpoint,
                theirs.checkpoint,
                held_tiles=PublishedLog(self._store, log).tiles,
                offered_tiles=PublishedLog(source.reader, log).tiles,
            )
        if found is Course.FORKED:
            raise evidence.forked(self._store, chain, ours, theirs, source=source.name)
        if found is Course.REWOUND:
            raise _rewound(chain, held.size, offered.size)
        return found

    def _settle(self, source: Source, held: Held, offered: Head) -> None:
        """Let the source say anew what was only a source's word before."""
        log = PublishedLog(source.reader, held.log)
        anchored = partial(anchored_blocks, self._open(ANCHOR), held.log.origin)
        settle_blocks(log, held, offered, anchored=anchored, require=self._require_registry)
        if held.erased:
            settle_entries(log, held)
            held.save_marks()
            self._store.settle()

    # What each block must be, beside its tree

    def _before(self, held: Held, block: Head, new: Sequence[Leaf]) -> None:
        self._require_registry(held, block)
        if held.log.chain == ANCHOR:
            for number, leaf in enumerate(new, block.header.first):
                self._require_anchored(number, leaf.entry)
        elif held.log.chain == REGISTRY:
            for number, leaf in enumerate(new, block.header.first):
                self._take_registry(number, leaf)

    def _require_registry(self, held: Held, block: Head) -> None:
        """The state that a header names is the registry's."""
        size, root = block.header.registry
        what = f"block {block.header.height} of {held.log.chain!r} names a registry state that is not the registry's"
        if held.log.chain == REGISTRY:
            if size > block.header.first:
                raise SourceRefused(what, LYING)
        elif self._registry_root(size) != root:
            raise SourceRefused(what, LYING)

    def _registry_root(self, size: int) -> bytes | None:
        """The root of the registry that is held at `size`, or None if it has never been as large."""
        registry = self._open(REGISTRY)
        if size > registry.size:
            return None
        if self._known_root[0] != size:
            read = node_reader(PublishedLog(self._store, registry.log).tiles, registry.size)
            self._known_root = size, merkle.root_from(size, read)
        return self._known_root[1]

    def _require_anchored(self, index: int, entry: bytes | None) -> None:
        """What an entry of the anchor holds is a block of a chain, as it is held."""
        with refusing(f"entry {index} of the anchor"):
            kind, data = anchor.decode(entry or b"")
            if kind is not AnchorKind.HEADER:
                return
            header = Header.decode(data)
            block = self._open(self._trust.log_of(header.origin).chain).block(header.height)
        if block is None or block.header != data:
            what = f"entry {index} of the anchor holds block {header.height} of {header.origin!r} otherwise than it is"
            raise SourceRefused(what, LYING if block else _AGAIN)

    def _take_registry(self, index: int, leaf: Leaf) -> None:
        """Fold an entry of the registry in, and delete what it says is shredded."""
        known = len(self._registry.shredded)  # a dict keeps its order
        self._require_signed(index, leaf)
        fold.apply(self._registry, _stored(index, leaf))
        gone: dict[str, dict[int, set[int]]] = {}
        for chain, about, line in _newest(self._registry.shredded, len(self._registry.shredded) - known):
            gone.setdefault(chain, {}).setdefault(about, set()).add(line)
        for chain, places in gone.items():
            self._shredded[chain] += self._open(chain).shred(places)

    def _require_signed(self, index: int, leaf: Leaf) -> None:
        """A registry entry is acted upon: so it is the pinned genesis, or its key's."""
        with refusing(f"entry {index} of {REGISTRY!r}"):
            if index == 0 and hashlib.sha256(leaf.entry or b"").digest() != self._trust.genesis:
                raise TrustError("it is not the genesis that the trust file pins")
            if (hidden := fold.unsaid(_stored(index, leaf))) is not None:
                raise MalformedError(hidden)
            statement = Statement.decode(leaf.entry or b"")
            key = self._registry.key(statement.kid)
            if key is not None:
                statement.verify(key.public_key)

    # What comes late, or goes

    def _gone(self, chain: str) -> dict[int, set[int]]:
        gone: dict[int, set[int]] = {}
        for of, index, line in self._registry.shredded:
            if of == chain:
                gone.setdefault(index, set()).add(line)
        return gone

    def _refill(self, source: Source, held: Held) -> int:
        """Ask for sections that had not come whole before, in the newest files that lack some."""
        log, files, came = PublishedLog(source.reader, held.log), sorted(held.lacking)[-REFILLS_MAX:], 0
        gone = self._gone(held.log.chain) if files else {}
        for index in files if held.shows_content else ():
            width = width_in(held.size, level=0, index=index)
            with refusing(f"what stands beside file {index} of {held.log.chain!r}"):
                came += held.refill(index, log.content(index, width), gone)
        if files:
            held.save_marks()
            self._store.settle()
        return came


def _newest(places: dict[tuple[str, int, int], int], count: int) -> list[tuple[str, int, int]]:
    """The last so many, and none of the others is looked at."""
    return list(islice(reversed(places), count))


def _rewound(chain: str, held: int, shown: int) -> SourceRewound:
    return SourceRewound(
        f"{chain!r} was rewound: the source shows {shown} entries, and its log has signed the {held} that are held",
        "a cache may be stale: try again. If it stays so, what is held here is the evidence that there was more",
    )


def _folded(held: Held) -> Registry:
    """The registry as it is held."""
    state = Registry()
    for index, _ in files(held.size):
        for number, leaf in enumerate(held.leaves(index), index * TILE_WIDTH):
            fold.apply(state, _stored(number, leaf))
    return state


def _stored(index: int, leaf: Leaf) -> Stored:
    sections = leaf.content.sections if leaf.content else ()
    return Stored(index, leaf.entry or b"", {s.line: s.data for s in sections if s.data is not None})
