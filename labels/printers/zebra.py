"""A printer that speaks ZPL: asked before a job whether it can print, and after it what has come out.

Some labels are sent, and ~HS is asked until the printer has nothing left; then the next. It reads that behind the
labels, so its answer counts all of them; and it is believed when it has said the same twice. If it stops half-way, ~JA
makes it forget the rest, so that nothing comes out later that was told as not printed; what it was at, nobody can tell.
"""

import time
from collections.abc import Callable, Sequence

from labels.printers import zebra_status
from labels.printers.patience import USUAL, Patience
from labels.printers.stopped import StoppedError
from labels.printers.wire import GoneError, Wire
from labels.printers.zebra_status import ZebraStatus
from ledger.errors import MalformedError

_CANCEL = b"~JA"
_AT_ONCE = 24  # labels in the printer: enough not to make it pause, and few enough to tell of
_SURE, _STUCK = 2, 4  # answers in a row that say the same, until it is believed, and until it is given up
_MEND = "mend it"
_IS_IT_ONE = "look at it: is it a printer for ZPL? A Brother QL needs --language ql"
_CLEAR = "switch it off and on before anything else: what it still has in its memory would come out later"
_SILENT = "it does not say how it is, as a Zebra does that is open, or out of labels or ribbon"


class _Unanswered(Exception):
    """The printer says nothing, or nothing that means anything; says which."""


class Zebra:
    """A printer at the other end of an open line."""

    def __init__(self, wire: Wire, patience: Patience = USUAL, *, name: str = "the printer") -> None:
        self._wire, self._patience, self._name = wire, patience, name

    def status(self) -> ZebraStatus:
        """What it says of itself; StoppedError if that is nothing."""
        try:
            return self._ask()
        except (GoneError, _Unanswered) as error:
            raise self._nothing_sent(str(error), _IS_IT_ONE) from error

    def print(self, labels: Sequence[bytes], *, tell: Callable[[int], None] = lambda out: None) -> None:
        """Print labels, a format each, and return when all are out; `tell` hears how many are. Raises StoppedError."""
        self.require_ready()
        for start in range(0, len(labels), _AT_ONCE):
            self._print(labels[start : start + _AT_ONCE], start, tell)

    def _print(self, labels: Sequence[bytes], before: int, tell: Callable[[int], None]) -> None:
        """Print a few labels, behind so many that are out."""
        watch = _Watch(len(labels), self._patience)
        try:
            for label in labels:
                self._wire.send(label)
            self._follow(watch, lambda out: tell(before + out))
        except (GoneError, _Unanswered, _Stuck) as error:
            raise self._stopped(watch, before, error) from error

    def require_ready(self) -> None:
        """Wait until it has printed what others sent; StoppedError if it cannot print."""
        deadline = time.monotonic() + self._patience.stall_s
        while True:
            status = self.status()
            if status.faults:
                raise self._nothing_sent(" and ".join(status.faults))
            if status.idle:
                return
            if time.monotonic() > deadline:
                raise self._nothing_sent("it does not finish what it was sent before")
            time.sleep(self._patience.poll_s)

    def _follow(self, watch: "_Watch", tell: Callable[[int], None]) -> None:
        while not watch.is_done:
            time.sleep(self._patience.poll_s)
            watch.take(self._ask(), time.monotonic())
            tell(watch.came_out)

    def _ask(self) -> ZebraStatus:
        self._wire.drain()
        self._wire.send(zebra_status.ASK)
        answer, deadline = b"", time.monotonic() + self._patience.answer_s
        while not zebra_status.is_whole(answer):
            answer += self._wire.receive(deadline - time.monotonic())
            if time.monotonic() > deadline and not zebra_status.is_whole(answer):
                raise _Unanswered("half of its answer is lacking" if answer else _SILENT)
        try:
            return ZebraStatus.parse(answer)
        except MalformedError as error:
            raise _Unanswered(f"what it answers is no printer's status: {error}") from error

    def _stopped(self, watch: "_Watch", before: int, error: Exception) -> StoppedError:
        """What became of each label. The rest is called back; if that is not confirmed, it may come out yet."""
        cleared = not isinstance(error, GoneError) and self._cancel()
        last = watch.at_most if cleared else watch.count
        return StoppedError(
            f"printer {self._name} stopped: {error}",
            came_out=before + watch.came_out,
            doubtful=last - watch.came_out,
            hint=_MEND if cleared else _CLEAR,
        )

    def _cancel(self) -> bool:
        """Whether it has forgotten all that it had not printed."""
        deadline = time.monotonic() + self._patience.answer_s
        try:
            self._wire.send(_CANCEL)
            while not self._ask().idle:
                if time.monotonic() > deadline:
                    return False
                time.sleep(self._patience.poll_s)
        except (GoneError, _Unanswered):
            return False
        return True

    def _nothing_sent(self, why: str, hint: str = _MEND) -> StoppedError:
        return StoppedError(f"printer {self._name} cannot print: {why}", came_out=0, doubtful=0, hint=hint)


class _Stuck(Exception):
    """The printer cannot go on, or does not; says why."""


class _Watch:
    """What is known of `count` labels that were sent, by what the printer says.

    A format in its buffer is a label that is not out. Whether the label under its head counts among those, makers do
    not say: so it is in doubt.
    """

    def __init__(self, count: int, patience: Patience) -> None:
        self.count, self.came_out, self.at_most = count, 0, count
        self._stall_s, self._label_s = patience.stall_s, patience.label_s
        self._moved_at = self._printed_at = time.monotonic()
        self._last: ZebraStatus | None = None
        self._same = 0

    @property
    def is_done(self) -> bool:
        """Whether all are out."""
        return self.came_out == self.count

    def take(self, status: ZebraStatus, now_s: float) -> None:
        """Take an answer; _Stuck if it cannot go on, or has not for too long."""
        if status != self._last:
            self._last, self._same, self._moved_at = status, 0, now_s
        self._same += 1
        if now_s - self._printed_at > self._label_s:
            raise _Stuck(f"no label has come out for {self._label_s:g} s")
        if self._same < _SURE:
            return
        inside = 0 if status.idle and not status.faults else status.formats + status.remaining + 1
        if self.count - inside > self.came_out:
            self.came_out, self._printed_at = self.count - inside, now_s
        self.at_most = min(self.count, self.count - status.formats + (0 if status.remaining else 1))
        if status.faults and not self.is_done and self._same >= _STUCK:
            raise _Stuck(" and ".join(status.faults))
        if now_s - self._moved_at > self._stall_s:
            raise _Stuck(f"nothing has moved for {self._stall_s:g} s")
