"""A label printer as the outlet of a print run: it is asked before each piece, and says of each label if it is out."""

from labels.printers.address import Address
from labels.printers.medium import Medium
from labels.printers.printer import opened
from labels.printers.stopped import StoppedError
from labels.printing.outlet import Outlet, Piece, RefusedError
from ledger.errors import UserError


class PrinterOutlet(Outlet):
    """The printer at an address, with such labels in it; `asks` says whether it is asked how it is.

    A line is opened for each piece: a printer may be switched off and on between two.
    """

    def __init__(self, address: Address, medium: Medium, *, asks: bool = True) -> None:
        self._address, self._medium, self._asks = address, medium, asks

    @property
    def where(self) -> str:
        return str(self._address)

    def prepare(self, piece: Piece) -> None:
        try:
            with opened(self._address, self._medium, asks=self._asks) as printer:
                printer.require_ready()
        except UserError as error:
            raise RefusedError(str(error), came_out=0, hint=error.hint) from error

    def send(self, piece: Piece) -> None:
        try:
            with opened(self._address, self._medium, asks=self._asks) as printer:
                printer.print([part.data for part in piece.parts])
        except StoppedError as error:
            raise RefusedError(str(error), came_out=error.came_out, doubtful=error.doubtful, hint=error.hint) from error
        except UserError as error:  # it cannot be reached
            raise RefusedError(str(error), came_out=0, hint=error.hint) from error
