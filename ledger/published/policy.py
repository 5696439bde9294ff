"""Who may read what of a ledger that is published.

Hashes, blocks, heads and checkpoints are everybody's. A chain's entries show who reports how often: all see those of
the chains that its operator opened, partners those of all. Sections go by their own privacy.
"""

from collections.abc import Collection
from dataclasses import dataclass

from ledger.errors import MalformedError
from ledger.published import content, paths
from ledger.published.paths import Kind, Place
from ledger.published.reader import NotForYouError, NotPublishedError, Reader
from ledger.registry import ANCHOR, REGISTRY
from ledger.section import Privacy

ALWAYS_PUBLIC = frozenset({REGISTRY, ANCHOR})
AUDIENCES = {str(privacy.name).lower(): privacy for privacy in Privacy}


@dataclass(frozen=True, slots=True)
class Policy:
    """For whom things are read, and the `public` chains beside the registry and the anchor, whose are always."""

    audience: Privacy
    public: frozenset[str] = frozenset()

    @classmethod
    def of(cls, audience: Privacy, public: Collection[str] = ()) -> "Policy":
        """With any collection of chains."""
        return cls(audience, frozenset(public))

    def shows(self, chain: str) -> bool:
        """Whether the audience may see the chain's entries and what stands beside them."""
        return self.audience >= Privacy.PARTNERS or chain in ALWAYS_PUBLIC or chain in self.public

    def require(self, place: Place, chain: str) -> None:
        """Raise NotForYouError unless the audience may see the place, which is the chain's."""
        if place.kind in (Kind.ENTRIES, Kind.CONTENT) and not self.shows(chain):
            raise NotForYouError(f"the entries of {chain!r} are not public")


class LimitedReader:
    """Reads by another reader, which may know more, what a policy lets be seen. `chains` are names by origin."""

    def __init__(self, reader: Reader, policy: Policy, chains: dict[str, str]) -> None:
        self._reader, self._policy, self._chains = reader, policy, chains

    def read(self, path: str) -> bytes:
        """The bytes at `path`, or NotPublishedError, or NotForYouError."""
        place = parse(path)
        if place.kind is not Kind.TRUST:
            chain = self._chains.get(place.origin)
            if chain is None:
                raise NotPublishedError("there is no such log")
            self._policy.require(place, chain)
        data = self._reader.read(path)
        if place.kind is not Kind.CONTENT or self._policy.audience is Privacy.PRIVATE:
            return data
        return content.encode(content.limited(content.decode(data, place.width), self._policy.audience))


def parse(path: str) -> Place:
    """Read a path; what can be none is not published."""
    try:
        return paths.parse(path)
    except MalformedError as error:
        raise NotPublishedError(str(error)) from error
