"""Issuing: a lot's labels as one batch.

A batch's labels, its key's registry entry and its own go into the database in one transaction: all are there, and will
be published, or none is. Until then nothing is outside this process but files without a name.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import unquote

import psycopg

from labels import gs1
from labels.batch import Batch, Serials
from labels.book import Book, IssuedBatch
from labels.catalogue.place import Place
from labels.catalogue.recalled import require_not_recalled
from labels.clock import today
from labels.hidden import keys as hidden_keys
from labels.hidden import storing as hidden_storing
from labels.hidden.storing import Hiding
from labels.issuing import request as requests
from labels.issuing import storing
from labels.issuing.drawing import Drawn, draw
from labels.issuing.keys import Signer, signer_for
from labels.issuing.order import Order, Own, Source, Told
from labels.issuing.refused import Clashing, NotSealed
from labels.issuing.request import Asked
from labels.issuing.signing import sign
from labels.issuing.spool import Spool
from labels.keeper import BookKeeper
from labels.signature import LabelKey
from labels.tree import Growing
from labels.typed import gtin_of, lot_of
from ledger import cbor, inbox
from ledger.author import Author, Content
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.registry import REGISTRY, Role
from ledger.registry.prefixes import doubt
from ledger.section import ContentFormat, Privacy
from ledger.statement import STREAM_BYTES

_POLL_S = 0.05
_DRAWS_MAX = 3
_PATHS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    """A batch that is signed and in spools, and how its tree is proven."""

    batch: Batch
    signer: Signer
    labels: Spool
    tree: Growing
    hiding: Hiding | None
    warning: str


def issue(
    folder: LedgerFolder,
    dsn: str,
    order: Order,
    *,
    timeout_s: float,
    request: Asked | None = None,
    keeper: BookKeeper | None = None,
    told: Told | None = None,
) -> IssuedBatch:
    """Issue labels of a lot as a batch, and wait until the registry has published it.

    The same lot may be issued again: that is another batch; but not the same `request`. Raises UserError, a Refused if
    it is what was ordered.
    """
    keeper, told = keeper or BookKeeper(folder), told or Told()
    with connect(dsn) as connection, ExitStack() as spools:
        with connection.transaction():
            root, warning = requests.hold(connection, request) if request else None, ""
            if root is None:
                made = _make(connection, folder, keeper.book(connection), order, spools, told)
                _store(connection, folder, keeper, made, told)
                root, warning = made.batch.root, made.warning
                if request:
                    requests.note(connection, request, root)
        connection.commit()
        if warning:
            told.warn(warning)
        issued = await_published(connection, keeper, root, time.monotonic() + timeout_s)
        if doubts := _doubt(keeper.book(connection), issued.batch):
            told.warn(doubts)
        return issued


def _doubt(book: Book, batch: Batch) -> str:
    """What is to be said of whose GTIN it is, also to whoever asks for a batch once more; or ""."""
    return doubt(book.prefixes, book.labels_of(batch.kid) or book.operator, f"GTIN {batch.gtin}")


def _make(
    connection: psycopg.Connection, folder: LedgerFolder, book: Book, order: Order, spools: ExitStack, told: Told
) -> Made:
    """Sign the batch, its serials being new; nobody else issues labels of its product until the transaction ends."""
    gtin = gtin_of(order.gtin)
    lot, day = lot_of(gtin, order.lot), today()
    require_not_recalled(book.catalogue, gtin, lot, refusal=Clashing)
    signer = signer_for(folder, book, gtin, day, organisation=order.organisation, file=order.key_file)
    serials, labels = (spools.enter_context(Spool(folder.path)) for _ in range(2))
    drawn = draw(order.source, serials, gtin=gtin, tell=told.progress)
    _require_none_recalled(book, gtin, serials)
    storing.hold(connection, gtin)
    _settle_serials(connection, order.source, serials, gtin, told)
    product = gs1.item(gtin, lot=lot if order.lot_in_link else None).canonical_path
    tree = sign(signer.key, day, serials, labels, product=product, tell=told.progress)
    hiding = hidden_storing.hide(hidden_keys.new_key(), _paths(labels)) if order.hidden else None
    return Made(_batch(gtin, lot, day, signer, tree, drawn, hiding), signer, labels, tree, hiding, drawn.warning)


def _batch(gtin: str, lot: str, day: int, signer: Signer, tree: Growing, drawn: Drawn, hiding: Hiding | None) -> Batch:
    hidden = hiding.tree.root() if hiding else None
    return Batch(gtin, lot, tree.size, tree.root(), signer.key.kid, day, Serials(drawn.serials), hidden)


def _paths(labels: Spool) -> Iterator[list[str]]:
    """The canonical paths of a batch's labels, in order."""
    for lines in labels.runs(_PATHS_AT_ONCE):
        yield [line.partition("\t")[0] for line in lines]


