"""Printing a lot: the labels of its published batches, from the database through drawing processes to an outlet.

Labels come from the database a thousand at a time and leave a piece at a time: a lot of a million takes no more memory
than one of ten thousand.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from labels import gs1
from labels.batch import Batch
from labels.catalogue.catalogue import Catalogue
from labels.catalogue.place import Place
from labels.catalogue.recalled import require_not_recalled
from labels.hidden import keys as hidden_keys
from labels.keeper import BookKeeper
from labels.printing.journal import Journal
from labels.printing.outlet import Numbered, Outlet, Piece
from labels.printing.renderers import Renderer
from labels.printing.run import send_all, settle
from labels.printing.stopped import SAME, Printed
from labels.printing.workers import Drawing
from labels.typed import gtin_of, lot_of, serial_of
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder

Tell = Callable[[Piece, int, int], None]
TellLeftOut = Callable[[Sequence[Numbered]], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of a lot's labels: all that are due, or those with some serials; printed ones too if `again`.

    `came_out` says of labels that were sent and never confirmed what a person saw: `labels.printing.run.settle`.
    """

    again: bool = False
    serials: tuple[str, ...] = ()
    came_out: str | None = None

    @property
    def resume(self) -> str:
        """How a run that stopped is gone on with: what it has printed is not printed once more."""
        if self.serials:
            return f"{SAME} without the serials that came out"
        return f"{SAME} without --again" if self.again else SAME


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot that may be printed: its published batches in the order of issue, and its name in the catalogue, or "".

    `hidden` are the keys of its hidden codes, by the roots of those batches that have some. `recalled` are the serials
    of items that are recalled, by which none of its labels is printed.
    """

    gtin: str
    lot: str
    batches: tuple[Batch, ...]
    name: str = ""
    hidden: Mapping[bytes, bytes] = field(default_factory=dict)
    recalled: frozenset[str] = frozenset()


def printable_lot(
    folder: LedgerFolder, keeper: BookKeeper, dsn: str, *, gtin: str, lot: str, serials: Sequence[str] = ()
) -> Lot:
    """A lot as the registry has it; UserError if nothing of it is published, or it or one of the items is recalled."""
    gtin = gtin_of(gtin)
    lot = lot_of(gtin, lot)
    with connect(dsn) as connection:
        book = keeper.book(connection)
    batches = tuple(issued.batch for issued in book.lots(gtin, lot))
    if not batches:
        raise UserError(
            f"no published batch has labels of GTIN {gtin}, lot {lot}",
            f"issue them: 'tallystick labels issue --gtin {gtin} --lot {lot} --count 24'",
        )
    for serial in serials or (None,):
        require_not_recalled(book.catalogue, gtin, lot, serial)
    named = book.catalogue.described(Place(gtin), Place(gtin, lot=lot))
    name = next((one.said.name for one in reversed(named) if one.said.name), "")
    hidden = hidden_keys.of_batches(folder, batches)
    return Lot(gtin, lot, batches, name, hidden, _recalled_items(book.catalogue, gtin))


def _recalled_items(catalogue: Catalogue, gtin: str) -> frozenset[str]:
    """The serials of a product's items that are recalled one by one."""
    return frozenset(place.serial for place in catalogue.recalled_below(gtin) if place.serial)


def print_lot(
    dsn: str,
    lot: Lot,
    renderer: Renderer,
    outlet: Outlet,
    *,
    keeper: BookKeeper | None = None,
    wanted: Wanted = Wanted(),
    processes: int | None = None,
    tell: Tell = lambda piece, done, of: None,
    tell_left_out: TellLeftOut = lambda labels: None,
) -> int:
    """Print what is wanted of a lot, and return how many labels came out; `tell` hears of each piece, done, and of how
    many, and `tell_left_out` of those that are due and of recalled items. A `keeper` is asked before each piece whether
    it is recalled by now. Raises UserError; PrintStopped then says what came out before it.
    """
    with connect(dsn) as connection:
        journal = Journal(connection, lot.batches, gtin=lot.gtin, lot=lot.lot)
        settle(journal, outlet, came_out=wanted.came_out)
        labels, count, left_out = _labels(journal, wanted, lot)
        if left_out:
            tell_left_out(left_out)
        if not count:
            other = f"{journal.size - len(left_out):,} other" if left_out else f"{journal.size:,}"
            raise UserError(f"all {other} labels of lot {lot.lot} are printed", "to print them once more, say --again")
        journal.begin(outlet.where, anew=wanted.again and not wanted.serials)
        with Drawing(renderer, processes) as drawing:
            pieces: Iterator[Piece] = drawing.pieces(renderer.jobs(labels))
            if keeper is not None:
                pieces = _until_recalled(pieces, connection, keeper, lot)
            begun = Printed(count, resume=wanted.resume)
            return send_all(journal, pieces, outlet, begun, tell=lambda piece, done: tell(piece, done, count))


def _until_recalled(
    pieces: Iterator[Piece], connection: psycopg.Connection, keeper: BookKeeper, lot: Lot
) -> Iterator[Piece]:
    """The same pieces; UserError in the place of one of which something is recalled since the run began."""
    for piece in pieces:
        catalogue = keeper.book(connection).catalogue
        connection.commit()
        require_not_recalled(catalogue, lot.gtin, lot.lot)
        items = _recalled_items(catalogue, lot.gtin)
        for serial in (label.serial for label in piece.labels if items):
            if serial in items:
                require_not_recalled(catalogue, lot.gtin, lot.lot, serial)
        yield piece


def _labels(journal: Journal, wanted: Wanted, lot: Lot) -> tuple[Iterator[Numbered], int, list[Numbered]]:
    """The labels to print, and how many they are; and those that would be among them, were they not recalled.

    What is due is only read as the run goes on.
    """
    if wanted.serials:
        chosen = _chosen(journal, wanted, lot)
        return iter(chosen), len(chosen), []
    found = _found(journal, lot, lot.recalled)
    left_out = [one[0] for one in found if one is not None and (one[1] or wanted.again)]
    count = (journal.size if wanted.again else journal.count_due()) - len(left_out)
    due = (label for label in journal.due() if label.serial not in lot.recalled)
    return due, count, sorted(left_out, key=lambda label: label.number)


def _found(journal: Journal, lot: Lot, serials: Iterable[str]) -> list[tuple[Numbered, bool] | None]:
    """The lot's label with each serial, and whether it is due; some links have the lot as well."""
    links = [(serial_of(lot.gtin, serial), gs1.item(lot.gtin, lot=lot.lot, serial=serial)) for serial in serials]
    return list(journal.chosen([link.canonical_path for link in pair] for pair in links))


def _chosen(journal: Journal, wanted: Wanted, lot: Lot) -> list[Numbered]:
    """The labels with the serials that are wanted."""
    serials = tuple(dict.fromkeys(wanted.serials))  # who names one twice wants it once
    found = _found(journal, lot, serials)
    for serial, one in zip(serials, found, strict=True):
        if one is None:
            raise UserError(f"no label of lot {lot.lot} has serial {serial}", "write it as it stands behind (21)")
        if not (one[1] or wanted.again):
            raise UserError(f"the label with serial {serial} is printed", "to print it once more, say --again")
    return [one[0] for one in found if one is not None]
