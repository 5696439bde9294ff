"""What is published, over HTTP: C2SP tlog-tiles, and ours beside them, for whoever asks, by whom he is.

Hashes, entries and blocks never change, so they may be kept for ever; a checkpoint may not be kept at all. What
differs by who asks says so to the caches between.
"""

import gzip
import hashlib
import logging
from typing import Protocol

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.errors import OutsideError, TrustError, UserError
from ledger.folder import LedgerFolder
from ledger.pool import Pool
from ledger.published.database import DatabaseReader
from ledger.published.folder import FolderReader
from ledger.published.paths import IMMUTABLE, Kind
from ledger.published.policy import LimitedReader, Policy, parse
from ledger.published.reader import NotForYouError, NotPublishedError
from ledger.published.tokens import Tokens
from ledger.section import Privacy
from ledger.trust.trust_file import Trust

log = logging.getLogger("ledger.serve")

_METHODS = ["GET", "HEAD", "OPTIONS"]
_FOR_EVER = "max-age=31536000, immutable"
_TYPES = {
    Kind.TRUST: "application/json",
    Kind.CHECKPOINT: "text/plain; charset=utf-8",
    Kind.TILE: "application/octet-stream",
    Kind.ENTRIES: "application/octet-stream",
}
_COMPRESSED = frozenset({Kind.ENTRIES, Kind.BLOCKS, Kind.CONTENT})  # hashes have nothing to gain
_COMPRESSED_BYTES_MIN = 256
_ALWAYS = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}
_PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": "authorization, if-none-match",
    "access-control-max-age": "86400",
}
_INDEX = """A Tallystick ledger. Each log below is served as tiles (https://c2sp.org/tlog-tiles).

trust.json
"""


class Readers(Protocol):
    """Reads for any audience; safe to share between threads."""

    def read(self, path: str, audience: Privacy) -> bytes:
        """The bytes at `path`; raises as a Reader that reads for `audience`."""

    def close(self) -> None:
        """Give up what it holds."""


class DatabaseReaders:
    """Out of the database. `public` names the chains whose entries all may see."""

    def __init__(self, dsn: str, folder: LedgerFolder, public: tuple[str, ...]) -> None:
        self._pool = Pool(dsn, lambda connection: {a: DatabaseReader(connection, folder, a, public) for a in Privacy})

    def read(self, path: str, audience: Privacy) -> bytes:
        """As `Readers`."""
        found = self._pool.run(lambda readers: _read(readers[audience], path))
        if isinstance(found, NotPublishedError):
            raise found
        return found

    def close(self) -> None:
        """Close the sessions."""
        self._pool.close()


class FolderReaders:
    """Out of a folder, whoever it was written for: to each what is for him. Raises UserError if it is none."""

    def __init__(self, folder: FolderReader, public: tuple[str, ...]) -> None:
        chains = {log.origin: chain for chain, log in _trust(folder).logs.items()}
        self._readers = {a: LimitedReader(folder, Policy.of(a, public), chains) for a in Privacy}

    def read(self, path: str, audience: Privacy) -> bytes:
        """As `Readers`."""
        return self._readers[audience].read(path)

    def close(self) -> None:
        """Nothing is held."""


def _read(reader: DatabaseReader, path: str) -> bytes | NotPublishedError:
    """For a session that shall live on when there is nothing at a path."""
    try:
        return reader.read(path)
    except NotPublishedError as error:
        return error


def _trust(folder: FolderReader) -> Trust:
    try:
        return Trust.parse(folder.read(str(Kind.TRUST)).decode())
    except (TrustError, NotPublishedError, UnicodeDecodeError) as error:
        hint = "name a folder that 'tallystick ledger export' wrote, or a mirror"
        raise UserError(f"there is no published ledger: its trust.json: {error}", hint) from error


def make_app(readers: Readers, tokens: Tokens) -> Starlette:
    """The application: GET and HEAD of any published path, and at its root a list of the logs."""
    site = _Site(readers, tokens)
    app = Starlette(routes=[Route("/{path:path}", site.answer, methods=_METHODS)])
    app.add_exception_handler(HTTPException, _refused)
    for error in (UserError, OSError, psycopg.Error):
        app.add_exception_handler(error, _away)
    app.add_exception_handler(OutsideError, _damaged)
    return app


