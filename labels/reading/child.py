"""The process that decodes pictures: `python -m labels.reading.child`, started by `labels.reading.apart`.

It opens nothing and keeps nothing, and cannot have more memory or time than it is given. It may be killed at any time.
"""

import os
import resource
import sys
import time
from typing import BinaryIO

from PIL import Image

from labels.reading.code import Limits, Page, PictureError
from labels.reading.decode import codes_on
from labels.reading.picture import pages
from labels.reading.protocol import HEAD_BYTES, done_line, limits_of, page_line, refusal_line

MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024
_TOO_MUCH = "it takes too much memory"


def main() -> None:
    """Decode pictures until there are no more."""
    os.nice(10)  # it may not starve who waits for a page
    _confine()
    Image.MAX_IMAGE_PIXELS = None  # `picture` counts them, and has a large photo decoded in small
    told, out = sys.stdin.buffer, sys.stdout.buffer
    while len(head := told.read(HEAD_BYTES)) == HEAD_BYTES:
        limits = limits_of(head)
        _decode(told.read(limits.bytes_max), limits, out)


def _decode(data: bytes, limits: Limits, out: BinaryIO) -> None:
    until_s = _allow(limits.page_s)
    try:
        for number, (count, image) in enumerate(pages(data, limits), 1):
            codes, unread = codes_on(image, until_s)
            _say(out, page_line(Page(number, count, image.size, tuple(codes), unread)))
            until_s = _allow(limits.page_s)
        _say(out, done_line())
    except PictureError as error:
        _say(out, refusal_line(str(error)))
    except MemoryError:
        _say(out, refusal_line(_TOO_MUCH))


def _say(out: BinaryIO, line: bytes) -> None:
    out.write(line)
    out.flush()


def _confine() -> None:
    """No file may be written, no process started, no core dumped, and memory is bounded, whatever a decoder does."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (most, most))


def _allow(seconds: float) -> float:
    """So many seconds of CPU from now on, even if nobody is there any more to end it; gives when they are over."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))
    return time.monotonic() + seconds


if __name__ == "__main__":
    main()
