"""From a link to its page: reads the database, checks every statement; `labels.pages.compose` tells it."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg

from labels import gs1, listed
from labels.batch import Batch, Label
from labels.book import Book
from labels.catalogue import pictures
from labels.clock import today
from labels.judgement import LabelVerdict, Membership, judge
from labels.keeper import BookKeeper
from labels.pages import readings, store
from labels.pages.compose import LOTS_MAX, Found, compose
from labels.pages.described import Described, describe
from labels.pages.history import Source, Told, Window, trace
from labels.pages.page import Page
from labels.pages.proofs import Proofs
from labels.pages.readings import Pack
from labels.pages.sessions import Session, Sessions
from labels.pages.store import Chains
from labels.pages.verdicts import Checked, Checker, saying
from labels.reconciling import scans
from labels.signature import LabelKey
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import ANCHOR, REGISTRY, Role

log = logging.getLogger("labels")

STATEMENTS_MAX = 1_000  # of readings, on one page


class Resolver:
    """Resolves links against one ledger. Safe to share between threads."""

    def __init__(self, folder: LedgerFolder, dsn: str, *, now: Callable[[], float] = time.time) -> None:
        self._folder, self._now = folder, now
        self._sessions = Sessions(dsn, folder)
        self._keeper, self._checker = BookKeeper(folder), Checker(folder.trust())
        self._proofs = Proofs()

    @property
    def keeper(self) -> BookKeeper:
        """Who keeps the book."""
        return self._keeper

    def close(self) -> None:
        """Close the sessions."""
        self._sessions.close()

    def page(self, link: gs1.DigitalLink) -> Page:
        """The page of a product's link. Raises UserError if the database is not there, psycopg.Error if it fails."""
        return self._sessions.run(lambda session: compose(self._find(session, link)))

    def scanned(self, link: gs1.DigitalLink) -> Page:
        """The page of a link that somebody has asked for; that is noted, if its label is signed. Raises as `page`."""
        return self._sessions.run(lambda session: compose(self._noted(session, self._find(session, link))))

    def described(self, link: gs1.DigitalLink) -> Described | None:
        """What the catalogue says of what a link names, or None if nothing at all is known of that here."""
        return self._sessions.run(lambda session: self._known(session, link))

    def judge(self, link: gs1.DigitalLink) -> tuple[LabelVerdict, Book]:
        """The verdict on the label that a link was read from, and the book by which it is; raises as `page`."""

        def judged(session: Session) -> tuple[LabelVerdict, Book]:
            book = self._keeper.book(session.connection)
            return self._judge(session, link, book), book

        return self._sessions.run(judged)

    def labelled(self, link: gs1.DigitalLink) -> gs1.DigitalLink:
        """The same link with the signature of the label that was issued for it here; UserError if none was."""
        stored = self._sessions.run(lambda session: listed.label(session.connection, link.canonical_path))
        if stored is None:
            raise UserError(
                f"no label was issued here for {' '.join(f'({ai}) {value}' for ai, value in link.keys)}",
                "give the label's whole link, in quotation marks",
            )
        return gs1.parse(stored.label.link(gs1.GS1_HOST))

    def bundle(self, statement_hash: str) -> bytes | None:
        """The proof bundle of a statement with something public in it, or None."""
        return self._sessions.run(lambda session: self._bundle(session, statement_hash))

    def picture(self, sha256: bytes) -> bytes | None:
        """A picture that some product, lot or item has by what is said of it now, or None."""
        return self._sessions.run(lambda session: self._picture(session, sha256))

    def trust_text(self) -> str:
        """The trust file that the operator gives out: a log's key may have changed since we started."""
        return self._folder.trust().text

    def ping(self) -> None:
        """Ask the database for a word. Raises as `page`."""
        self._sessions.run(lambda session: session.connection.execute("select 1"))

    def _bundle(self, session: Session, statement_hash: str) -> bytes | None:
        published = store.chains(session.connection, self._folder)
        place = store.statement_place(session.connection, published, statement_hash)
        return session.prover.prove(*place).encode() if place else None

    def _picture(self, session: Session, sha256: bytes) -> bytes | None:
        is_said = self._keeper.book(session.connection).catalogue.has_picture(sha256)
        return pictures.load(session.connection, sha256) if is_said else None

    def _known(self, session: Session, link: gs1.DigitalLink) -> Described | None:
        found = self._judged(session, link, store.chains(session.connection, self._folder))
        described = found.described
        is_known = described.said or described.recalls or found.book.lots(link.gtin or "", link.lot)
        return described if is_known else None

    def _find(self, session: Session, link: gs1.DigitalLink) -> Found:
        published = store.chains(session.connection, self._folder)
        found = self._judged(session, link, published)
        if found.described.picture:
            found.picture = pictures.size(session.connection, found.described.picture)
        if found.label.is_signed:
            _Search(session, published, self._checker, found).run()
        return found

    def _judged(self, session: Session, link: gs1.DigitalLink, published: Chains) -> Found:
        """The verdict on the label, and what the catalogue says."""
        book = self._keeper.book(session.connection)
        self._checker.know(book.chains)
        self._checker.forget(book.shredded)
        label = self._judge(session, link, book)
        checkpoints = {published.names[chain]: checkpoint for chain, checkpoint in published.checkpoints.items()}
        found = Found(link, self._now(), book, label, checkpoints)
        size = published.size(ANCHOR)
        found.described = describe(
            link, label, book, lambda n: self._checker.check(session.prover.prove, REGISTRY, n, anchor_size=size)
        )
        return found

    def _judge(self, session: Session, link: gs1.DigitalLink, book: Book) -> LabelVerdict:
        return judge(
            link,
            book,
            today=today(),
            find=lambda label: self._membership(session, label),
            is_listed=lambda batch: listed.has_all(session.connection, batch),
        )

    def _noted(self, session: Session, found: Found) -> Found:
        """The page matters more than the note: a database that only reads has none."""
        try:
            scans.note(session.connection, found.link, found.label, datetime.fromtimestamp(found.now, UTC))
        except psycopg.Error as error:
            log.warning("a scan is not noted: %s", str(error).strip() or repr(error))
        return found

    def _membership(self, session: Session, label: Label) -> Membership | None:
        """The label's place in its batch, if it is one that was issued."""
        stored = listed.label(session.connection, label.path)
        if stored is None or stored.label != label:
            return None
        return Membership(stored.batch_root, stored.index, self._proofs.prove(session.connection, stored))


