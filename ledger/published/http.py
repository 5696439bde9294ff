"""The published ledger over HTTP: a `Reader` that believes nothing of what answers, neither its size nor its pace.

Each answer has a limit of bytes, unpacked ones, by what is asked for; each wait has one, and so has the whole, with
all its tries: names looked up, connections made, headers and bodies read. What is no ledger is refused by its name.
"""

import asyncio
import math
import random
import zlib
from collections.abc import Coroutine
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from ledger import names
from ledger.errors import MalformedError, SourceRefused, SourceUnreachable, UserError, said
from ledger.merkle import HASH_BYTES
from ledger.published import paths
from ledger.published.blocks import CHECKPOINT_CHARS_MAX, HEADER_BYTES_MAX
from ledger.published.paths import Kind
from ledger.published.reader import FILE_BYTES_MAX, NotForYouError, NotPublishedError
from ledger.tile import ENTRY_BYTES_MAX, TILE_WIDTH

_Result = TypeVar("_Result")
REDIRECTS_MAX = 3
_ANOTHER = "name another source of this ledger, or try again later"
_BYTES_MAX = {
    Kind.TILE: TILE_WIDTH * HASH_BYTES,
    Kind.ENTRIES: TILE_WIDTH * (2 + ENTRY_BYTES_MAX),
    Kind.BLOCKS: TILE_WIDTH * (16 + HEADER_BYTES_MAX + CHECKPOINT_CHARS_MAX),
    Kind.CONTENT: FILE_BYTES_MAX,
}
_ELSE_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds: for a connection, between two pieces, for all of one thing; and how often."""

    connect_s: float = 5.0
    read_s: float = 10.0
    total_s: float = 120.0
    small_s: float = 20.0  # for all of a trust file, checkpoint or head
    tries: int = 4
    pause_s: float = 0.5  # before the second try; then twice as long each time


class HttpReader:
    """Reads below `address`, an http or https URL. Safe to share between threads; `close` it."""

    def __init__(
        self, address: str, *, token: str | None = None, token_file: Path | None = None, limits: Limits = Limits()
    ) -> None:
        self.address = web_address(address).rstrip("/")
        self._limits, self._loop, self._token_file = limits, _Loop(), token_file
        headers = {"accept-encoding": "gzip", "user-agent": "tallystick"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        timeout = httpx.Timeout(limits.read_s, connect=limits.connect_s)
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._loop.run(self._client.aclose())
        self._loop.close()

    def read(self, path: str) -> bytes:
        """What is published at `path`; raises NotPublishedError, SourceUnreachable or SourceRefused."""
        try:
            kind = paths.parse(path).kind
        except MalformedError as error:
            raise NotPublishedError(str(error)) from error
        return self._loop.run(self._read(f"{self.address}/{quote(path)}", kind))

    async def _read(self, url: str, kind: Kind) -> bytes:
        within_s = min(self._limits.total_s, self._limits.small_s if kind in paths.ONE_FILE else math.inf)
        try:
            async with asyncio.timeout(within_s):
                return await self._try(url, _BYTES_MAX.get(kind, _ELSE_BYTES_MAX))
        except TimeoutError as error:
            what = f"{url} stalls: its answer was not whole after {within_s:g} s"
            raise SourceUnreachable(what, _ANOTHER) from error

    async def _try(self, url: str, limit: int) -> bytes:
        for attempt in count(1):
            try:
                return await self._get(httpx.URL(url), limit)
            except _Again as error:
                if attempt == self._limits.tries:
                    raise SourceUnreachable(str(error), _ANOTHER) from error
            pause = self._limits.pause_s * 2 ** (attempt - 1)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (so that many do not come at once)
        raise AssertionError

    async def _get(self, url: httpx.URL, limit: int) -> bytes:
        try:
            for _ in range(REDIRECTS_MAX + 1):
                async with self._client.stream("GET", url) as response:
                    self._require_known(response)
                    if not response.has_redirect_location:
                        return await _body(response, limit)
                    url = _redirected(url, response)
        except httpx.TimeoutException as error:
            raise _Again(f"{url} stalls: nothing came for {self._limits.read_s:g} s") from error
        except (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError) as error:
            raise _Again(f"{url} breaks off: {said(error)}") from error
        except httpx.HTTPError as error:
            raise SourceUnreachable(f"{url} cannot be reached: {said(error)}", _ANOTHER) from error
        except UnicodeError as error:  # of a host that is no name (RFC 5891)
            raise SourceRefused(f"{url} redirects to what is no address: {said(error)}", _ANOTHER) from error
        raise SourceRefused(f"{url} redirects more than {REDIRECTS_MAX} times", _ANOTHER)

    def _require_known(self, response: httpx.Response) -> None:
        if response.status_code == 401 and "authorization" in response.request.headers:
            which = f"the token in {self._token_file}" if self._token_file else "the token"
            raise SourceRefused(
                f"{which} is not known there: {response.url} refuses it", "ask its operator for one, or go without"
            )


def web_address(text: str) -> str:
    """An address that can be asked, or UserError: `names.web_address` does not read a host's letters, or its path."""
    try:
        httpx.Request("GET", names.web_address(text))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UserError(
            f"{text[:80]!r} is no web address: {said(error)}", "write it like https://id.example.com"
        ) from error
    return text


class _Again(Exception):
    """What may be otherwise in a moment."""


def _redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Where a redirect leads: to the same server, or from its port for http to that for https; or it is refused."""
    new = url.join(response.headers["location"])  # which httpx has read before, to say what comes next
    is_upgrade = (new.scheme, new.port, url.scheme, url.port) == ("https", None, "http", None)  # None: the scheme's
    if new.host != url.host or not (is_upgrade or (new.scheme, new.port) == (url.scheme, url.port)):
        where = f"{new.scheme}://{new.netloc.decode()}"
        raise SourceRefused(f"{url} redirects elsewhere, to {where}", f"name {where} itself, if you trust it as well")
    return new


async def _body(response: httpx.Response, limit: int) -> bytes:
    _require_ledger(response)
    packed = response.headers.get("content-encoding", "identity").lower()
    if packed not in ("identity", "gzip"):
        raise SourceRefused(f"{response.url} is packed as {packed!r}, which nobody asked for", _ANOTHER)
    unpack = _Gunzip() if packed == "gzip" else _Plain()
    body, came = bytearray(), 0
    async for piece in response.aiter_raw():
        came += len(piece)
        body += unpack.take(piece, limit - len(body) + 1)
        if len(body) > limit or came > limit + 64 * 1024:
            raise SourceRefused(f"{response.url} is larger than the {limit} bytes that it can have", _ANOTHER)
    unpack.end(str(response.url))
    return bytes(body)


def _require_ledger(response: httpx.Response) -> None:
    url, status = response.url, response.status_code
    if status in (404, 410):
        raise NotPublishedError(f"{url} is not there")
    if status == 403:
        raise NotForYouError(f"{url} is not for us")
    if status == 401:
        raise SourceRefused(f"{url} is not for us: it asks for a token", "give one with --token-file")
    if status >= 500 or status == 429:
        raise _Again(f"{url} fails: HTTP {status}")
    if status != 200:
        raise SourceRefused(f"{url} answers with HTTP {status}", _ANOTHER)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise SourceRefused(
            f"{url} is a page of HTML, no part of a ledger",
            "name the address below which trust.json is; or does something between you and it ask you to log in?",
        )


class _Plain:
    def take(self, piece: bytes, room: int) -> bytes:
        return piece

    def end(self, url: str) -> None:
        pass


class _Gunzip:
    """Unpacks no more than there is room for."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def take(self, piece: bytes, room: int) -> bytes:
        try:
            return self._unpack.decompress(piece, room)
        except zlib.error as error:
            raise SourceRefused(f"what came is no gzip: {error}", _ANOTHER) from error

    def end(self, url: str) -> None:
        if not self._unpack.eof:
            raise _Again(f"{url} breaks off within its gzip")


class _Loop:
    """An event loop in a thread of its own, begun when it is needed: others wait for what it runs."""

    def __init__(self) -> None:
        self._loop, self._lock = asyncio.new_event_loop(), Lock()
        self._thread: Thread | None = None

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._loop.run_forever, daemon=True)
                self._thread.start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # as on Ctrl-C: nobody waits for it any more
            raise

    def close(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
