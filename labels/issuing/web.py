"""Issuing over HTTP: `POST /lots`, and what was issued with its links, for whoever shows an issuer's token."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any, TypeVar

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from labels.book import Book, IssuedBatch
from labels.issuing import export, lot_request
from labels.issuing import request as requests
from labels.issuing.export import Format
from labels.issuing.issue import issue
from labels.issuing.issuers import Issuer, load_issuers
from labels.issuing.order import Order, Told
from labels.issuing.refused import NotSealed, Refused, Unknown
from labels.keeper import BookKeeper
from ledger import bearer
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder

log = logging.getLogger("labels")

LABELS_SHOWN = 1_000  # in the answer itself; of more there is a link
AT_ONCE = 4
SEALED_WITHIN_S = 15.0
_READ = ["GET", "HEAD"]
_ROOT = re.compile("[0-9a-fA-F]{64}")
_Answer = TypeVar("_Answer")
_JSON = {"cache-control": "no-store"}
_MEDIA = {Format.CSV: "text/csv; charset=utf-8", Format.JSON: "application/json", Format.LINKS: "text/plain"}


class Lots:
    """The endpoints below /lots. Every request shows a token of the ledger folder's issuers file."""

    def __init__(self, folder: LedgerFolder, dsn: str, keeper: BookKeeper, *, host: str) -> None:
        self._folder, self._dsn, self._keeper, self._host = folder, dsn, keeper, host
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def add_to(self, app: FastAPI) -> None:
        """Add the endpoints to an application."""
        app.add_api_route("/lots", self.post, methods=["POST"])
        app.add_api_route("/lots", self.lots, methods=_READ)
        app.add_api_route("/lots/{root}", self.batch, methods=_READ)
        app.add_api_route("/lots/{root}/labels", self.labels, methods=_READ)
        app.add_api_route("/lots/{path:path}", self.nothing, methods=_READ)

    async def post(self, request: Request) -> Response:
        """Issue a batch. The body is read only if the token is one."""
        issuer = await run_in_threadpool(self._known, request)
        if isinstance(issuer, Response):
            return issuer
        body = await request.body()
        return await run_in_threadpool(_answered, lambda: self._posted(issuer, request, body))

    def lots(self, request: Request) -> Response:
        """The batches that the token reads, in the order of issue: all, or those of a `gtin`, or of a `lot` of it."""
        return self._answer(request, lambda issuer: self._lots(issuer, request))

    def batch(self, request: Request, root: str) -> Response:
        """What a batch is."""
        return self._answer(request, lambda issuer: self._batch(issuer, root))

    def labels(self, request: Request, root: str) -> Response:
        """The links of a batch, with their serials: CSV, or as `format` says; sent as they are read."""
        return self._answer(request, lambda issuer: self._labels(issuer, request, root))

    def nothing(self, request: Request) -> Response:
        """There is no more below /lots."""
        return self._answer(request, _nothing)

    def _answer(self, request: Request, work: Callable[[Issuer], Response]) -> Response:
        """What `work` gives, for the issuer whose token the request shows; or why there is nothing, in JSON."""
        issuer = self._known(request)
        return issuer if isinstance(issuer, Response) else _answered(lambda: work(issuer))

    def _known(self, request: Request) -> Issuer | Response:
        """Whose token the request shows, or the answer to one that shows none."""
        return _answered(lambda: self._issuer(request) or _unauthorised())

    def _posted(self, issuer: Issuer, request: Request, body: bytes) -> Response:
        order = lot_request.read_order(body)
        keys = request.headers.getlist("idempotency-key")
        key = lot_request.read_key(", ".join(keys) if keys else None)  # which is what several are (RFC 9110, 5.3)
        asked = requests.Asked(issuer.name, key, lot_request.digest(order))
        return self._issue(issuer.ordered(order), asked)

    def _lots(self, issuer: Issuer, request: Request) -> Response:
        gtin, lot = lot_request.read_wanted(request.query_params.get("gtin"), request.query_params.get("lot"))
        with connect(self._dsn) as connection:
            book, by = self._keeper.book(connection), requests.issuers(connection)
        batches = book.lots(gtin, lot) if gtin else book.batches.values()
        found = [one for one in batches if issuer.may_read(one, book, by.get(one.batch.root))]
        return JSONResponse({"lots": [_summary(book, one) for one in found]}, headers=_JSON)

    def _batch(self, issuer: Issuer, root: str) -> Response:
        return JSONResponse(_summary(self._book(), self._found(issuer, root)), headers=_JSON)

    def _labels(self, issuer: Issuer, request: Request, root: str) -> Response:
        try:
            form = Format(request.query_params.get("format", Format.CSV))
        except ValueError as error:
            raise Refused("there is no such format", "write format=csv, json or txt") from error
        lines = self._lines(self._found(issuer, root), form)
        first = next(lines)  # what is wrong is known before the answer begins
        body = iter(()) if request.method == "HEAD" else chain([first], lines)
        return StreamingResponse(body, media_type=_MEDIA[form], headers=_JSON)

    def _issue(self, order: Order, request: requests.Asked) -> Response:
        if not self._room.acquire(blocking=False):
            told = {"error": "other batches are being issued just now", "hint": "ask again in some seconds"}
            return JSONResponse(told, HTTPStatus.SERVICE_UNAVAILABLE, _JSON | {"retry-after": "5"})
        warnings: list[str] = []
        try:
            issued = issue(
                self._folder,
                self._dsn,
                order,
                request=request,
                keeper=self._keeper,
                told=Told(warn=warnings.append),
                timeout_s=SEALED_WITHIN_S,
            )
        except NotSealed as error:
            return self._accepted(order, error)
        finally:
            self._room.release()
        where = f"/lots/{issued.batch.root.hex()}"
        said = _summary(self._book(), issued) | ({"warning": "; ".join(warnings)} if warnings else {})
        if issued.batch.size <= LABELS_SHOWN:
            with connect(self._dsn) as connection:
                said["labels"] = list(
                    map(str.rstrip, export.lines(connection, [issued], Format.LINKS, host=self._host))
                )
        return JSONResponse(said, HTTPStatus.CREATED, _JSON | {"location": where})

    def _accepted(self, order: Order, error: NotSealed) -> Response:
        """The batch is issued, and not published yet."""
        root = error.root.hex()
        said = {"root": root, "registry_entry": None, **_more(self._book(), error.root, order.gtin, order.lot)}
        return JSONResponse(_said(error) | said, error.status, _JSON | {"location": f"/lots/{root}"})

    def _issuer(self, request: Request) -> Issuer | None:
        """Whose token the request shows: the file is read each time, so that one that is taken out counts no more."""
        shown = request.headers.get("authorization")
        return bearer.holder(shown, load_issuers(self._folder.issuers_file)) if shown else None

    def _found(self, issuer: Issuer, root: str) -> IssuedBatch:
        """The batch with this root, if the issuer may read it: of another's nobody learns that it is there."""
        digest = bytes.fromhex(root) if _ROOT.fullmatch(root) else b""
        with connect(self._dsn) as connection:
            book = self._keeper.book(connection)
            found, by = book.batches.get(digest), requests.issuer_of(connection, digest)
        if found is None or not issuer.may_read(found, book, by):
            raise Unknown("no batch of this token with this root is published", "it may be too new: ask again")
        return found

    def _book(self) -> Book:
        with connect(self._dsn) as connection:
            return self._keeper.book(connection)

    def _lines(self, issued: IssuedBatch, form: Format) -> Iterator[str]:
        with connect(self._dsn) as connection:
            yield from export.lines(connection, [issued], form, host=self._host)


