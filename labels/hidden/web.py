"""Redeeming over HTTP: `POST /redeem`, by a form or by JSON. To ask for a page redeems nothing."""

import math
import threading
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from labels.hidden import asked, code
from labels.hidden.answer import Answer, Result
from labels.hidden.asked import Asked
from labels.hidden.form import Form
from labels.hidden.redeem import Redeemer
from labels.templating import environment
from ledger import b64
from ledger.errors import MalformedError

AT_ONCE = 4
PATH = "/redeem"
_HEADERS = {"cache-control": "no-store"}


class Redemptions:
    """The endpoint."""

    def __init__(self, redeemer: Redeemer) -> None:
        self._redeemer, self._room = redeemer, threading.BoundedSemaphore(AT_ONCE)
        self._templates = environment()
        self._templates.globals.update(groups=code.groups)

    def add_to(self, app: FastAPI) -> None:
        """Add the endpoint to an application, which bounds the body."""
        app.add_api_route(PATH, self.post, methods=["POST"])

    async def post(self, request: Request) -> Response:
        """Redeem a code."""
        is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        body = await request.body()
        try:
            wanted = asked.read_json(body) if is_json else asked.read_form(body)
        except MalformedError as error:
            return self._refused(str(error), is_json=is_json)
        return await run_in_threadpool(self._redeem, wanted, is_json)

    def _redeem(self, wanted: Asked, is_json: bool) -> Response:
        if not self._room.acquire(blocking=False):
            status, wait = HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": "2"}
            return self._said("Not just now", "Too many ask at once. Try again.", status, is_json=is_json, headers=wait)
        try:
            answer = self._redeemer.redeem(wanted)
            genesis = self._redeemer.genesis() if is_json else b""
        finally:
            self._room.release()
        later = answer.result is Result.LATER
        status = HTTPStatus.TOO_MANY_REQUESTS if later else HTTPStatus.OK
        wait_s = math.ceil(self._redeemer.wait_s(wanted.path))
        headers = _HEADERS | ({"retry-after": str(max(1, wait_s))} if later else {})
        if is_json:
            document = {"label": wanted.path, "nonce": wanted.nonce.hex(), **answer.document}
            return JSONResponse(document | {"genesis": b64.encode(genesis)}, status, headers)
        return self._page(wanted, answer, status, headers, minutes=max(1, math.ceil(wait_s / 60)))

    def _page(
        self, wanted: Asked, answer: Answer, status: HTTPStatus, headers: dict[str, str], *, minutes: int
    ) -> Response:
        values = {
            "answer": answer,
            "asked": wanted,
            "redeem": Form(wanted.path, wanted.nonce.hex()),
            "minutes": minutes,
        }
        text = self._templates.get_template("redeemed.html").render(values)
        return Response(text, status, headers, media_type="text/html; charset=utf-8")

    def _refused(self, told: str, *, is_json: bool) -> Response:
        told = f"{told[:1].upper()}{told[1:]}."
        return self._said("This cannot be read", told, HTTPStatus.BAD_REQUEST, is_json=is_json)

    def _said(
        self, headline: str, told: str, status: HTTPStatus, *, is_json: bool, headers: dict[str, str] | None = None
    ) -> Response:
        hint = "Nothing was redeemed: go back, and try again."
        headers = _HEADERS | (headers or {})
        if is_json:
            return JSONResponse({"error": told, "hint": hint}, status, headers)
        text = self._templates.get_template("error.html").render(headline=headline, told=told, hint=hint)
        return Response(text, status, headers, media_type="text/html; charset=utf-8")
