"""Keeping the book: the registry's entries folded, up to its published checkpoint and no further."""

from collections.abc import Mapping
from threading import Lock
from types import MappingProxyType

import psycopg

from labels.batch import ENTRY_TYPE, Batch
from labels.book import Book, IssuedBatch
from labels.catalogue.catalogue import Catalogue
from labels.signature import KEY_ENTRY_TYPE, LabelKey
from ledger import checkpoint_file, inbox, message, read
from ledger.errors import MalformedError, RegistryError, UserError
from ledger.fold import Stored
from ledger.folder import LedgerFolder
from ledger.keys import thumbprint
from ledger.registry import REGISTRY, Registry
from ledger.section import ContentFormat
from ledger.statement import Statement


class BookKeeper:
    """Keeps the book up with the published registry. Safe to share between threads."""

    def __init__(self, folder: LedgerFolder) -> None:
        self._folder, self._lock = folder, Lock()
        self._registry, self._book = Registry(), Book()
        self._key_entries: dict[bytes, int] = {}
        self._revoked_at: dict[bytes, int] = {}
        self._batches: dict[bytes, IssuedBatch] = {}
        self._catalogue = Catalogue()
        self._lines: dict[bytes, LabelKey] = {}

    def book(self, connection: psycopg.Connection) -> Book:
        """The book at the registry's published size. Raises UserError if there is no ledger."""
        published = checkpoint_file.load(self._folder.checkpoints, REGISTRY)
        if published is None:
            raise UserError(f"{self._folder.path} has no published registry", "make a ledger: 'tallystick ledger init'")
        size = published.checkpoint.size
        with self._lock:
            if size > self._registry.size:
                for stored in read.entries(connection, REGISTRY, self._registry.size, size):
                    self._fold(stored)
                self._book = self._snapshot()
            return self._book

    def coming(self, connection: psycopg.Connection) -> Book:
        """The book once all that is sealed, or waits for it, is published; for a decision, and to be shown to nobody.

        The numbers of entries that wait are what they would be if nothing came between.
        """
        waiting = inbox.waiting(connection, REGISTRY)  # first: what is sealed just now is then in both, which is one
        ahead = self._twin()
        end = read.size(connection, read.chain_id(connection, REGISTRY))
        for stored in read.entries(connection, REGISTRY, ahead._registry.size, end):
            ahead._fold(stored)
        for statement, sections in map(message.decode, waiting):
            known = {line: data for line, data in enumerate(sections) if data is not None}
            ahead._fold(Stored(ahead._registry.size, statement, known))
        return ahead._snapshot()

    def _twin(self) -> "BookKeeper":
        """One of its own that goes on from here."""
        twin = BookKeeper(self._folder)
        with self._lock:
            twin._registry, twin._catalogue = self._registry.copy(), self._catalogue.copy()
            twin._key_entries, twin._revoked_at = dict(self._key_entries), dict(self._revoked_at)
            twin._batches, twin._lines = dict(self._batches), dict(self._lines)
        return twin

    def _fold(self, stored: Stored) -> None:
        """Take one entry. What the registry's rules refuse has no effect."""
        self._registry.size = stored.index + 1
        try:
            statement = Statement.decode(stored.data)
            for line, of in enumerate(statement.manifest):
                body = stored.body(line)
                if of.content_format == ContentFormat.REGISTRY and body is not None:
                    self._fold_section(stored.index, statement, body)
        except (MalformedError, RegistryError):
            return

    def _fold_section(self, index: int, statement: Statement, body: bytes) -> None:
        entry = self._registry.apply(index, statement.kid, body)
        if entry["type"] == ENTRY_TYPE:
            batch = Batch.read(entry)
            self._batches.setdefault(batch.root, IssuedBatch(batch, index, statement.hash, statement.issued_at))
        elif entry["type"] == KEY_ENTRY_TYPE:
            kid = thumbprint(entry["key"])
            self._key_entries[kid] = index
            self._lines[kid] = LabelKey.of(self._registry.label_keys[kid])
        elif entry["type"] == "revocation" and entry["kid"] in self._lines:
            self._revoked_at.setdefault(entry["kid"], index)
            self._lines[entry["kid"]] = LabelKey.of(self._registry.label_keys[entry["kid"]])
        else:
            self._catalogue.take(entry, index=index, statement_hash=statement.hash, issued_at=statement.issued_at)

    def _snapshot(self) -> Book:
        registry = self._registry
        return Book(
            size=registry.size,
            organisations=MappingProxyType(dict(registry.organisations)),
            chains=MappingProxyType(dict(registry.chains)),
            keys=MappingProxyType(dict(registry.keys)),
            prefixes=MappingProxyType(dict(registry.prefixes)),
            label_keys=tuple(self._lines.values()),
            key_entries=MappingProxyType(dict(self._key_entries)),
            revoked_at=MappingProxyType(dict(self._revoked_at)),
            batches=MappingProxyType(dict(self._batches)),
            shredded=_by_statement(registry.shredded),
            catalogue=self._catalogue.copy(),
        )


def _by_statement(shredded: Mapping[tuple[str, int, int], int]) -> Mapping[tuple[str, int], Mapping[int, int]]:
    found: dict[tuple[str, int], dict[int, int]] = {}
    for (chain, index, line), entry in shredded.items():
        found.setdefault((chain, index), {})[line] = entry
    return MappingProxyType(found)
