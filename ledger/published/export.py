"""Exporting a ledger into a folder: all that its newest checkpoints cover, as any static server can serve it.

What is true if the process dies, at each step: a head or checkpoint in the folder has all that it covers beside it,
for that was settled on the disk before; the next export writes what is missing, and removes what nobody needs. Heads
and checkpoints change in an order that leaves no reader without what a header names: the registry's first, the
anchor's last. They were read in the opposite one.

Hashes, entries and blocks never change; a partial file stays until the full one is there (C2SP tlog-tiles, "Partial
Tiles"). Content changes: a section comes late, or is shredded. So what lacks is rendered again each time, and what
the registry says was shredded, until it is gone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ledger import merkle
from ledger.checkpoint import Checkpoint
from ledger.errors import MalformedError, OutsideError, UserError
from ledger.published import blocks, content, paths, shreddings
from ledger.published.content import Content
from ledger.published.export_state import ExportState
from ledger.published.log import Head, PublishedLog
from ledger.published.paths import Kind, Place
from ledger.published.policy import Policy
from ledger.published.reader import NotPublishedError, Reader
from ledger.published.trusted import followed
from ledger.published.writer import OWN, FolderWriter
from ledger.registry import ANCHOR, REGISTRY
from ledger.statement import Statement
from ledger.tile import TILE_WIDTH, node_reader, width_in
from ledger.trust.trust_file import Trust

STATE = f"{OWN}/export.json"


@dataclass
class Exported:
    """What an export did: files written and removed, bytes written, and each log's size."""

    sizes: dict[str, int]
    written: int = 0
    removed: int = 0
    bytes: int = 0


def _no_one(done: int, total: int) -> None:
    """Tell no one."""


def export(
    reader: Reader,
    trust: Trust,
    folder: Path,
    policy: Policy,
    *,
    tell: Callable[[int, int], None] = _no_one,
) -> Exported:
    """Bring `folder` up to what `reader` has, which shows what `policy` lets be seen; `tell` hears (done, of how many).

    Raises UserError if the folder holds something else, another ledger, what is for others, or a newer history.
    """
    require_free(folder)
    try:
        with FolderWriter(folder) as writer:
            return _Export(reader, followed(reader, trust), writer, policy, tell).run()
    except OSError as error:
        raise UserError.of_system(f"cannot write {error.filename or folder}", error) from error


def require_free(folder: Path) -> None:
    """Raise UserError if there is something in `folder` that no export put there."""
    try:
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise UserError.of_system(f"cannot read {folder}", error) from error
    if names - {OWN} and not (folder / STATE).exists():
        raise UserError(f"{folder} holds something that is no export", "name an empty folder, or a new one")


