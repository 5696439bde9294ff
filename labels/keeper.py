"""Keeping the book: the registry's entries folded, up to its published checkpoint and no further."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
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
        self._folded, self._book = _Folded(), Book()

    def book(self, connection: psycopg.Connection) -> Book:
        """The book at the registry's published size. Raises UserError if there is no ledger."""
        published = checkpoint_file.load(self._folder.checkpoints, REGISTRY)
        if published is None:
            raise UserError(f"{self._folder.path} has no published registry", "make a ledger: 'tallystick ledger init'")
        size = published.checkpoint.size
        with self._lock:
            if size > self._folded.size:
                for stored in read.entries(connection, REGISTRY, self._folded.size, size):
                    self._folded.take(stored)
                self._book = self._folded.book()
            return self._book

    def coming(self, connection: psycopg.Connection) -> Book:
        """The book once all that is sealed, or waits for it, is published; for a decision, and to be shown to nobody.

        The numbers of entries that wait are what they would be if nothing came between.
        """
        waiting = inbox.waiting(connection, REGISTRY)  # first: what is sealed just now is then in both, which is one
        with self._lock:
            ahead = self._folded.copy()
        end = read.size(connection, read.chain_id(connection, REGISTRY))
        for stored in read.entries(connection, REGISTRY, ahead.size, end):
            ahead.take(stored)
        for statement, sections in map(message.decode, waiting):
            known = {line: data for line, data in enumerate(sections) if data is not None}
            ahead.take(Stored(ahead.size, statement, known))
        return ahead.book()


@dataclass(slots=True)
class _Folded:
    """The registry's entries, folded one after the other into what the book is made of."""

    registry: Registry = field(default_factory=Registry)
    catalogue: Catalogue = field(default_factory=Catalogue)
    lines: dict[bytes, LabelKey] = field(default_factory=dict)
    key_entries: dict[bytes, int] = field(default_factory=dict)
    revoked_at: dict[bytes, int] = field(default_factory=dict)
    batches: dict[bytes, IssuedBatch] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self.registry.size

    def copy(self) -> "_Folded":
        """One of its own that goes on from here."""
        return _Folded(*(getattr(self, part.name).copy() for part in fields(self)))

    def take(self, stored: Stored) -> None:
        """Take the next entry. What the registry's rules refuse has no effect."""
        self.registry.size = stored.index + 1
        try:
            statement = Statement.decode(stored.data)
            for line, of in enumerate(statement.manifest):
                body = stored.body(line)
                if of.content_format == ContentFormat.REGISTRY and body is not None:
                    self._take_section(stored.index, statement, body)
        except (MalformedError, RegistryError):
            return

    def _take_section(self, index: int, statement: Statement, body: bytes) -> None:
        entry = self.registry.apply(index, statement.kid, body)
        if entry["type"] == ENTRY_TYPE:
            batch = Batch.read(entry)
            self.batches.setdefault(batch.root, IssuedBatch(batch, index, statement.hash, statement.issued_at))
        elif entry["type"] == KEY_ENTRY_TYPE:
            kid = thumbprint(entry["key"])
            self.key_entries[kid] = index
            self.lines[kid] = LabelKey.of(self.registry.label_keys[kid])
        elif entry["type"] == "revocation" and entry["kid"] in self.lines:
            self.revoked_at.setdefault(entry["kid"], index)
            self.lines[entry["kid"]] = LabelKey.of(self.registry.label_keys[entry["kid"]])
        else:
            self.catalogue.take(entry, index=index, statement_hash=statement.hash, issued_at=statement.issued_at)

    def book(self) -> Book:
        """The book as of now: what is taken later does not change it."""
        registry = self.registry
        return Book(
            size=registry.size,
            organisations=MappingProxyType(dict(registry.organisations)),
            chains=MappingProxyType(dict(registry.chains)),
            keys=MappingProxyType(dict(registry.keys)),
            prefixes=MappingProxyType(dict(registry.prefixes)),
            label_keys=tuple(self.lines.values()),
            key_entries=MappingProxyType(dict(self.key_entries)),
            revoked_at=MappingProxyType(dict(self.revoked_at)),
            batches=MappingProxyType(dict(self.batches)),
            shredded=_by_statement(registry.shredded),
            catalogue=self.catalogue.copy(),
        )


def _by_statement(shredded: Mapping[tuple[str, int, int], int]) -> Mapping[tuple[str, int], Mapping[int, int]]:
    found: dict[tuple[str, int], dict[int, int]] = {}
    for (chain, index, line), entry in shredded.items():
        found.setdefault((chain, index), {})[line] = entry
    return MappingProxyType(found)
