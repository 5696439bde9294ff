"""A Brother QL printer: asked what is in it, then sent one label after the other, each when it confirms the last."""

import time
from collections.abc import Callable, Sequence

from labels.printers import brother_ql, brother_status
from labels.printers.brother_ql import Roll
from labels.printers.brother_status import BYTES, BrotherStatus, Kind
from labels.printers.patience import USUAL, Patience
from labels.printers.stopped import StoppedError
from labels.printers.wire import GoneError, Wire
from ledger.errors import MalformedError

_ENDS = (Kind.ERROR, Kind.SWITCHED_OFF, Kind.EXITED)


class _Failed(Exception):
    """The printer cannot print; says why."""


class Brother:
    """A printer at the other end of an open line."""

    def __init__(self, wire: Wire, roll: Roll | None, patience: Patience = USUAL, *, name: str = "the printer") -> None:
        """`roll` is what must be in it for labels to be printed; one that is only asked needs none."""
        self._wire, self._roll, self._patience, self._name = wire, roll, patience, name
        self._come = b""

    def status(self) -> BrotherStatus:
        """What it says of itself; StoppedError if that is nothing."""
        try:
            self._wire.drain()
            self._wire.send(brother_ql.reset() + brother_status.ASK)
            return self._next(self._patience.answer_s)
        except (GoneError, _Failed) as error:
            raise self._stopped(str(error), came_out=0, doubtful=0) from error

    def print(self, labels: Sequence[bytes], *, tell: Callable[[int], None] = lambda out: None) -> None:
        """Print labels, a job each, and return when all are out; StoppedError if they do not come out."""
        self.require_ready()
        for number, label in enumerate(labels):
            try:
                self._wire.send(label)
                self._await_printed()
            except (GoneError, _Failed) as error:
                raise self._stopped(str(error), came_out=number, doubtful=1) from error
            tell(number + 1)

    def require_ready(self) -> None:
        """StoppedError if it cannot print, or other labels are in it."""
        status = self.status()
        if status.faults:
            raise self._stopped(" and ".join(status.faults), came_out=0, doubtful=0)
        if self._roll and not self._roll.is_in(status):
            why = f"{status.loaded} is in it, and the labels are for roll {self._roll.name}"
            raise self._stopped(why, came_out=0, doubtful=0)

    def _await_printed(self) -> None:
        end = time.monotonic() + self._patience.label_s
        while (status := self._next(self._patience.stall_s)).kind is not Kind.PRINTED:
            if time.monotonic() > end:
                raise _Failed(f"the label has not come out for {self._patience.label_s:g} s")
            if status.faults or status.kind in _ENDS:
                raise _Failed(" and ".join(status.faults) or "it has been switched off")

    def _next(self, within_s: float) -> BrotherStatus:
        deadline = time.monotonic() + within_s
        while len(self._come) < BYTES:
            more = self._wire.receive(deadline - time.monotonic())
            if not more and time.monotonic() > deadline:
                raise _Failed(f"it has said nothing for {within_s:g} s")
            self._come += more
        answer, self._come = self._come[:BYTES], self._come[BYTES:]
        try:
            return BrotherStatus.parse(answer)
        except MalformedError as error:
            raise _Failed(f"what it answers is no printer's status: {error}") from error

    def _stopped(self, why: str, *, came_out: int, doubtful: int) -> StoppedError:
        told = f"printer {self._name} {'stopped' if doubtful else 'cannot print'}: {why}"
        return StoppedError(told, came_out=came_out, doubtful=doubtful, hint="mend it")