class _Export:
    """One export."""

    def __init__(
        self, reader: Reader, trust: Trust, writer: FolderWriter, policy: Policy, tell: Callable[[int, int], None]
    ) -> None:
        self._reader, self._trust, self._writer, self._policy, self._tell = reader, trust, writer, policy, tell
        self._logs = {chain: PublishedLog(reader, log) for chain, log in trust.logs.items()}
        self._state = self._load()
        self._heads = self._read_heads()
        self._done = Exported({chain: head.size for chain, head in self._heads.items()})

    def run(self) -> Exported:
        """Write data, then heads, then remove what they made needless."""
        plans = {chain: self._plan(chain, head) for chain, head in self._heads.items()}
        for chain, places in plans.items():
            self._begin(chain, places)
        self._see_shreddings()
        self._save()
        self._writer.settle()
        self._write_data(plans)
        self._put(str(Kind.TRUST), self._reader.read(str(Kind.TRUST)))
        self._writer.settle()
        for chain in sorted(plans, key=lambda name: (name == ANCHOR, name != REGISTRY)):
            self._publish(chain)
        for chain in plans:
            self._clear(chain)
        self._state.registry = self._heads[REGISTRY].size if REGISTRY in self._heads else 0
        self._save()
        self._writer.settle()
        return self._done

    # Before anything is written

    def _load(self) -> ExportState:
        audience, public = self._policy.audience.name.lower(), self._policy.public
        found = self._writer.read(STATE)
        if found is None:
            return ExportState(self._trust.genesis, audience, public)
        try:
            state = ExportState.parse(found.decode())
        except (MalformedError, UnicodeDecodeError) as error:
            hint = "remove the folder, and export anew"
            raise UserError(f"{self._writer.root / STATE} is damaged: {error}", hint) from error
        if state.genesis != self._trust.genesis:
            raise UserError(f"{self._writer.root} holds another ledger's export", "name another folder")
        if state.audience != audience or not state.public <= public:
            opened = "".join(f", with the entries of {chain}" for chain in sorted(state.public - public))
            what = f"{self._writer.root} was exported for the audience {state.audience!r}{opened}"
            raise UserError(what, "name another folder: what somebody may see now stays in this one")
        return replace(state, public=public)

    def _read_heads(self) -> dict[str, Head]:
        """The newest blocks. The anchor's first, the registry's last: then it has every state that the others name."""
        heads: dict[str, Head] = {}
        for chain in sorted(self._logs, key=lambda name: (name != ANCHOR, name == REGISTRY)):
            try:
                heads[chain] = self._logs[chain].head()
            except NotPublishedError:
                self._require_none(chain)
            else:
                self._require_grown(chain, heads[chain])
        return heads

    def _exported(self, chain: str) -> Checkpoint | None:
        """The checkpoint in the folder."""
        path = f"{self._trust.logs[chain].origin}/{Kind.CHECKPOINT}"
        found = self._writer.read(path)
        if found is None:
            return None
        try:
            return self._trust.logs[chain].open(found.decode())
        except (OutsideError, UnicodeDecodeError) as error:
            hint = "remove the folder, and export anew"
            raise UserError(f"the checkpoint {self._writer.root / path} does not hold: {error}", hint) from error

    def _require_none(self, chain: str) -> None:
        if self._exported(chain) is not None:
            raise _forked(chain, "was exported, and nothing of it is published now")

    def _require_grown(self, chain: str, head: Head) -> None:
        """The log still begins with what was exported."""
        old = self._exported(chain)
        if old is None:
            return
        if old.size > head.size:
            raise _forked(chain, f"{old.size} entries were exported, and {head.size} are published now")
        root = merkle.root_from(old.size, node_reader(self._logs[chain].tiles, head.size)) if old.size else old.root
        if root != old.root:
            raise _forked(chain, f"its first {old.size} entries are others than those that were exported")

    def _plan(self, chain: str, head: Head) -> list[Place]:
        shown = self._policy.shows(chain)
        origin = self._trust.logs[chain].origin
        places = paths.places(origin, head.size, head.blocks, entries=shown, content=shown and chain != ANCHOR)
        return [place for place in places if self._is_due(chain, place)]

    def _is_due(self, chain: str, place: Place) -> bool:
        if place.kind is not Kind.CONTENT:
            return place.is_partial or not self._writer.has(place.path)
        log = self._state.log(place.origin)
        return place.index >= log.settled or place.index in log.again or not self._writer.has(place.path)

    def _begin(self, chain: str, places: list[Place]) -> None:
        """Remember which partial files this export will leave, and which one that died has left for nothing."""
        log, old = self._state.log(self._trust.logs[chain].origin), self._exported(chain)
        if old is not None and old.size == log.planned_size:
            log.partials |= log.planned
        else:
            log.left |= log.planned
        log.planned, log.planned_size = {place.path for place in places if place.is_partial}, self._heads[chain].size
        log.left -= log.partials | log.planned

    def _see_shreddings(self) -> None:
        if REGISTRY not in self._heads:
            return
        for item in shreddings.since(self._logs[REGISTRY], self._state.registry, self._heads[REGISTRY].size):
            known = item.chain in self._heads and self._policy.shows(item.chain)
            if known and 0 <= item.entry < self._heads[item.chain].size:
                self._state.log(self._trust.logs[item.chain].origin).shredded.add((item.entry, item.line))

    # Data

    def _write_data(self, plans: Mapping[str, list[Place]]) -> None:
        total, done = sum(map(len, plans.values())), 0
        for chain, places in plans.items():
            for place in places:
                if place.kind is Kind.CONTENT:
                    self._write_content(chain, place)
                elif not self._writer.has(place.path):
                    self._put(place.path, self._reader.read(place.path))
                done += 1
                self._tell(done, total)
            self._write_shredded(chain, places)

    def _write_shredded(self, chain: str, written: list[Place]) -> None:
        """Render anew what the registry says was shredded."""
        log, size = self._state.log(self._trust.logs[chain].origin), self._heads[chain].size
        of = {index // TILE_WIDTH for index, _ in log.shredded} - {p.index for p in written if p.kind is Kind.CONTENT}
        for index in sorted(of) if chain != ANCHOR and self._policy.shows(chain) else ():
            width = width_in(size, level=0, index=index)
            self._write_content(chain, Place(Kind.CONTENT, self._trust.logs[chain].origin, 0, index, width))

    def _write_content(self, chain: str, place: Place) -> None:
        data = self._reader.read(place.path)
        if self._writer.read(place.path) != data:
            self._put(place.path, data)
        held, log = content.decode(data, place.width), self._state.log(place.origin)
        entries = self._logs[chain].entries(place.index, place.width)
        lacks = any(len(one.sections) < _lines(entry, one) for entry, one in zip(entries, held, strict=True))
        (log.again.add if lacks else log.again.discard)(place.index)
        first = place.index * TILE_WIDTH
        shown = {(first + n, s.line) for n, one in enumerate(held) for s in one.sections if s.data is not None}
        here = range(first, first + place.width)
        log.shredded = {item for item in log.shredded if item[0] not in here or item in shown}

    def _put(self, path: str, data: bytes) -> None:
        if path.rpartition("/")[2] in paths.ONE_FILE and self._writer.read(path) == data:
            return
        self._writer.write(path, data)
        self._done.written += 1
        self._done.bytes += len(data)

    # Heads, and what is behind them

    def _publish(self, chain: str) -> None:
        """The head first: whoever reads the checkpoint first finds a head that is no older."""
        origin, head = self._trust.logs[chain].origin, self._heads[chain]
        self._put(f"{origin}/{Kind.HEAD}", blocks.encode_head(head.block))
        self._put(f"{origin}/{Kind.CHECKPOINT}", head.block.checkpoint.encode())
        self._writer.settle()

    def _clear(self, chain: str) -> None:
        """Remove the partial files that no exported checkpoint needs any more."""
        log, head = self._state.log(self._trust.logs[chain].origin), self._heads[chain]
        there = log.partials | log.planned
        needed = {path for path in there if _is_needed(paths.parse(path), head)}
        for path in sorted((there | log.left) - needed):
            self._done.removed += self._writer.has(path)
            self._writer.remove(path)
        log.partials, log.planned, log.left, log.settled = needed, set(), set(), head.size // TILE_WIDTH

    def _save(self) -> None:
        text = self._state.text.encode()
        if self._writer.read(STATE) != text:
            self._writer.write(STATE, text)


def _is_needed(place: Place, head: Head) -> bool:
    """Whether a partial file must stay: its full one is not there yet, and it does not change."""
    if place.kind is Kind.CONTENT:
        return place.width == width_in(head.size, level=0, index=place.index)
    count = head.blocks if place.kind is Kind.BLOCKS else head.size
    return width_in(count, level=place.level, index=place.index) < TILE_WIDTH


def _lines(entry: bytes | None, held: Content) -> int:
    """How many sections an entry has, as far as anybody can know."""
    if entry is None:
        return held.held.lines if held.held else 0
    try:
        return len(Statement.decode(entry).manifest)
    except MalformedError:
        return 0


def _forked(chain: str, what: str) -> UserError:
    hint = "was a backup restored? keep the export as it is: it is evidence, and export into another folder"
    return UserError(f"{chain!r}: {what}", hint)
