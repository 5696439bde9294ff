"""Issuing over HTTP: `POST /lots`, and the links of what was issued, for whoever shows an issuer's token."""

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
from starlette.requests import ClientDisconnect

from labels.book import IssuedBatch
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
        app.add_api_route("/lots/{root}", self.batch, methods=["GET", "HEAD"])
        app.add_api_route("/lots/{root}/labels", self.labels, methods=["GET"])

    async def post(self, request: Request) -> Response:
        """Issue a batch. The body is read only if the token is one."""
        known = await run_in_threadpool(self._answer, request, lambda issuer: issuer)
        if isinstance(known, Response):
            return known
        try:
            body = await request.body()
        except ClientDisconnect:
            return _refusal(Refused("the request did not come whole", "send it again"))
        return await run_in_threadpool(self._answer, request, lambda issuer: self._posted(issuer, request, body))

    def batch(self, request: Request, root: str) -> Response:
        """What a batch is."""
        return self._answer(request, lambda issuer: self._batch(issuer, root))

    def labels(self, request: Request, root: str) -> Response:
        """The links of a batch, with their serials: CSV, or as `format` says; sent as they are read."""
        return self._answer(request, lambda issuer: self._labels(issuer, request, root))

    def _answer(self, request: Request, work: Callable[[Issuer], _Answer]) -> _Answer | Response:
        """What `work` gives, for the issuer whose token the request shows; or why there is nothing, in JSON."""
        try:
            issuer = self._issuer(request)
            return work(issuer) if issuer else _unauthorised()
        except Refused as error:
            return _refusal(error)
        except (UserError, psycopg.Error) as error:
            return _away(error)

    def _posted(self, issuer: Issuer, request: Request, body: bytes) -> Response:
        order = lot_request.read_order(body)
        keys = request.headers.getlist("idempotency-key")
        key = lot_request.read_key(", ".join(keys) if keys else None)  # which is what several are (RFC 9110, 5.3)
        asked = requests.Asked(issuer.name, key, lot_request.digest(order))
        return self._issue(issuer.ordered(order), asked)

    def _batch(self, issuer: Issuer, root: str) -> Response:
        return JSONResponse(self._summary(self._found(issuer, root)), headers=_JSON)

    def _labels(self, issuer: Issuer, request: Request, root: str) -> Response:
        try:
            form = Format(request.query_params.get("format", Format.CSV))
        except ValueError as error:
            raise Refused("there is no such format", "write format=csv, json or txt") from error
        lines = self._lines(self._found(issuer, root), form)
        begun = chain([next(lines)], lines)  # what is wrong is known before the answer begins
        return StreamingResponse(begun, media_type=_MEDIA[form], headers=_JSON)

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
        finally:
            self._room.release()
        where = f"/lots/{issued.batch.root.hex()}"
        said = self._summary(issued) | ({"warning": warnings[0]} if warnings else {})
        if issued.batch.size <= LABELS_SHOWN:
            with connect(self._dsn) as connection:
                said["labels"] = list(
                    map(str.rstrip, export.lines(connection, [issued], Format.LINKS, host=self._host))
                )
        return JSONResponse(said, HTTPStatus.CREATED, _JSON | {"location": where})

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

    def _summary(self, issued: IssuedBatch) -> dict[str, Any]:
        """What a batch is, where its links are, and why its lot is recalled, if it is by now."""
        batch = issued.batch
        with connect(self._dsn) as connection:
            recall = self._keeper.book(connection).recalled(batch.gtin, batch.lot)
        said = {"links": f"/lots/{batch.root.hex()}/labels", "recalled": recall.said.reason if recall else None}
        return export.summary(issued) | said

    def _lines(self, issued: IssuedBatch, form: Format) -> Iterator[str]:
        with connect(self._dsn) as connection:
            yield from export.lines(connection, [issued], form, host=self._host)


def _refusal(error: Refused) -> Response:
    """Why nothing was issued; or that it is, but not published yet."""
    said: dict[str, Any] = {"error": str(error), "hint": error.hint}
    if isinstance(error, NotSealed):
        where = f"/lots/{error.root.hex()}"
        said |= {"registry_entry": None, "root": error.root.hex(), "links": f"{where}/labels"}
        return JSONResponse(said, error.status, _JSON | {"location": where})
    return JSONResponse(said, error.status, _JSON)


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