def _summary(book: Book, issued: IssuedBatch) -> dict[str, Any]:
    """What a batch is, and `_more`."""
    batch = issued.batch
    return export.summary(issued) | _more(book, batch.root, batch.gtin, batch.lot)


def _more(book: Book, root: bytes, gtin: str, lot: str) -> dict[str, Any]:
    """Where a batch's links are, and why its lot is recalled, if it is by now."""
    recall = book.recalled(gtin, lot)
    return {"links": f"/lots/{root.hex()}/labels", "recalled": recall.said.reason if recall else None}


def _answered(work: Callable[[], _Answer]) -> _Answer | Response:
    """What `work` gives, or why there is nothing, in JSON."""
    try:
        return work()
    except Refused as error:
        return _refusal(error)
    except (UserError, psycopg.Error) as error:
        return _away(error)


def _nothing(_: Issuer) -> Response:
    raise Unknown("there is nothing at this address", "there are /lots, /lots/ROOT and /lots/ROOT/labels")


def _said(error: Refused) -> dict[str, Any]:
    return {"error": str(error), "hint": error.hint}


def _refusal(error: Refused) -> Response:
    return JSONResponse(_said(error), error.status, _JSON)


def _unauthorised() -> Response:
    said = {
        "error": "no token of an issuer was shown",
        "hint": "send 'Authorization: Bearer …' with one of issuers.json",
    }
    return JSONResponse(said, HTTPStatus.UNAUTHORIZED, _JSON | {"www-authenticate": "Bearer", "connection": "close"})


def _away(error: Exception) -> Response:
    """What is wrong here is for the log: a stranger may be asking."""
    log.warning("%s", str(error).strip() or repr(error))
    said = {
        "error": "labels are neither issued nor shown just now",
        "hint": "ask again in some seconds; what is wrong stands in the label service's log",
    }
    return JSONResponse(said, HTTPStatus.SERVICE_UNAVAILABLE, _JSON | {"retry-after": "5"})
