"""What a label is on, by its verdict: its lot, the places that describe it, and the recalls of it. Pure."""

from collections.abc import Iterator

from labels import gs1
from labels.book import Book
from labels.catalogue.catalogue import Entered
from labels.catalogue.place import Place, chain
from labels.catalogue.recall import Recall
from labels.judgement import LabelVerdict, Standing
from labels.signature import LabelFault


def lot_of_label(link: gs1.DigitalLink, label: LabelVerdict) -> str | None:
    """The lot that a label is of: its batch's, its link's, or that of the only batch that its key may sign."""
    if label.batch is not None:
        return label.batch.batch.lot
    has_signed = label.is_signed or label.fault == LabelFault.REVOKED
    return link.lot or (label.key.lot if has_signed and label.key is not None else None)


def places_of(link: gs1.DigitalLink, label: LabelVerdict) -> tuple[Place, ...]:
    """The places by which a link's product, lot and item are described, the highest first."""
    if label.standing is Standing.PROBLEM or link.gtin is None:
        return ()
    is_of_item = label.is_signed and not label.is_of_its_lot_alone
    return chain(link.gtin, lot=lot_of_label(link, label), serial=link.serial if is_of_item else None)


def recalls_of(link: gs1.DigitalLink, label: LabelVerdict, book: Book) -> Iterator[tuple[Entered[Recall], bool]]:
    """Each recall that stands of what a link names, and whether that is not certain; the widest first."""
    certain = chain(link.gtin or "", lot=lot_of_label(link, label), serial=link.serial)
    possible = dict.fromkeys(Place(issued.batch.gtin, lot=issued.batch.lot) for issued in label.uncounted)
    is_sure = all(place in book.catalogue.recalls for place in possible)
    for place in dict.fromkeys((*certain, *possible)):
        if (entered := book.catalogue.recalls.get(place)) is not None:
            yield entered, place not in certain and not is_sure
