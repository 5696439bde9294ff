"""Issuing over HTTP: `POST /lots`, and the links of what was issued, for whoever shows an issuer's token."""

import logging
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from labels.book import IssuedBatch
from labels.issuing import export, lot_request
from labels.issuing.export import Format
from labels.issuing.issue import issue
from labels.issuing.issuers import load_issuers
from labels.issuing.order import Order, Told
from labels.issuing.refused import NotSealed, Refused
from labels.issuing.request import Repeatable
from labels.keeper import BookKeeper
from ledger import bearer
from ledger.database import connect
from ledger.folder import LedgerFolder

log = logging.getLogger("labels")

LABELS_SHOWN = 1_000  # in the answer itself; of more there is a link
AT_ONCE = 4
SEALED_WITHIN_S = 15.0
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
        """Issue a batch. The body is read only if the token is one, and what is asked in a thread."""
        issuer = await run_in_threadpool(self._issuer, request)
        if issuer is None:
            return _unauthorised()
        try:
            order = lot_request.read_order(await request.body())
            key = lot_request.read_key(request.headers.get("idempotency-key"))
            repeatable = Repeatable(issuer, key, lot_request.digest(order)) if key else None
            return await run_in_threadpool(self._issue, order, repeatable)
        except Refused as error:
            return _refusal(error)

    def batch(self, request: Request, root: str) -> Response:
        """What a batch is."""
        if self._issuer(request) is None:
            return _unauthorised()
        found = self._found(root)
        return JSONResponse(self._summary(found), headers=_JSON) if found else _unknown()

    def labels(self, request: Request, root: str) -> Response:
        """The links of a batch, with their serials: CSV, or as `format` says; sent as they are read."""
        if self._issuer(request) is None:
            return _unauthorised()
        try:
            form = Format(request.query_params.get("format", Format.CSV))
        except ValueError:
            return _refusal(Refused("there is no such format", "write format=csv, json or txt"))
        found = self._found(root)
        if found is None:
            return _unknown()
        return StreamingResponse(self._lines(found, form), media_type=_MEDIA[form], headers=_JSON)

    def _issue(self, order: Order, request: Repeatable | None) -> Response:
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

    def _issuer(self, request: Request) -> str | None:
        """Whose token the request shows: the file is read each time, so that one that is taken out counts no more."""
        shown = request.headers.get("authorization")
        return bearer.holder(shown, load_issuers(self._folder.issuers_file)) if shown else None

    def _found(self, root: str) -> IssuedBatch | None:
        with connect(self._dsn) as connection:
            batches = self._keeper.book(connection).batches
        try:
            return batches.get(bytes.fromhex(root))
        except ValueError:
            return None

    def _summary(self, issued: IssuedBatch) -> dict[str, Any]:
        return export.summary(issued) | {"links": f"/lots/{issued.batch.root.hex()}/labels"}

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


def _unknown() -> Response:
    said = {"error": "no batch of labels with this root is published", "hint": "it may be too new: ask again"}
    return JSONResponse(said, HTTPStatus.NOT_FOUND, _JSON)
