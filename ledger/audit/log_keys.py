"""The logs' keys as an audit takes them: the trust file's, and those that followed by the ledger's own registry.

What root keys have said holds by their signatures, whoever stores it; that each of their entries is in the registry's
tree, the audit of the registry shows.
"""

from collections.abc import Mapping

from ledger.audit.report import Findings
from ledger.audit.rows import EntryRow, Source
from ledger.errors import TrustError
from ledger.fold import Stored
from ledger.registry import REGISTRY, Chain
from ledger.trust import succession
from ledger.trust.trust_file import Trust


def followed(source: Source, trust: Trust, findings: Findings) -> Trust:
    """`trust` with the rotations that `source` holds: a wrong one is found at its entry, and ends them here."""
    messages = succession.messages_of(_stored(row) for row in source.entries(REGISTRY))
    for end in range(len(messages), 0, -1):
        try:
            chains = succession.follow(trust.genesis, messages[:end]).chains
        except TrustError:
            continue
        return _knowing(trust, chains, findings)
    return trust


def _knowing(trust: Trust, chains: Mapping[str, Chain], findings: Findings) -> Trust:
    if {name: log.verifier.vkey for name, log in trust.logs.items()} != {c.name: c.vkey for c in chains.values()}:
        return trust  # which is told at the genesis
    try:
        return trust.knowing(chains)
    except TrustError as error:
        findings.wrong(f"the trust file and the registry differ: {error}")
        return trust


def _stored(row: EntryRow) -> Stored:
    return Stored(row.index, row.data or b"", {s.line: s.data for s in row.sections if s.data is not None})