class _Search:
    """Fills in what the ledger has on one item."""

    def __init__(self, session: Session, published: Chains, checker: Checker, found: Found) -> None:
        self._session, self._published, self._checker, self._found = session, published, checker, found
        self._anchor_size = published.size(ANCHOR)

    def run(self) -> None:
        """Look up the history, the readings that belong to it, and check all of it."""
        found, connection = self._found, self._session.connection
        found.issue = tuple(self._issue(found.label, found.book))
        found.history = trace(found.link.epc, now=found.now, events_of=self._events_of)
        for step in found.history.steps:
            self._check(step.row.source.entry_id)
        gathered = [(window, self._packs(window)) for window in found.history.windows]
        was_cut = found.readings.cut
        found.readings = readings.gather(gathered, store.limits(connection) | found.described.good)
        found.readings.cut |= was_cut
        found.findings = store.findings(connection, found.checked)

    def _events_of(self, uri: str, start: float) -> Told:
        return store.events_of(self._session.connection, self._published, uri, start)

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

    def _issue(self, label: LabelVerdict, book: Book) -> list[tuple[str, Checked]]:
        """The registry's entries on which the label itself rests: its key's, and its batch's."""
        entries = []
        if label.key is not None and (index := book.key_entries.get(label.key.thumbprint)) is not None:
            entries.append(("label key", saying(self._check_at(REGISTRY, index), Role.OPERATOR, _of_key(label.key))))
        for issued in (label.batch,) if label.batch else label.uncounted[-LOTS_MAX:]:
            checked = self._check_at(REGISTRY, issued.index)
            entries.append(("label batch", saying(checked, Role.LABELS, _of_batch(issued.batch))))
        return entries


def _of_batch(batch: Batch) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a registry entry is the one that published `batch`."""
    return lambda said: said == batch.entry()


def _of_key(key: LabelKey) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a registry entry is the one that registered `key`."""
    entry = key.entry()
    return lambda said: {name: said.get(name) for name in entry} == entry


def product_link(uri: str) -> gs1.DigitalLink:
    """The link of a product, lot or item; Gs1Error if it is none, UserError if it is of something else."""
    link = gs1.parse(uri)
    if link.keys[0][0] == "00":
        raise UserError(
            f"(00) {link.keys[0][1]} is a pallet's or a case's number (SSCC), for which there is no page",
            "what is on it stands on its label; scan the label of a product to see where that was",
        )
    if link.gtin is None:
        raise UserError(
            f"({link.keys[0][0]}) names no product", "there are pages for products, lots and items: (01), (10) and (21)"
        )
    return link
