"""An audit in words, for a terminal, and its progress."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from ledger.audit.report import COUNTED, Part, Report
from ledger.proof.text import printable

_TICK_S, _RATE_S = 0.2, 0.5


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


class Progress:
    """Shows on a terminal how far the audit is; on anything else it says nothing."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._shows, self._clock, self._shown_at = stream, stream.isatty(), clock, -_TICK_S
        self._began = ("", 0, 0.0)  # a chain, and when so many of its entries were done

    def __enter__(self) -> Self:
        return self

    def __call__(self, chain: str, entries: int, of: int = 0) -> None:
        """So many entries of `chain` are done, of so many, if that is known."""
        now = self._clock()
        if self._began[0] != chain:
            self._began = chain, entries, now
        if self._shows and now - self._shown_at >= _TICK_S:
            self._shown_at = now
            self._write(f"{chain}: {self._told(entries, of, now)}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shows:
            self._write("")

    def _told(self, entries: int, of: int, now: float) -> str:
        _, first, began = self._began
        told = [f"{entries:,} of {of:,} entries", f"{100 * entries // of} %"] if of else [f"{entries:,} entries"]
        if now - began > _RATE_S and entries > first:
            rate = (entries - first) / (now - began)
            told.append(f"{rate:,.0f}/s")
            told += [f"{_duration((of - entries) / rate)} left"] if of else []
        return ", ".join(told)

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
