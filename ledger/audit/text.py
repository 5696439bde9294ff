"""An audit in words, for a terminal."""

from ledger.audit.report import COUNTED, Part, Report
from ledger.terminal import printable


def lines(report: Report) -> list[str]:
    """What was counted of each chain, what is worth a look, and what is wrong."""
    told = [f"{name:<12} {_counts(report, name)}" for name in report.chains]
    told += [f"{name:<12} {_before(parts[-1])}" for name, parts in report.before.items() if parts]
    told += [f"note: {printable(note)}" for note in report.notes]
    told += [f"WRONG: {printable(problem)}" for problem in report.problems]
    hidden = report.count("problems") - len(report.problems)
    told += [f"and {hidden} more"] if hidden else []
    if report.ok:
        total = ", ".join(f"{report.count(name):,} {name}" for name in ("entries", "blocks", "signatures"))
        told.append(f"all is as it should be: {total}")
    return told


def _before(part: Part) -> str:
    return f"its first {part.size:,} entries were audited before ({part.document['at']}), and not now"


def _counts(report: Report, chain: str) -> str:
    counts = report.chains[chain].counts
    return ", ".join(f"{counts[name]:,} {name}" for name in COUNTED if counts[name]) or "empty"
