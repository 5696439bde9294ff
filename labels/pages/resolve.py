"""From a link to its page: reads the database, checks every statement; `compose` and `unit` tell it."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import inf

import psycopg

from labels import gs1, listed
from labels.batch import Label
from labels.book import Book
from labels.catalogue import pictures
from labels.clock import today
from labels.judgement import LabelVerdict, Membership, judge
from labels.keeper import BookKeeper
from labels.pages import store, unit
from labels.pages.compose import compose
from labels.pages.described import Described, describe
from labels.pages.found import Found, Trail
from labels.pages.page import Page, UnitPage
from labels.pages.proofs import Proofs
from labels.pages.search import Search
from labels.pages.sessions import Session, Sessions
from labels.pages.store import Chains
from labels.pages.verdicts import Checker
from labels.reconciling import scans
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import ANCHOR, REGISTRY

log = logging.getLogger("labels")


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

    def unit(self, link: gs1.DigitalLink) -> UnitPage:
        """The page of a logistic unit's link, whose key is an SSCC. Raises as `page`."""
        return self._sessions.run(lambda session: unit.compose(self._find_unit(session, link)))

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
        published = store.chains(session.connection, self._folder)
        if link.sscc is not None:  # the catalogue describes none
            return Described() if store.events_of(session.connection, published, link.epc, -inf).rows else None
        found = self._judged(session, link, published)
        described = found.described
        is_known = described.said or described.recalls or found.book.lots(link.gtin or "", link.lot)
        return described if is_known else None

    def _find(self, session: Session, link: gs1.DigitalLink) -> Found:
        published = store.chains(session.connection, self._folder)
        found = self._judged(session, link, published)
        if found.described.picture:
            found.picture = pictures.size(session.connection, found.described.picture)
        if found.label.is_signed:
            search = Search(session, published, self._checker, found)
            found.issue = tuple(search.issue(found.label))
            search.run(good=found.described.good)
        return found

    def _find_unit(self, session: Session, link: gs1.DigitalLink) -> Trail:
        published, book = store.chains(session.connection, self._folder), self._book(session)
        found = Trail(link=link, now=self._now(), book=book, checkpoints=published.by_name, noun=unit.NOUN)
        Search(session, published, self._checker, found).run()
        return found

    def _judged(self, session: Session, link: gs1.DigitalLink, published: Chains) -> Found:
        """The verdict on the label, and what the catalogue says."""
        book = self._book(session)
        label = self._judge(session, link, book)
        found = Found(link=link, now=self._now(), book=book, label=label, checkpoints=published.by_name)
        size = published.size(ANCHOR)
        found.described = describe(
            link, label, book, lambda n: self._checker.check(session.prover.prove, REGISTRY, n, anchor_size=size)
        )
        return found

    def _book(self, session: Session) -> Book:
        """The book as it is by now; statements are checked by it from here on."""
        book = self._keeper.book(session.connection)
        self._checker.know(book.chains)
        self._checker.forget(book.shredded)
        return book

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
        at = datetime.fromtimestamp(found.now, UTC)
        try:
            scans.note(session.connection, found.link, found.label, at, catalogue=found.book.catalogue)
        except psycopg.Error as error:
            log.warning("a scan is not noted: %s", str(error).strip() or repr(error))
        return found

    def _membership(self, session: Session, label: Label) -> Membership | None:
        """The label's place in its batch, if it is one that was issued."""
        stored = listed.label(session.connection, label.path)
        if stored is None or stored.label != label:
            return None
        return Membership(stored.batch_root, stored.index, self._proofs.prove(session.connection, stored))
