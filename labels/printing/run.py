"""A print run: labels that are due become pieces, and each piece is recorded as sent, sent, and recorded as printed.

If the run dies before a piece is recorded as sent, nothing of it came out, and it is printed next time. If it dies
after, the piece may have come out: the next run asks the outlet, and if that cannot tell either, a person. So no
serial is printed twice unless a person says so, and none is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from labels.printing.journal import Journal, Unconfirmed
from labels.printing.outlet import Numbered, Outlet, Piece, RefusedError
from labels.uses import Use
from ledger.errors import UserError

Tell = Callable[[Piece, int], None]
_SERIALS_TOLD = 12


class PrintStopped(UserError):
    """A run ended before its labels were out; the message says which are, which are not, and which nobody knows of."""


def send_all(
    journal: Journal, pieces: Iterable[Piece], outlet: Outlet, *, tell: Tell = lambda piece, done: None
) -> int:
    """Send pieces in order, and return how many labels came out; `tell` hears it after each. Raises PrintStopped.

    UserError of a piece that cannot be drawn goes through, if nothing has come out before it.
    """
    done, rest = 0, iter(pieces)
    while (piece := _drawn(rest, before=done)) is not None:
        try:
            outlet.prepare(piece)
        except RefusedError as error:
            raise _stopped(piece, error, before=done) from error
        journal.record(piece.parts, Use.SENT)
        try:
            outlet.send(piece)
        except RefusedError as error:
            _record_refusal(journal, piece, error)
            raise _stopped(piece, error, before=done) from error
        journal.record(piece.parts, Use.PRINTED)
        done += len(piece.labels)
        tell(piece, done)
    return done


def _drawn(pieces: Iterator[Piece], *, before: int) -> Piece | None:
    try:
        return next(pieces, None)
    except UserError as error:
        if not before:
            raise
        raise PrintStopped(f"{error}; before it, this run printed {before:,} labels", error.hint) from error


def settle(journal: Journal, outlet: Outlet, *, came_out: str | None = None) -> None:
    """Find out what became of the labels that an earlier run sent and nobody confirmed.

    Where the outlet cannot tell, `came_out` is what a person saw: `all`, `none`, or the serial of the last that came
    out. UserError names the labels if it is not said.
    """
    for where, group in groupby(journal.unconfirmed(), key=lambda sent: sent.where):
        sent = list(group)
        if where == outlet.where and outlet.finish(list(dict.fromkeys(one.part for one in sent))):
            journal.record_labels(((one.label, one.part) for one in sent), Use.PRINTED)
        elif came_out is None:
            raise _doubtful(sent, where)
        else:
            _record_seen(journal, sent, _seen(sent, came_out))


def told(labels: Sequence[Numbered]) -> str:
    """`labels 25 to 48 (serials A … B)`: labels by their numbers in the lot, and by their serials."""
    if not labels:
        return "no label"
    if len(labels) == 1:
        return f"label {labels[0].number} (serial {labels[0].serial})"
    shown = labels if len(labels) <= _SERIALS_TOLD else (labels[0], labels[-1])
    between = ", " if len(labels) <= _SERIALS_TOLD else " … "
    return f"{len(labels)} labels, {_numbers(labels)} (serials {between.join(label.serial for label in shown)})"


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


def _record_refusal(journal: Journal, piece: Piece, error: RefusedError) -> None:
    """Record what came out and what did not. What nobody knows of stays recorded as sent."""
    if error.came_out is not None:
        named = [(label, part.name) for part in piece.parts for label in part.labels]
        journal.record_labels(named[: error.came_out], Use.PRINTED)
        journal.record_labels(named[error.came_out + error.doubtful :], Use.REFUSED)


def _stopped(piece: Piece, error: RefusedError, *, before: int) -> PrintStopped:
    """What became of each label; where nothing came out at all, no more than why."""
    out = error.came_out or 0
    after = len(piece.labels) if error.came_out is None else out + error.doubtful
    first = f"label {piece.labels[out].number}" if out < len(piece.labels) else "what is left"
    next_ = first if after == out else "what is left, and asks which came out"
    then = " Then" if error.hint.endswith("?") else "; then"
    hint = f"{error.hint}{then} give the same command again: it goes on with {next_}"
    if not before and not after:
        return PrintStopped(str(error), hint)
    names = [part.name for part in piece.parts]
    at = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    fates = [] if error.came_out is None else [f"of this piece came out: {told(piece.labels[:out])}"]
    fates += [f"nobody knows of {told(piece.labels[out:after])}"] if after > out else []
    fates += [f"not printed: {told(piece.labels[after:])}"] if after < len(piece.labels) else []
    return PrintStopped(
        f"{error}; stopped at {at}: before it, this run printed {before:,} labels; {'; '.join(fates)}",
        hint,
    )


def _doubtful(sent: Sequence[Unconfirmed], where: str) -> UserError:
    labels = [one.label for one in sent]
    return UserError(
        f"an earlier run sent to {where} at {sent[0].at:%H:%M on %-d %b %Y} (UTC) and never heard whether it came out: "
        + told(labels),
        "look at the paper, then say --came-out all, --came-out none, or the serial of the last that came out",
    )


def _seen(sent: Sequence[Unconfirmed], came_out: str) -> int:
    """How many of the labels came out, by what a person says."""
    if came_out in ("all", "none"):
        return len(sent) if came_out == "all" else 0
    serials = [one.label.serial for one in sent]
    if came_out not in serials:
        raise UserError(
            f"no label with serial {came_out!r} was sent without being confirmed",
            f"such are {told([one.label for one in sent])}; or say all, or none",
        )
    return serials.index(came_out) + 1


def _record_seen(journal: Journal, sent: Sequence[Unconfirmed], count: int) -> None:
    journal.record_labels(((one.label, one.part) for one in sent[:count]), Use.PRINTED)
    journal.record_labels(((one.label, one.part) for one in sent[count:]), Use.REFUSED)
