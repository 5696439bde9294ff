"""Where an audit reads what is published, as its user names it, and how its workers open the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ledger.audit.published_source import PublishedSource
from ledger.audit.rows import Source, SourceAt
from ledger.published.location import Token, reading
from ledger.published.trusted import followed
from ledger.trust.trust_file import Trust


@dataclass(frozen=True, slots=True)
class PublishedAt:
    """What is published in a folder or at an address; a `token` opens more of an address."""

    location: str
    trust: Trust
    token: Token | None = None

    @contextmanager
    def open(self) -> Iterator[PublishedSource]:
        """Open it. What has been published since is there too, which makes no difference to what was."""
        with reading(self.location, self.token) as reader:
            yield PublishedSource(reader, followed(reader, self.trust))


@contextmanager
def published(at: PublishedAt) -> Iterator[tuple[Source, SourceAt]]:
    """What is published somewhere."""
    with at.open() as source:
        yield source, at
