"""Pictures that visitors send, to be read: so large, so many at once, for so long; none is kept."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from labels.reading.apart import Decoder
from labels.reading.code import Limits, PictureError
from labels.reading.report import Report
from labels.reading.say import Said
from labels.reading.verdict import Verdict

LIMITS = Limits(bytes_max=16 * 1024 * 1024, pixels_max=40_000_000, pages_max=10, page_s=15)
BODY_BYTES_MAX = LIMITS.bytes_max + 16 * 1024  # with a form around it
TAKEN_BYTES_MAX = 4 * BODY_BYTES_MAX  # and thrown away: a browser hears that it is too much when it has sent it all
FIELD = "image"
_RECEIVED_AT_ONCE, _READ_AT_ONCE = 8, 2
_RECEIVE_S, _WAIT_S, _READ_S = 60.0, 10.0, 30.0
_FIELD_BYTES_MAX = 1024
_BUSY = "Too many pictures are being read just now: try again in a moment, or paste the link."


class Uploads:
    """Receives and reads pictures; the limits hold for all visitors together."""

    def __init__(self) -> None:
        self._receiving = asyncio.Semaphore(_RECEIVED_AT_ONCE)
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)

    async def report(self, request: Request, judge: Callable[[Said], Verdict | None]) -> Report:
        """What is in the picture that came; raises PictureError, HTTPException, and what `judge` raises."""
        async with _place(self._receiving, 0.0):
            picture = await _received(request)
        async with _place(self._reading, _WAIT_S):
            return await run_in_threadpool(_read, picture, judge)


@asynccontextmanager
async def _place(places: asyncio.Semaphore, wait_s: float) -> AsyncIterator[None]:
    """One of the places; status 503 if none is free in time."""
    try:
        if places.locked() and not wait_s:
            raise TimeoutError
        async with asyncio.timeout(wait_s or None):
            await places.acquire()
    except TimeoutError as error:
        raise HTTPException(503, _BUSY, {"retry-after": "5"}) from error
    try:
        yield
    finally:
        places.release()


async def _received(request: Request) -> bytes:
    try:
        async with asyncio.timeout(_RECEIVE_S):
            return await _picture(request)
    except ClientDisconnect as error:  # whoever would hear it
        raise HTTPException(400, "The picture was cut short.") from error
    except TimeoutError as error:
        raise HTTPException(408, f"The picture was not whole after {_RECEIVE_S:g} seconds.") from error


async def _picture(request: Request) -> bytes:
    """The picture's bytes: a form's field, or all of the body. It has the length that it says (`web` sees to it)."""
    if int(request.headers.get("content-length", "0")) > BODY_BYTES_MAX:
        async for _ in request.stream():
            pass
        raise HTTPException(413, f"It is larger than {LIMITS.bytes_max // 1024 // 1024} MB.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await request.body()
    async with request.form(max_files=1, max_fields=2, max_part_size=_FIELD_BYTES_MAX) as form:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise HTTPException(400, f"The form has no file named {FIELD!r}.")
        return await file.read()


def _read(picture: bytes, judge: Callable[[Said], Verdict | None]) -> Report:
    """Decode a picture in a process of its own, which ends with it. What was read before a fault counts."""
    report, deadline = Report("picture"), time.monotonic() + _READ_S
    with Decoder(LIMITS) as decoder:
        try:
            for page in decoder.read(picture):
                report.add(page, judge, {})
                if page.number < page.of and time.monotonic() > deadline:
                    raise PictureError(f"all of it takes longer than {_READ_S:g} seconds")
        except PictureError as error:
            if not report.pages:
                raise
            report.complaint = str(error)
    return report
