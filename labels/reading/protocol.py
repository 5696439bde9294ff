"""What the process that decodes pictures is told, and what it answers. Pure.

It is told of a picture by a head and its bytes. It answers in lines of JSON: one for each page as it is read, then
`{"done": true}`; or `{"error": "…"}`, with which a picture ends as well.
"""

import json
import struct
from typing import Any

from labels.reading.code import Code, Limits, Page, PictureError, Point
from ledger.errors import MalformedError

HEAD_BYTES = 20
LINE_BYTES_MAX = 8 * 1024 * 1024
_HEAD = struct.Struct(">QIII")
_DONE = {"done": True}


def head(size: int, limits: Limits) -> bytes:
    """What stands before a picture of `size` bytes."""
    return _HEAD.pack(size, limits.pixels_max, limits.pages_max, max(1, round(limits.page_s)))


def limits_of(data: bytes) -> Limits:
    """The limits that a head says; `bytes_max` is the picture's size."""
    size, pixels_max, pages_max, page_s = _HEAD.unpack(data)
    return Limits(size, pixels_max, pages_max, page_s)


def page_line(page: Page) -> bytes:
    """A page's line."""
    codes = [[code.carrier, code.symbology, code.text, code.corners] for code in page.codes]
    return _line({"page": page.number, "of": page.of, "size": page.size, "codes": codes, "unread": page.unread})


def done_line() -> bytes:
    """The line after the last page."""
    return _line(_DONE)


def refusal_line(complaint: str) -> bytes:
    """The line that says that a picture, or the rest of it, cannot be read."""
    return _line({"error": complaint})


def read_line(line: bytes) -> Page | None:
    """A page, or None after the last one; raises PictureError for a line that says so, or MalformedError."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedError("no line of JSON") from error
    match said:
        case {"done": True}:
            return None
        case {"error": str(complaint)}:
            raise PictureError(complaint)
        case {"page": int(page), "of": int(of), "size": size, "codes": list(codes), "unread": int(unread)}:
            return Page(page, of, _point(size), tuple(map(_code, codes)), unread)
    raise MalformedError("no page")


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _code(value: Any) -> Code:
    match value:
        case [str(carrier), str(symbology), str(text), [first, second, third, fourth]]:
            return Code(carrier, symbology, text, (_point(first), _point(second), _point(third), _point(fourth)))
    raise MalformedError("no code")


def _point(value: Any) -> Point:
    match value:
        case [int(x), int(y)]:
            return x, y
    raise MalformedError("no point")
