"""A print run: labels that are due become pieces, and each piece is recorded as sent, sent, and recorded as printed.

If the run dies before a piece is recorded as sent, nothing of it came out, and it is printed next time. If it dies
after, the piece may have come out: the next run asks the outlet, and if that cannot tell either, a person. So no
serial is printed twice unless a person says so, and none is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from labels.printing.journal import Journal, Unconfirmed
from labels.printing.outlet import Outlet, Piece, RefusedError
from labels.printing.stopped import Printed, refused, stopped, told
from labels.uses import Use
from ledger.errors import UserError

Tell = Callable[[Piece, int], None]


def send_all(
    journal: Journal,
    pieces: Iterable[Piece],
    outlet: Outlet,
    printed: Printed,
    *,
    tell: Tell = lambda piece, done: None,
) -> int:
    """Send pieces in order, and return how many labels came out; `tell` hears it after each. Raises PrintStopped.

    `printed` is how far the run is before them. UserError of a piece that is not given goes through, if nothing has
    come out before it.
    """
    rest = iter(pieces)
    while (piece := _next(rest, printed)) is not None:
        try:
            outlet.prepare(piece)
        except RefusedError as error:
            raise refused(piece, error, printed) from error
        journal.record(piece.parts, Use.SENT)
        try:
            outlet.send(piece)
        except RefusedError as error:
            _record_refusal(journal, piece, error)
            raise refused(piece, error, printed) from error
        journal.record(piece.parts, Use.PRINTED)
        printed = printed.with_(piece.labels)
        tell(piece, printed.count)
    return printed.count


def _next(pieces: Iterator[Piece], printed: Printed) -> Piece | None:
    try:
        return next(pieces, None)
    except UserError as error:
        raise stopped(error, printed) from error


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


def _record_refusal(journal: Journal, piece: Piece, error: RefusedError) -> None:
    """Record what came out and what did not. What nobody knows of stays recorded as sent."""
    if error.came_out is not None:
        named = [(label, part.name) for part in piece.parts for label in part.labels]
        journal.record_labels(named[: error.came_out], Use.PRINTED)
        journal.record_labels(named[error.came_out + error.doubtful :], Use.REFUSED)


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
