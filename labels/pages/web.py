"""The pages behind the labels' links, over HTTP: for a phone as HTML, for machines as JSON.

No cookie; and no script, but that of the page on which a reader checks a proof himself, and the one that fills in a
hidden code.
"""

import logging
import re
from pathlib import Path
from typing import Any

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from labels import gs1, verify_page, words
from labels.address import as_json, page_link, signed
from labels.catalogue import picture
from labels.hidden import asked as redeeming
from labels.hidden import form
from labels.hidden.web import PATH as REDEEM
from labels.hidden.web import Redemptions
from labels.issuing import lot_request
from labels.issuing.web import Lots
from labels.pages import uploads
from labels.pages.chart import between, number
from labels.pages.gs1_resolver import LINK_TYPE, Gs1Resolver
from labels.pages.guard import HEADERS, METHODS, Guard
from labels.pages.linkset import MEDIA_TYPE
from labels.pages.page import Page, UnitPage
from labels.pages.resolve import Resolver
from labels.reading.code import PictureError
from labels.reading.judges import LedgerJudge, verdict_on
from labels.templating import environment
from labels.typed import code_of
from ledger.errors import UserError

log = logging.getLogger("labels")

_STATIC_FOLDER = Path(__file__).parents[1] / "static"
_POSTS = {  # where a body is taken, and its most bytes
    "/lots": lot_request.BODY_BYTES_MAX,
    "/read": uploads.TAKEN_BYTES_MAX,
    REDEEM: redeeming.BODY_BYTES_MAX,
}
_SHA256 = re.compile("[0-9a-f]{64}")
_STATIC = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
_AWAY = "The ledger's database does not answer just now. The label may well be good: try again in a minute."


def make_app(
    resolver: Resolver, *, host: str, log: ASGIApp, lots: Lots | None = None, redemptions: Redemptions | None = None
) -> FastAPI:
    """The application. `host` is the name in the labels' links, for the start page to show; `log` is below /log/.

    Where labels may be issued `lots` is below /lots; where hidden codes are redeemed `redemptions` is /redeem.
    """
    app = FastAPI(title="Tallystick labels", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Guard, posts=_POSTS)
    site = _Site(resolver, host)
    # Endpoints are plain functions: each runs in a thread, where the database may be waited for.
    app.add_api_route("/", site.start, methods=METHODS)
    app.add_api_route("/read", site.start, methods=METHODS)
    app.add_api_route("/read", site.read, methods=["POST"])
    app.add_api_route("/healthz", site.health, methods=METHODS)
    app.add_api_route("/trust.json", site.trust, methods=METHODS)
    app.add_api_route("/bundle/{statement_hash}", site.bundle, methods=METHODS)
    app.add_api_route("/.well-known/gs1resolver", site.gs1.description, methods=METHODS)
    app.add_api_route("/picture/{sha256}", site.picture, methods=METHODS)
    app.add_api_route("/verify", site.verify, methods=METHODS)
    app.add_api_route("/static/{name}", site.static, methods=METHODS)
    app.add_api_route("/log", site.log, methods=METHODS)
    app.mount("/log", log)
    if lots is not None:
        lots.add_to(app)
    if redemptions is not None:
        redemptions.add_to(app)
    app.add_api_route("/{path:path}", site.link, methods=METHODS)
    app.add_exception_handler(UserError, site.away)
    app.add_exception_handler(psycopg.Error, site.away)
    app.add_exception_handler(HTTPException, site.refused)
    app.add_exception_handler(ClientDisconnect, site.gone)
    app.add_exception_handler(Exception, site.broken)
    return app