def _require_none_recalled(book: Book, gtin: str, serials: Spool) -> None:
    """An item may be recalled before a label of ours is on it."""
    if place := _recalled_among(book, gtin, (line.partition("\t")[2] for line in serials)):
        require_not_recalled(book.catalogue, gtin, None, place.serial, refusal=Clashing)


def _recalled_among(book: Book, gtin: str, serials: Iterable[str]) -> Place | None:
    """An item that is recalled and has one of these serials, as they stand in paths."""
    items = [place for place in book.catalogue.recalls if place.gtin == gtin and place.serial]
    recalled = {place.link.canonical_path.rpartition("/")[2]: place for place in items}
    return next((recalled[serial] for serial in serials if serial in recalled), None) if recalled else None


def _settle_serials(connection: psycopg.Connection, source: Source, serials: Spool, gtin: str, told: Told) -> None:
    """See that no serial is this product's already: random ones are drawn again, others refused."""
    for _ in range(_DRAWS_MAX):
        clash = storing.find_clash(connection, gtin, serials, tell=told.progress)
        if clash is None:
            return
        if isinstance(source, Own):
            raise _taken(clash, source.noun)
        serials.clear()
        draw(source, serials, gtin=gtin)
    raise RuntimeError("the source of randomness repeats itself")


def _taken(clash: storing.Clash, noun: str) -> Clashing:
    why = "was issued before" if clash.earlier_line is None else f"is that of {noun} {clash.earlier_line}"
    told = f"{noun} {clash.line}: serial {unquote(clash.serial)!r} {why}"
    return Clashing(told, "a serial is a product's once, in whatever lot; nothing was issued")


def _store(connection: psycopg.Connection, folder: LedgerFolder, keeper: BookKeeper, made: Made, told: Told) -> None:
    """Store the labels, and post what says so: the operator's entry of the key first, if it is this batch's alone."""
    batch, signer, book = made.batch, made.signer, keeper.book(connection)
    storing.store(connection, batch, made.labels, subtrees=made.tree.subtrees, tell=told.progress)
    if made.hiding:
        hidden_keys.save(folder, batch, made.hiding.key)  # of no use and of no harm, if this transaction fails
        hidden_storing.store(connection, batch.root, made.hiding, _paths(made.labels))
    inbox.hold(connection, book.key_named(Role.OPERATOR).kid)
    _require_not_recalled_since(keeper.coming(connection), made)
    if not signer.is_registered:
        days = batch.day, batch.day
        line = LabelKey(signer.key.public, signer.organisation, (batch.gtin,), *days, lot=batch.lot, batch=batch.root)
        _post(connection, _author(folder, book, Role.OPERATOR), line.entry())
    _post(connection, _author(folder, book, Role.LABELS), batch.entry())


def _require_not_recalled_since(coming: Book, made: Made) -> None:
    """A recall may have been said while the labels were made. The next one waits: the operator's inbox is held."""
    batch = made.batch
    recalled = coming.recalled(batch.gtin, batch.lot)
    serials = (path.rpartition("/")[2] for paths in _paths(made.labels) for path in paths)
    place = recalled.said.place if recalled else _recalled_among(coming, batch.gtin, serials)
    if place is not None:
        told = f"{place.words} was recalled while its labels were made: {coming.catalogue.recalls[place].said.reason}"
        raise Clashing(told, "nothing was issued; 'tallystick labels recall --lift' takes a recall back")


def _author(folder: LedgerFolder, book: Book, role: Role) -> Author:
    key = book.key_named(role)
    return folder.author(role, issuer=key.issuer, subject=key.subject)


def _post(connection: psycopg.Connection, author: Author, entry: dict[str, object]) -> None:
    content = Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(entry))
    now, new_stream = int(time.time()), os.urandom(STREAM_BYTES)
    inbox.post(connection, author, chain=REGISTRY, contents=[content], now=now, new_stream=new_stream)


def await_published(connection: psycopg.Connection, keeper: BookKeeper, root: bytes, deadline: float) -> IssuedBatch:
    """The batch once the registry has it, and a key for it; raises NotSealed after the deadline (monotonic)."""
    while True:
        book = keeper.book(connection)
        found = book.batches.get(root)
        connection.commit()
        if found is not None and found.batch.kid in book.key_entries:
            return found
        if time.monotonic() > deadline:
            row = connection.execute("select count(*) from label where batch_root = %s", [root]).fetchone()
            raise NotSealed(root, row[0] if row else 0)
        time.sleep(_POLL_S)
