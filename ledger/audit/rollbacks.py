"""Rollbacks in an audit: what the operator decided and signed, told where it was, and held against the history. Pure.

A chain that went back has lost what was published in between: whoever holds a checkpoint or a receipt of it can show
that. The entry names the lost checkpoint, so that nobody has to.
"""

from collections.abc import Iterable, Mapping

from ledger.audit.report import Findings
from ledger.audit.rows import Source
from ledger.errors import OutsideError
from ledger.registry import Rollback
from ledger.trust.trust_file import Trust


def check(rollbacks: Iterable[Rollback], source: Source, trust: Trust, findings: Mapping[str, Findings]) -> None:
    """Note each, and say what is wrong with it: its lost checkpoint, or the state that it names."""
    for rollback in rollbacks:
        found = findings.get(rollback.chain)
        if found is None:
            continue
        by = f"the operator decided in registry entry {rollback.index}"
        found.note(f"it goes on from {rollback.size} entries, {by}{_lost(rollback, trust, found)}")
        if rollback.size and not _has(source, rollback):
            found.wrong(f"it never was at {rollback.size} entries with the root from which it goes on, as {by}")


def _lost(rollback: Rollback, trust: Trust, findings: Findings) -> str:
    if rollback.lost is None:
        return ": what was published before, he did not know"
    try:
        lost = trust.log(rollback.chain).open(rollback.lost)
    except OutsideError as error:
        findings.wrong(f"registry entry {rollback.index} names a lost checkpoint that does not hold: {error}")
        return ""
    return f": {lost.size} had been published, with the root {lost.root.hex()[:16]}…"


def _has(source: Source, rollback: Rollback) -> bool:
    """Whether a block of the chain ends with that state."""
    blocks = source.blocks(rollback.chain)
    return any(block.size == rollback.size and block.root == rollback.root for block in blocks)
