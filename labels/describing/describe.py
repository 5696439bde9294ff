"""Describing and recalling: what a person says becomes registry entries of the operator's, all of them or none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import psycopg

from labels.book import Book
from labels.catalogue import pictures
from labels.catalogue.catalogue import Entered
from labels.catalogue.description import Description
from labels.catalogue.picture import FILE_BYTES_MAX, Picture, prepare
from labels.catalogue.place import Place
from labels.catalogue.recall import Lifting, Recall
from labels.describing.written import Change
from labels.keeper import BookKeeper
from ledger import operate
from ledger.database import connect
from ledger.errors import MalformedError, UserError
from ledger.folder import LedgerFolder

Read = TypeVar("Read")


def describe(
    folder: LedgerFolder,
    dsn: str,
    changes: Sequence[Change],
    *,
    pictures_in: Path = Path(),
    organisation: str | None = None,
    timeout_s: float,
) -> list[Entered[Description]]:
    """Say all `changes`, and wait until the registry has published them; raises UserError, and then says none.

    Pictures are files below `pictures_in`. What a change does not name stays as it was said before.
    """
    with connect(dsn) as connection:
        book = BookKeeper(folder).book(connection)
    if organisation is not None:
        _require_registered(book, organisation)
    drawn = _pictures(changes, pictures_in)
    said = [_changed(book, change, organisation, drawn) for change in changes]
    _check(said, changes)

    def keep(connection: psycopg.Connection) -> None:
        for picture in drawn.values():
            pictures.keep(connection, picture)

    operate.post(folder, dsn, [description.entry() for description in said], timeout_s=timeout_s, beside=keep)
    catalogue = _published(folder, dsn).catalogue
    return list(catalogue.described(*(change.place for change in changes)))


def recall(folder: LedgerFolder, dsn: str, place: Place, *, timeout_s: float, **said: str) -> Entered[Recall]:
    """Recall what is at a place; `said` are a recall's reason, since, and perhaps organisation, advice and href."""
    with connect(dsn) as connection:
        book = BookKeeper(folder).book(connection)
    uri = said.pop("organisation", "") or book.operator
    _require_registered(book, uri)
    wanted = _read(lambda: Recall.read(Recall(place, uri, **said).entry()), "this recall")
    operate.post(folder, dsn, [wanted.entry()], timeout_s=timeout_s)
    return _published(folder, dsn).catalogue.recalls[place]


def is_labelled(folder: LedgerFolder, dsn: str, place: Place) -> bool:
    """Whether labels of the product or lot at a place are published; of an item that is not asked."""
    with connect(dsn) as connection:
        book = BookKeeper(folder).book(connection)
    return bool(place.serial) or bool(book.lots(place.gtin, place.lot or None))


def lift(
    folder: LedgerFolder, dsn: str, place: Place, *, reason: str, organisation: str | None = None, timeout_s: float
) -> Entered[Recall]:
    """Lift the recall of a place; returns what is lifted. UserError if nothing at just this place is recalled.

    The organisation is the one that recalled it, unless the product is another's by now.
    """
    with connect(dsn) as connection:
        book = BookKeeper(folder).book(connection)
    standing = book.catalogue.recalls.get(place)
    if standing is None:
        raise UserError(f"{place.words} is not recalled", _hint_recalled(book, place))
    lifting = Lifting(place, organisation or standing.said.organisation, reason)
    wanted = _read(lambda: Lifting.read(lifting.entry()), "this lifting")
    operate.post(folder, dsn, [wanted.entry()], timeout_s=timeout_s)
    return standing


def _hint_recalled(book: Book, place: Place) -> str:
    others = [other.words for other in book.catalogue.recalls if other.gtin == place.gtin][:5]
    return f"recalled are: {'; '.join(others)}" if others else "nothing of this GTIN is"


def _require_registered(book: Book, uri: str) -> None:
    if uri not in book.organisations:
        known = ", ".join(sorted(book.organisations)[:5])
        raise UserError(f"no organisation {uri!r} is registered", f"registered are: {known}")


def _changed(book: Book, change: Change, organisation: str | None, drawn: Mapping[str, Picture]) -> Description:
    """The description that is at the place then. Whose product it is stays, unless that is said."""
    old = next(iter(book.catalogue.described(change.place)), None)
    uri = organisation or (old.said.organisation if old else book.operator)
    base = replace(old.said, organisation=uri) if old else Description(change.place, uri)
    picture = None if change.picture is None else drawn[change.picture].sha256 if change.picture else b""
    return change.on(base, picture)


def _check(said: Sequence[Description], changes: Sequence[Change]) -> None:
    for description, change in zip(said, changes, strict=True):
        where = f"{change.where}: " if change.where else ""
        _read(partial(Description.read, description.entry()), f"{where}{change.place.words}")


def _pictures(changes: Sequence[Change], folder: Path) -> dict[str, Picture]:
    """The pictures by the names that the changes give them, each read once."""
    drawn: dict[str, Picture] = {}
    for change in changes:
        if change.picture and change.picture not in drawn:
            drawn[change.picture] = _picture(folder / change.picture, f"{change.where}: " if change.where else "")
    return drawn


def _picture(file: Path, where: str) -> Picture:
    try:
        with file.open("rb") as open_file:
            data = open_file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UserError.of_system(f"{where}cannot read the picture {file}", error) from error
    try:
        return prepare(data)
    except MalformedError as error:
        raise UserError(f"{where}{file}: {error}", "give a photograph or drawing as PNG, JPEG or WebP") from error


def _published(folder: LedgerFolder, dsn: str) -> Book:
    with connect(dsn) as connection:
        return BookKeeper(folder).book(connection)


def _read(read: Callable[[], Read], what: str) -> Read:
    try:
        return read()
    except MalformedError as error:
        raise UserError(f"{what} cannot be entered: {error}", "what stands in the ledger stays for ever") from error
