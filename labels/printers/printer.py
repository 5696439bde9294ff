"""A printer, whatever it speaks: labels go to it, and it says when they are out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from labels.printers.address import Address
from labels.printers.brother import Brother
from labels.printers.medium import Medium
from labels.printers.patience import USUAL, Patience
from labels.printers.stopped import StoppedError
from labels.printers.wire import GoneError, Wire
from labels.printers.zebra import Zebra

Tell = Callable[[int], None]
CONNECT_S = 10.0


class Printer(Protocol):
    """What labels are sent to."""

    def require_ready(self) -> None:
        """StoppedError if it says that it cannot print."""

    def print(self, labels: Sequence[bytes], *, tell: Tell = ...) -> None:
        """Print labels in order, and return when all are out; `tell` hears how many are. Raises StoppedError."""


class Unasked:
    """A printer that is asked nothing, as it answers nothing: what it has taken counts as printed."""

    def __init__(self, wire: Wire, *, name: str) -> None:
        self._wire, self._name = wire, name

    def require_ready(self) -> None:
        """It is reached: more is not known."""

    def print(self, labels: Sequence[bytes], *, tell: Tell = lambda out: None) -> None:
        """Send labels in order; StoppedError if it does not take them."""
        for number, label in enumerate(labels):
            try:
                self._wire.send(label)
            except GoneError as error:
                told = f"printer {self._name} stopped: {error}"
                raise StoppedError(told, came_out=0, doubtful=number + 1, hint="mend it") from error
            tell(number + 1)


@contextmanager
def opened(address: Address, medium: Medium, *, asks: bool = True, patience: Patience = USUAL) -> Iterator[Printer]:
    """The printer at an address, with such labels in it; UserError if it cannot be reached.

    `asks` says whether it is asked how it is: some printers, and most Brother QLs on a network, answer nothing.
    """
    with Wire(address, timeout_s=CONNECT_S) as wire:
        if not asks:
            yield Unasked(wire, name=str(address))
        elif medium.roll is not None:
            yield Brother(wire, medium.roll, patience, name=str(address))
        else:
            yield Zebra(wire, patience, name=str(address))
