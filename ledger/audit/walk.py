"""The audit: everything that a ledger derives, rebuilt from its entries alone, and held against what it stored.

For each chain, block by block: leaf hashes, tree, tiles and roots; the headers' own chain; checkpoints; the
registry's state that each header names; and for each entry its encoding, key, signature, stream and sections. For
the anchor: every header of every chain once, in order. What is stored comes from a `Source`, in order, so that
memory stays flat; nothing here reads by itself. The tables that people query (readings, events) are projections of
the sections, and no part of this.

The registry is read first, so that it is known whose key was what at each of its sizes. Then a chain's entries are
examined in ranges, each by itself (`examine`), on as many cores as there are, and what comes of them is joined in
order (`chain`). An audit may go on where an earlier one ended (`state`).

Erased entries and sections are *withheld*, or *shredded* if the registry says so; sections that never came whole are
*lacking*, or *evicted* if their device says so. All are counted, and no problem. A chain is audited to its end whatever
is found; what only follows from a wrong tree is told once.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

from ledger.audit import log_keys, rollbacks
from ledger.audit.anchor import AnchorEntries
from ledger.audit.chain import ChainWalk, Tell
from ledger.audit.examine import Examiner
from ledger.audit.histories import Histories, Voices
from ledger.audit.piece import Job, Piece
from ledger.audit.report import Findings, Report
from ledger.audit.rows import ChainRow, Source
from ledger.audit.state import Keep, State
from ledger.registry import ANCHOR, REGISTRY
from ledger.trust.trust_file import Trust

Examine = Callable[[Voices, Iterator[Job]], Iterator[Piece]]
"""Examines the ranges of a chain, each by itself; what comes of them comes in order."""


def _no_one(chain: str, entries: int, of: int) -> None:
    """Tell no one."""


def nowhere(chain: str, make: Callable[[], State], at_end: bool) -> None:
    """Keep nothing."""


def in_process(source: Source) -> Examine:
    """Examine ranges here, one after the other."""

    def examine(voices: Voices, jobs: Iterator[Job]) -> Iterator[Piece]:
        examiner = Examiner(voices, is_whole=source.is_whole)
        for job in jobs:
            yield examiner.examine(source.entries(job.log.chain, job.first, job.end), job)

    return examine


def audit(
    source: Source,
    trust: Trust,
    *,
    tell: Tell = _no_one,
    examine: Examine | None = None,
    before: Mapping[str, State] = MappingProxyType({}),
    keep: Keep = nowhere,
) -> Report:
    """Audit all that `source` holds under `trust`; of a chain in `before` what came after that.

    `tell` hears of progress, and `keep` of states to go on from. Raises ResumeError where `source` does not hold what
    was audited before.
    """
    report, examine = Report(), examine or in_process(source)
    rows = sorted(source.chains(), key=lambda row: (row.name != REGISTRY, row.name == ANCHOR))
    _require_pinned(rows, trust, report.ledger)
    trust = log_keys.followed(source, trust, report.ledger)
    histories = Histories.read(source.entries(REGISTRY) if REGISTRY in {row.name for row in rows} else ())
    for fault in (unread := dict.fromkeys(source.unread())):
        report.ledger.wrong(fault)
    for row in rows:
        if row.name in trust.logs:
            state = before.get(row.name) or State()
            walk = ChainWalk(trust.logs[row.name], source, trust, histories, state, tell)
            report.chains[row.name] = walk.findings
            report.before[row.name] = state.parts
            if row.name == ANCHOR:
                entries = _anchor(source, rows, state)
                walk.run(partial(_examine_anchor, source, entries), keep, entries)
            else:
                walk.run(partial(examine, histories.voices), keep)
                if row.name == REGISTRY:
                    for index, why in histories.hidden:
                        walk.findings.wrong(why, index=index)
            unread |= walk.unread
    rollbacks.check(histories.registry.rollbacks, source, trust, report.chains)
    told = {problem.what for problem in report.ledger.problems}
    for stray in dict.fromkeys((*unread, *source.strays())):
        if stray not in told:
            report.strays.wrong(stray)
    return report


def _require_pinned(rows: list[ChainRow], trust: Trust, findings: Findings) -> None:
    stored = {row.name: row.origin for row in rows}
    for name in sorted(stored.keys() | trust.logs.keys()):
        if name not in trust.logs:
            findings.wrong(f"the chain {name!r} is not in the trust file")
        elif name not in stored:
            findings.wrong(f"the chain {name!r} of the trust file is not there")
        elif stored[name] != trust.logs[name].origin:
            findings.wrong(f"the chain {name!r} has the origin {stored[name]!r}, not the trust file's")


def _anchor(source: Source, rows: list[ChainRow], state: State) -> AnchorEntries:
    chains = {row.origin: row.name for row in rows if row.name != ANCHOR}
    blocks = {origin: source.blocks(name, state.anchored.get(name, 0)) for origin, name in chains.items()}
    return AnchorEntries(
        chains, blocks, source.anchored(state.size), registry_size=state.registry_anchored, heights=state.anchored
    )


def _examine_anchor(source: Source, entries: AnchorEntries, jobs: Iterator[Job]) -> Iterator[Piece]:
    for job in jobs:
        yield entries.examine(source.entries(ANCHOR, job.first, job.end), job)
