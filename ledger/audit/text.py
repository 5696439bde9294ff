"""An audit in words, for a terminal, and its progress."""

import time
from types import TracebackType
from typing import Self, TextIO

from ledger.audit.report import COUNTED, Report
from ledger.proof.text import printable

_TICK_S = 0.2


def lines(report: Report) -> list[str]:
    """What was counted of each chain, what is worth a look, and what is wrong."""
    told = [f"{name:<12} {_counts(report, name)}" for name in report.chains]
    told += [f"note: {printable(note)}" for note in report.notes]
    told += [f"WRONG: {printable(problem)}" for problem in report.problems]
    hidden = report.count("problems") - len(report.problems)
    told += [f"and {hidden} more"] if hidden else []
    if report.ok:
        total = ", ".join(f"{report.count(name):,} {name}" for name in ("entries", "blocks", "signatures"))
        told.append(f"all is as it should be: {total}")
    return told


def _counts(report: Report, chain: str) -> str:
    counts = report.chains[chain].counts
    return ", ".join(f"{counts[name]:,} {name}" for name in COUNTED if counts[name]) or "empty"


class Progress:
    """Shows on a terminal how far the audit is; on anything else it says nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._shows, self._shown_at = stream, stream.isatty(), 0.0

    def __enter__(self) -> Self:
        return self

    def __call__(self, chain: str, entries: int) -> None:
        """So many entries of `chain` are done."""
        now = time.monotonic()
        if self._shows and now - self._shown_at >= _TICK_S:
            self._shown_at = now
            self._write(f"{chain}: {entries:,} entries")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shows:
            self._write("")

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()
