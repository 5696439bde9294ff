"""How a printer is, for people: what it says of itself in plain words."""

from dataclasses import asdict, dataclass
from typing import Any

from labels.printers.address import Address
from labels.printers.brother import Brother
from labels.printers.brother_status import BrotherStatus
from labels.printers.printer import CONNECT_S
from labels.printers.wire import Wire
from labels.printers.zebra import Zebra
from labels.printers.zebra_status import ZebraStatus


@dataclass(frozen=True, slots=True)
class State:
    """What a printer says. `waiting` labels are still to come out; `loaded` is what is in it, if it knows that."""

    address: str
    ready: bool
    faults: tuple[str, ...]
    waiting: int = 0
    loaded: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The same for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def told(self) -> str:
        """The same in a line."""
        state = "ready" if self.ready else f"cannot print: {' and '.join(self.faults)}"
        waiting = f", {self.waiting} {'label waits' if self.waiting == 1 else 'labels wait'}" if self.waiting else ""
        return f"{self.address}: {state}{waiting}{f', {self.loaded} in it' if self.loaded else ''}"


def ask(address: Address, language: str) -> State:
    """Ask the printer at an address; UserError if it cannot be reached, or answers nothing that means anything."""
    with Wire(address, timeout_s=CONNECT_S) as wire:
        if language == "ql":
            return of_brother(str(address), Brother(wire, None, name=str(address)).status())
        return of_zebra(str(address), Zebra(wire, name=str(address)).status())


def of_zebra(address: str, status: ZebraStatus) -> State:
    """What a printer for ZPL says."""
    return State(address, not status.faults, status.faults, status.formats + status.remaining)


def of_brother(address: str, status: BrotherStatus) -> State:
    """What a Brother QL says."""
    return State(address, not status.faults, status.faults, loaded=status.loaded)