class _Site:
    """The endpoint. It is a plain function, so it runs in a thread, where the database may be waited for."""

    def __init__(self, readers: Readers, tokens: Tokens) -> None:
        self._readers, self._tokens = readers, tokens

    def answer(self, request: Request) -> Response:
        """What is at a path."""
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_ALWAYS | _PREFLIGHT)
        audience = self._tokens.audience(request.headers.get("authorization"))
        if audience is None:
            raise HTTPException(401, "this token is none of ours", {"www-authenticate": "Bearer"})
        path = request.path_params["path"]
        if not path:
            return self._index()
        try:
            return _response(request, parse(path).kind, self._readers.read(path, audience), audience)
        except NotForYouError as error:
            raise HTTPException(403, str(error)) from error
        except NotPublishedError as error:
            raise HTTPException(404, str(error)) from error

    def _index(self) -> Response:
        trust = Trust.parse(self._readers.read(str(Kind.TRUST), Privacy.PUBLIC).decode())
        paths = [f"{log.origin}/{Kind.CHECKPOINT}" for log in trust.logs.values()]
        logs = "".join(f"{path}\n" for path in paths if self._is_published(path))
        return Response(_INDEX + logs, headers=_ALWAYS | {"cache-control": "no-store"}, media_type="text/plain")

    def _is_published(self, path: str) -> bool:
        try:
            self._readers.read(path, Privacy.PUBLIC)
        except NotPublishedError:
            return False
        return True


def _response(request: Request, kind: Kind, data: bytes, audience: Privacy) -> Response:
    headers = {**_ALWAYS, "cache-control": _cache_control(kind, audience), "vary": _vary(kind)}
    is_zipped = kind in _COMPRESSED and len(data) >= _COMPRESSED_BYTES_MIN and _takes_gzip(request)
    if kind not in (Kind.CHECKPOINT, Kind.HEAD):
        name = hashlib.sha256(data).hexdigest()[:32] + ("-gzip" if is_zipped else "")
        headers["etag"] = f'"{name}"'
        if _has(request, name):
            return Response(status_code=304, headers=headers)
    if is_zipped:
        data, headers["content-encoding"] = gzip.compress(data, compresslevel=6, mtime=0), "gzip"
    return Response(data, headers=headers, media_type=_TYPES.get(kind, "application/cbor"))


def _cache_control(kind: Kind, audience: Privacy) -> str:
    """What a token brought is for its bearer alone, not for a cache that others ask."""
    if kind in (Kind.CHECKPOINT, Kind.HEAD):
        return "no-store"
    shared = "public" if audience is Privacy.PUBLIC or kind not in (Kind.ENTRIES, Kind.CONTENT) else "private"
    return f"{shared}, {_FOR_EVER if kind in IMMUTABLE else 'no-cache'}"


def _vary(kind: Kind) -> str:
    return "accept-encoding, authorization" if kind in (Kind.ENTRIES, Kind.CONTENT) else "accept-encoding"


def _takes_gzip(request: Request) -> bool:
    """Whether the client's Accept-Encoding (RFC 9110, 12.5.3) takes gzip."""
    weights = {}
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, rest = part.partition(";")
        weights[coding.strip()] = rest.replace(" ", "")
    weight = weights.get("gzip", weights.get("*", "q=0"))
    return weight.rstrip("0.") != "q="


def _has(request: Request, name: str) -> bool:
    """Whether the client's If-None-Match (RFC 9110, 13.1.2) names what it would get."""
    named = [part.strip().removeprefix("W/").strip('"') for part in request.headers.get("if-none-match", "").split(",")]
    return name in named or "*" in named


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _plain(error.status_code, error.detail, dict(error.headers or {}))


def _away(request: Request, error: Exception) -> Response:
    log.warning("%s", str(error).strip() or repr(error))
    return _plain(503, "the ledger cannot be read just now", {"retry-after": "5"})


def _damaged(request: Request, error: Exception) -> Response:
    log.error("%s: %s", request.url.path, error)
    return _plain(500, "what is kept here is damaged: run 'tallystick ledger audit'", {})


def _plain(status: int, told: str, headers: dict[str, str]) -> Response:
    always = _ALWAYS | {"cache-control": "no-store"}
    return Response(f"{told}\n", status, always | headers, media_type="text/plain; charset=utf-8")
