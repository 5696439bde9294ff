"""What is told of a run that stops half-way: which labels are out, of which nobody knows, and which are not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labels.printing.outlet import Numbered, Piece, RefusedError
from labels.words import plural
from ledger.errors import UserError

SAME = "give the same command again"
_SERIALS_TOLD = 12


class PrintStopped(UserError):
    """A run ended before its labels were out; the message says which are, which are not, and which nobody knows of."""


@dataclass(frozen=True, slots=True)
class Printed:
    """How far a run is: `count` of `of` labels are out, and the last of them. `resume` says how it is gone on with."""

    of: int
    count: int = 0
    last: Numbered | None = None
    resume: str = SAME

    def with_(self, labels: Sequence[Numbered]) -> "Printed":
        """How far it is when these labels are out as well."""
        return replace(self, count=self.count + len(labels), last=labels[-1]) if labels else self

    @property
    def told(self) -> str:
        """The same in words."""
        last = f", the last of them {told([self.last])}" if self.last else ""
        return f"this run printed {plural(self.count, 'label')}{last}"


def stopped(error: UserError, printed: Printed) -> UserError:
    """Why a run does not go on, between two pieces; where nothing has come out, no more than that."""
    if not printed.count:
        return error
    return PrintStopped(f"{error}; {printed.told}{_lacking(printed.of - printed.count)}", error.hint)


def refused(piece: Piece, error: RefusedError, before: Printed) -> PrintStopped:
    """What became of each label, as the outlet refused a piece; where none can be out, no more than why."""
    out = error.came_out or 0
    after = len(piece.labels) if error.came_out is None else out + error.doubtful
    printed, doubtful, known = before.with_(piece.labels[:out]), piece.labels[out:after], piece.labels[after:]
    hint = f"{error.hint}{' Then' if error.hint.endswith('?') else '; then'} {_way_on(printed, doubtful, known)}"
    if not printed.count and not doubtful:
        return PrintStopped(str(error), hint)
    unknown = f"; nobody knows of {told(doubtful)}" if doubtful else ""
    lacking = _lacking(before.of - printed.count - len(doubtful), known)
    return PrintStopped(f"{error}; {printed.told}{unknown}{lacking}", hint)


def told(labels: Sequence[Numbered]) -> str:
    """`2 labels, 25 to 26 (serials A, B)`: labels by their numbers in the lot, and by their serials."""
    if not labels:
        return "no label"
    if len(labels) == 1:
        return f"label {labels[0].number} (serial {labels[0].serial})"
    shown = labels if len(labels) <= _SERIALS_TOLD else (labels[0], labels[-1])
    between = ", " if len(labels) <= _SERIALS_TOLD else " … "
    return f"{len(labels)} labels, {_numbers(labels)} (serials {between.join(label.serial for label in shown)})"


def _way_on(printed: Printed, doubtful: Sequence[Numbered], next_: Sequence[Numbered]) -> str:
    if doubtful:
        ends = "all, none, or the serial of the last that came out" if len(doubtful) > 1 else "all or none"
        return f"look at the paper, and {printed.resume}, with --came-out {ends}"
    command = printed.resume if printed.count else SAME
    return f"{command}: it goes on with {told(next_[:1]) if next_ else 'what is left'}"


def _lacking(count: int, known: Sequence[Numbered] = ()) -> str:
    """How many labels are not printed, and with which they begin, if that is known."""
    if not count:
        return ""
    if not known:
        return f"; not printed: {plural(count, 'other label')}"
    return f"; not printed: {told(known) if count == len(known) else f'{count:,} labels, from {told(known[:1])} on'}"


def _numbers(labels: Sequence[Numbered]) -> str:
    """`1 to 24 and 31`: the numbers in runs."""
    runs: list[list[int]] = []
    for label in labels:
        if runs and label.number == runs[-1][1] + 1:
            runs[-1][1] = label.number
        else:
            runs.append([label.number, label.number])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    return " and ".join(shown) if len(shown) <= 3 else f"{shown[0]}, … and {shown[-1]}"