class _Site:
    """The endpoints."""

    def __init__(self, resolver: Resolver, host: str) -> None:
        self._resolver, self._host = resolver, host
        self.gs1 = Gs1Resolver(resolver, host)
        self._uploads, self._judge = uploads.Uploads(), LedgerJudge(resolver, "this service")
        self._templates = environment()
        self._templates.globals.update(number=number, plural=words.plural, day=words.day, between=between)

    def start(self, request: Request) -> Response:
        """What this is; and from a pasted link to its page."""
        pasted = request.query_params.get("link")
        if pasted is None:
            return self._html("start.html", host=self._host)
        try:
            link = code_of(pasted)
        except (gs1.Gs1Error, UserError) as error:
            return self._mistake(request, error)
        return RedirectResponse(signed(link), 303)

    async def read(self, request: Request) -> Response:
        """What is in a picture that was sent: each code, and of a label its verdict and the way to its page."""
        try:
            report = await self._uploads.report(request, lambda said: verdict_on(said, self._judge))
        except PictureError as error:
            told = f"{str(error)[:1].upper()}{str(error)[1:]}."
            return self._error(
                request, 422, "This picture cannot be read", told, hint="Choose another, or paste the link."
            )
        headers = {"vary": "accept", "cache-control": "no-store"}
        if _wants_json(request):
            return JSONResponse(report.document, headers=headers)
        return self._html("read.html", headers=headers, report=report)

    def link(self, request: Request) -> Response:
        """The page of a product, a lot, an item, or a pallet."""
        path = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
        query = request.scope.get("query_string", b"").decode("latin-1")
        try:
            link = page_link(f"https://{gs1.GS1_HOST}{path}" + (f"?{query}" if query else ""))
        except (gs1.Gs1Error, UserError) as error:
            return self._mistake(request, error)
        if (answer := self.gs1.answer(request, link)) is not None:
            return answer
        page = self._page(request, link)
        linkset = f'<{link.canonical_path}?{LINK_TYPE}=linkset>; rel="linkset"; type="{MEDIA_TYPE}"'
        headers = {"vary": "accept", "cache-control": "no-store", "link": linkset}
        if _wants_json(request):
            return JSONResponse(page.document, headers=headers)
        said: dict[str, Any] = {"page": page, "json_link": as_json(signed(link))}
        if isinstance(page, UnitPage):
            return self._html("unit.html", headers=headers, **said)
        redeem = form.Form(link.canonical_path) if page.redeemable else None
        if redeem:
            headers["content-security-policy"] = form.policy(HEADERS["content-security-policy"])
        return self._html("page.html", headers=headers, redeem=redeem, **said)

    def _page(self, request: Request, link: gs1.DigitalLink) -> Page | UnitPage:
        if link.sscc is not None:
            return self._resolver.unit(link)
        return self._resolver.scanned(link) if request.method == "GET" else self._resolver.page(link)

    def bundle(self, statement_hash: str) -> Response:
        """A statement's proof, with its public sections, to be verified offline."""
        data = self._resolver.bundle(statement_hash)
        if data is None:
            raise HTTPException(404, "No published statement with something public in it has this hash.")
        name = f'attachment; filename="{statement_hash[:16]}.bundle"'
        headers = {"content-disposition": name, "cache-control": "no-store"}  # what it shows may be shredded
        return Response(data, media_type="application/vnd.tallystick-bundle+cbor", headers=headers)

    def picture(self, sha256: str) -> Response:
        """A product's picture, by the hash that its description signs."""
        data = self._resolver.picture(bytes.fromhex(sha256)) if _SHA256.fullmatch(sha256) else None
        if data is None:
            raise HTTPException(404, "No product has this picture.")
        return Response(data, media_type=picture.MEDIA_TYPE, headers={"cache-control": "max-age=3600"})

    def trust(self) -> Response:
        """What all proofs are held against, as it is by now."""
        headers = {"cache-control": "no-cache"}
        return Response(self._resolver.trust_text(), headers=headers, media_type="application/json")

    def verify(self) -> Response:
        """The page that checks a bundle against a trust file in its reader's browser, whole in one file."""
        policy = f"{verify_page.policy()}; frame-ancestors 'none'"
        headers = {"content-security-policy": policy, "cache-control": "no-cache"}
        return Response(verify_page.html(), headers=headers, media_type="text/html; charset=utf-8")

    def log(self) -> Response:
        """To the ledger's index, which is one level down: its paths are relative."""
        return RedirectResponse("/log/", 308)

    def health(self) -> Response:
        """Whether pages can be made."""
        self._resolver.ping()
        return JSONResponse({"status": "ok"})

    def static(self, name: str) -> Response:
        """The style sheet and the icon."""
        if name not in _STATIC:
            raise HTTPException(404, "There is no such file.")
        headers = {"cache-control": "max-age=3600"}
        return FileResponse(_STATIC_FOLDER / name, media_type=_STATIC[name], headers=headers)

    def away(self, request: Request, error: Exception) -> Response:
        """The database is not there, or takes too long."""
        log.warning("%s", str(error).strip() or repr(error))
        return self._error(request, 503, "Not just now", _AWAY, headers={"retry-after": "5"})

    def refused(self, request: Request, error: Exception) -> Response:
        """What the framework or an endpoint refuses."""
        assert isinstance(error, HTTPException)
        told = "There is nothing here." if error.status_code == 404 and error.detail == "Not Found" else error.detail
        headers = dict(error.headers or {})
        if isinstance(error, uploads.UploadRefused):
            return self._error(request, error.status_code, error.headline, told, headers, hint=error.hint)
        headline = "Not found" if error.status_code == 404 else "This cannot be answered"
        return self._error(request, error.status_code, headline, told, headers)

    async def gone(self, request: Request, error: Exception) -> Response:
        """Whoever was sending a body has hung up: nobody hears this."""
        return Response(status_code=400)

    def broken(self, request: Request, error: Exception) -> Response:
        """A fault of ours, whose traceback is in the log."""
        told = "Something is wrong on our side. The label may well be good."
        return self._error(request, 500, "Our mistake", told, HEADERS)  # which this answer gets from nobody else

    def _mistake(self, request: Request, error: gs1.Gs1Error | UserError) -> Response:
        """A link that is none of GS1's, or names no product."""
        if isinstance(error, UserError):
            return self._error(request, 404, "No page for this code", str(error), hint=error.hint)
        if error.rule is gs1.Rule.NO_KEY:
            hint = "A label's link has /01/, a product's number, /21/ and a serial."
            return self._error(request, 404, "Not a label's link", "This address names no product.", hint=hint)
        told, hint = words.mistake(error), "Was it typed by hand, or cut short? Scan the code again."
        return self._error(request, 400, "This link cannot be read", told, hint=hint)

    def _error(
        self,
        request: Request,
        status: int,
        headline: str,
        told: str,
        headers: dict[str, str] | None = None,
        *,
        hint: str = "",
    ) -> Response:
        headers = {"vary": "accept", "cache-control": "no-store"} | (headers or {})
        if _wants_json(request):
            return JSONResponse({"error": told, "hint": hint}, status, headers)
        return self._html("error.html", status, headers, headline=headline, told=told, hint=hint)

    def _html(self, name: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any) -> Response:
        text = self._templates.get_template(name).render(values)
        return Response(text, status, headers, media_type="text/html; charset=utf-8")


def _wants_json(request: Request) -> bool:
    if request.url.path == "/lots" or request.url.path.startswith("/lots/"):  # programs alone ask there
        return True
    if "format" in request.query_params:
        return request.query_params["format"] == "json"
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept
