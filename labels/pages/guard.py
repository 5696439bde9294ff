"""What stands before all pages: it refuses requests that no page needs, and gives every answer its security headers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from labels.pages import gs1_resolver

HEADERS_BYTES_MAX = 16 * 1024
DISCARDED_BYTES_MAX, DISCARDING_S = 16 * 1024 * 1024, 5.0
TOO_LARGE = 413
METHODS = ["GET", "HEAD"]
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Guard:
    """Refuses what no page needs, and sets the headers that every answer has, but for those that it has its own of."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], posts: Mapping[str, int]) -> None:
        """`posts` has each path to which a body may be posted, with the most bytes of that."""
        self._app, self._posts = app, posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                there = {name.lower() for name, _ in given}
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*given, *(pair for pair in ours if pair[0] not in there)]
            await send(message)

        refusal = _refusal(scope, self._posts) if scope["type"] == "http" else None
        if refusal is not None and refusal.status_code == TOO_LARGE:
            await _discard(receive)
        await (refusal or self._app)(scope, receive, guarded)


async def _discard(receive: Receive) -> None:
    """Take what a client is sending, for so long and so much: who is in the middle of it does not read an answer."""
    taken, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARDING_S):
            while more and taken < DISCARDED_BYTES_MAX:
                message = await receive()
                taken += len(message.get("body", b""))
                more = message.get("more_body", False)


def _refusal(scope: Scope, posts: Mapping[str, int]) -> Response | None:
    """The answer to a request that no page needs. A body is read where one is taken alone, of a length that is said."""
    close = {"connection": "close"}
    if scope["method"] == "OPTIONS":
        return gs1_resolver.options()
    if scope["method"] == "POST" and scope["path"] in posts:
        if (refusal := _refused_body(scope, posts[scope["path"]])) is not None:
            return refusal
    elif scope["method"] not in METHODS:
        allowed = ["GET", "HEAD", "OPTIONS", *(["POST"] if scope["path"] in posts else [])]
        said = {"error": f"{scope['method'][:20]} is not answered here", "hint": f"{', '.join(allowed)} are"}
        return JSONResponse(said, 405, close | {"allow": ", ".join(allowed)})
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_BYTES_MAX:
        said = {"error": "the request has too many headers", "hint": f"at most {HEADERS_BYTES_MAX:,} bytes of them"}
        return JSONResponse(said, 431, close)
    return None


def _refused_body(scope: Scope, bytes_max: int) -> Response | None:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    is_coded = any(name == b"transfer-encoding" for name, _ in scope["headers"])  # it counts before a length
    close, hint = {"connection": "close"}, f"a request has at most {bytes_max:,} bytes"
    if is_coded or len(lengths) != 1 or not lengths[0].isdigit():
        return JSONResponse({"error": "the request does not say its length", "hint": hint}, 411, close)
    if len(lengths[0]) > 12 or int(lengths[0]) > bytes_max:
        return JSONResponse({"error": "the request is over its size", "hint": hint}, TOO_LARGE, close)
    return None
