"""What a trust bundle says of the keys that a proof's statements are signed by, if they were revoked since."""

from typing import Any, NamedTuple

from ledger.proof.check import Found
from ledger.proof.product import ProductVerdict
from ledger.trust import text as trust_text
from ledger.trust.trust_file import Trust


class Revoked(NamedTuple):
    """As JSON holds it, and in lines for a terminal: of a product there is an item for each statement."""

    document: Any
    lines: list[str]

    @property
    def is_disputed(self) -> bool:
        """Whether a thief may have signed one of the statements."""
        said = self.document if isinstance(self.document, list) else [self.document]
        return any(one["disputed"] for one in said if one)


def revocations(found: Found, trust: Trust) -> Revoked:
    """What is to be said of the keys; null, and no line, of a key that was not revoked."""
    if not isinstance(found, ProductVerdict):
        said = trust_text.said_of(trust, found.statement, found.chain, found.index)
        return Revoked(said and said[1], [f"{'revoked':<10} {said[0]}"] if said else [])
    documents, lines = list[Any](), list[str]()
    for one in found.statements:
        said = trust_text.said_of(trust, one.statement, one.chain, one.index)
        documents.append(said and said[1])
        lines += [f"{'revoked':<10} entry {one.index} of {one.chain}: {said[0]}"] if said else []
    return Revoked(documents, lines)
