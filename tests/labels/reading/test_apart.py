"""The process that decodes: what breaks it or never ends costs its picture and nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from labels.pages import uploads
from labels.reading.apart import Decoder
from labels.reading.code import Limits, Page, PictureError
from tests.bench.cpu import descendants
from tests.labels.reading.pictures import beside, document, encoded, label
from tests.running import eventually

LINK = "https://id.example.com/01/09506000134352/21/A1"
GOOD = encoded(label(LINK))
LARGE = encoded(Image.effect_noise((7000, 7000), 200), "JPEG")  # which takes seconds


def codes(decoder: Decoder, picture: bytes) -> list[int]:
    """How many codes are on each page."""
    return [len(page.codes) for page in decoder.read(picture)]


def children() -> list[int]:
    """The processes that decode, of this one."""
    found = []
    for pid in descendants(os.getpid()):
        if b"labels.reading.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
            found.append(pid)
    return found


def test_pictures_are_read_one_after_the_other() -> None:
    """By one process, also after one that is none; it ends with the block."""
    with Decoder() as decoder:
        assert codes(decoder, GOOD) == [1]
        [pid] = children()
        with pytest.raises(PictureError, match="no picture"):
            codes(decoder, b"hello")
        assert codes(decoder, document([label(LINK)] * 3)) == [1, 1, 1] and children() == [pid]
    assert children() == []


def test_a_dead_decoder_is_told_and_replaced() -> None:
    """It is killed in the midst of a picture, as a fault in it would: that picture is refused, the next one read."""

    def kill() -> None:
        eventually(lambda: bool(children()))
        time.sleep(0.5)
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    with Decoder() as decoder:
        thread = threading.Thread(target=kill)
        thread.start()
        with pytest.raises(PictureError, match="breaks the program that decodes it"):
            codes(decoder, LARGE)
        thread.join()
        assert codes(decoder, GOOD) == [1]


def test_a_picture_that_takes_too_long_is_refused() -> None:
    """In good time, and the process with it; the next one is read."""
    with Decoder(Limits(page_s=1)) as decoder:
        began = time.monotonic()
        with pytest.raises(PictureError, match="takes longer than 1 seconds"):
            codes(decoder, LARGE)
        assert time.monotonic() - began < 5 and children() == []
        assert codes(decoder, GOOD) == [1]


def test_a_page_of_many_finder_patterns_takes_no_longer_than_a_page_may() -> None:
    """A QR code's corners by the ten thousand, in a file of some kilobytes: a reader compares each with all others."""
    corner = label(LINK, module_px=1).crop((3, 3, 12, 12))
    row = beside(*[corner] * 440)
    page = Image.new("L", (row.width, row.width), 255)
    for y in range(0, page.height, row.height):
        page.paste(row, (0, y))
    picture, began = encoded(page), time.monotonic()
    with Decoder(uploads.LIMITS) as decoder:
        with pytest.raises(PictureError, match="takes longer than 5 seconds"):
            codes(decoder, picture)
        assert len(picture) < 100_000 and time.monotonic() - began < 10
        assert codes(decoder, GOOD) == [1]


def test_who_stops_taking_pages_ends_it() -> None:
    """Pages that nobody takes are not found among those of the next picture."""
    with Decoder() as decoder:
        pages = decoder.read(document([label(LINK)] * 5))
        first: Page = next(pages)
        assert (first.number, first.of) == (1, 5)
        pages.close()  # type: ignore[attr-defined]
        assert codes(decoder, GOOD) == [1]


def test_memory_is_bounded() -> None:
    """What would take more than there is for it is refused, and the process lives on."""
    with Decoder(Limits(pixels_max=4_000_000_000)) as decoder:
        with pytest.raises(PictureError, match=r"too much memory|damaged|breaks"):
            codes(decoder, encoded(Image.new("1", (60_000, 60_000)), "PNG"))
        assert codes(decoder, GOOD) == [1]


def test_it_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it has what a program needs to start, and no password."""
    monkeypatch.setenv("TALLYSTICK_DSN", "postgresql://me:secret@db/x")
    with Decoder() as decoder:
        codes(decoder, GOOD)
        [pid] = children()
        assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_it_stands_back_for_whoever_serves() -> None:
    """It is nice among the processes of our session: Linux may share time among sessions first, however nice they are.

    In a group of its own: Ctrl-C does not reach it.
    """
    with Decoder() as decoder:
        codes(decoder, GOOD)
        [pid] = children()
        assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
        assert os.getsid(pid) == os.getsid(0) and os.getpgid(pid) == pid


def test_it_may_not_write_nor_start_anything() -> None:
    """Its own limits, as it sets them."""
    told = subprocess.run(
        [
            sys.executable, "-c",
            "import resource as r; from labels.reading import child; child._confine();"
            "print(r.getrlimit(r.RLIMIT_FSIZE), r.getrlimit(r.RLIMIT_NPROC), r.getrlimit(r.RLIMIT_CORE))",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split(") ") == ["(0, 0", "(0, 0", "(0, 0)\n"]
