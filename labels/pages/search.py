"""Looking up what the ledger has of one thing: the public events about it, readings that belong to it, and proofs."""

from collections.abc import Callable, Mapping
from typing import Any

from labels.batch import Batch
from labels.judgement import LabelVerdict
from labels.pages import readings, store
from labels.pages.found import LOTS_MAX, Trail
from labels.pages.history import Source, Told, Window, trace
from labels.pages.readings import Limits, Pack
from labels.pages.sessions import Session
from labels.pages.store import Chains
from labels.pages.verdicts import Checked, Checker, saying
from labels.signature import LabelKey
from ledger.registry import ANCHOR, REGISTRY, Role

STATEMENTS_MAX = 1_000  # of readings, on one page


class Search:
    """Fills in what the ledger has of one thing."""

    def __init__(self, session: Session, published: Chains, checker: Checker, found: Trail) -> None:
        self._session, self._published, self._checker, self._found = session, published, checker, found
        self._anchor_size, self._room = published.size(ANCHOR), store.EVENT_BYTES_MAX

    def run(self, good: Limits | None = None) -> None:
        """Look up the history, the readings that belong to it, and check all of it.

        `good` are the values between which readings are good, where these are not what is said for all things.
        """
        found, connection = self._found, self._session.connection
        found.history = trace(found.link.epc, now=found.now, events_of=self._events_of)
        for step in found.history.steps:
            self._check(step.row.source.entry_id)
        gathered = [(window, self._packs(window)) for window in found.history.windows]
        was_cut = found.readings.cut
        found.readings = readings.gather(gathered, store.limits(connection) | (good or {}))
        found.readings.cut |= was_cut
        found.findings = store.findings(connection, found.checked)

    def issue(self, label: LabelVerdict) -> list[tuple[str, Checked]]:
        """The registry's entries on which the label itself rests: its key's, and its batch's."""
        entries, book = [], self._found.book
        if label.key is not None and (index := book.key_entries.get(label.key.thumbprint)) is not None:
            entries.append(("label key", saying(self._check_at(REGISTRY, index), Role.OPERATOR, _of_key(label.key))))
        for issued in (label.batch,) if label.batch else label.uncounted[-LOTS_MAX:]:
            checked = self._check_at(REGISTRY, issued.index)
            entries.append(("label batch", saying(checked, Role.LABELS, _of_batch(issued.batch))))
        return entries

    def _events_of(self, uri: str, start: float) -> Told:
        """What is told of one thing: all things on the page, in their order, share the bytes that are read."""
        told = store.events_of(self._session.connection, self._published, uri, start, bytes_max=self._room)
        self._room -= told.size
        return told

    def _packs(self, window: Window) -> list[Pack]:
        """The packs that hold the window's readings, as far as they verify."""
        room = STATEMENTS_MAX - sum(len(entries) for entries in self._found.packs.values())
        sections = store.reading_sections(
            self._session.connection, self._published, window.device, window.start, window.end
        )
        self._found.readings.cut |= sections.cut or len(sections.sources) > room
        sources = sections.sources[:room]
        self._found.packs[window] = tuple(source.entry_id for source in sources)
        packs = [self._pack(source, window.device) for source in sources]
        return [pack for pack in packs if pack is not None]

    def _pack(self, source: Source, device: str) -> Pack | None:
        checked = self._check(source.entry_id)
        said = checked.said(source.line)
        if checked.verdict is None or checked.verdict.urn != device or not isinstance(said, tuple):
            return None
        return Pack(device, source, said)

    def _check(self, entry: int) -> Checked:
        if entry not in self._found.checked:
            self._found.checked[entry] = self._check_at(*self._published.place(entry))
        return self._found.checked[entry]

    def _check_at(self, chain: str, index: int) -> Checked:
        return self._checker.check(self._session.prover.prove, chain, index, anchor_size=self._anchor_size)


def _of_batch(batch: Batch) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a registry entry is the one that published `batch`."""
    return lambda said: said == batch.entry()


def _of_key(key: LabelKey) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a registry entry is the one that registered `key`."""
    entry = key.entry()
    return lambda said: {name: said.get(name) for name in entry} == entry
