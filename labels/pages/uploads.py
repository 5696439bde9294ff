"""Pictures that visitors send, to be read: so large, so many at once, for so long; none is kept."""

import time
from collections.abc import Callable, Mapping

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from labels.pages.waiting import Held, NoRoom, Room, Turns
from labels.reading.apart import Decoder
from labels.reading.code import Limits, PictureError
from labels.reading.report import Report
from labels.reading.say import Said
from labels.reading.verdict import Verdict
from ledger.serving import TooSlow

LIMITS = Limits(bytes_max=16 * 1024 * 1024, pixels_max=40_000_000, pages_max=10, page_s=5)
BODY_BYTES_MAX = LIMITS.bytes_max + 16 * 1024  # with a form around it
TAKEN_BYTES_MAX = 4 * BODY_BYTES_MAX  # and thrown away: a browser hears that it is too much when it has sent it all
FIELD = "image"
_HELD_BYTES_MAX, _HELD_OF_ONE = 8 * BODY_BYTES_MAX, 4 * BODY_BYTES_MAX
_READ_AT_ONCE, _READ_OF_ONE, _WAITING_MAX = 3, 2, 32
_WAIT_S, _READ_S = 10.0, 10.0
_FIELD_BYTES_MAX = 1024
_AGAIN = "Try again in a moment, or paste the link."


class UploadRefused(HTTPException):
    """A picture was not taken: what is wrong at a glance, in a sentence, and what to do."""

    def __init__(
        self, status: int, headline: str, told: str, hint: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, told, {"connection": "close"} | dict(headers or {}))  # the rest of it is not read
        self.headline, self.hint = headline, hint


class Uploads:
    """Receives and reads pictures; the limits hold for all visitors together."""

    def __init__(self) -> None:
        self._room = Room(_HELD_BYTES_MAX, _HELD_OF_ONE)
        self._turns = Turns(_READ_AT_ONCE, _READ_OF_ONE, _WAITING_MAX, _WAIT_S)

    async def report(self, request: Request, judge: Callable[[Said], Verdict | None]) -> Report:
        """What is in the picture that came; raises PictureError, UploadRefused, and what `judge` raises."""
        try:
            async with self._room.holding(request) as held:
                picture = await self._received(request, held)
                async with self._turns.turn(held.network):
                    return await run_in_threadpool(_read, picture, judge)
        except NoRoom as error:
            raise _busy() from error

    async def _received(self, request: Request, held: Held) -> bytes:
        try:
            await _discard_if_too_large(request)
            async with self._room.receiving(request, held) as heard:
                return await _picture(heard)
        except TooSlow as error:
            hint = "Try again where the connection is better, send a smaller one, or paste the link."
            raise UploadRefused(error.status_code, "The picture did not arrive", error.detail, hint) from error


def _busy() -> UploadRefused:
    told = "Too many pictures are being read just now."
    return UploadRefused(503, "Not just now", told, _AGAIN, {"retry-after": "5"})


def _cut_short() -> UploadRefused:
    return UploadRefused(400, "The picture did not arrive whole", "What was sent is cut short, or no form.", _AGAIN)


async def _discard_if_too_large(request: Request) -> None:
    """A request has the length that it says (`web` sees to it)."""
    if int(request.headers.get("content-length", "0")) > BODY_BYTES_MAX:
        async for _ in request.stream():
            pass
        told = f"It is larger than {LIMITS.bytes_max // 1024 // 1024} MB."
        raise UploadRefused(
            413, "This picture is too large", told, "Take a photo of the label alone, or paste the link."
        )


async def _picture(request: Request) -> bytes:
    """The picture's bytes: a form's field, or all of the body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await request.body()
    try:
        async with request.form(max_files=1, max_fields=2, max_part_size=_FIELD_BYTES_MAX) as form:
            file = form.get(FIELD)
            if isinstance(file, UploadFile):
                return await file.read()
    except TooSlow:
        raise
    except HTTPException as error:  # the form is none
        raise _cut_short() from error
    told = f"The form has no file named {FIELD!r}."
    raise UploadRefused(400, "No picture came", told, "Choose a photo, a scan or a PDF, or paste the link.")


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
