"""Claims about the files of a published ledger that are made to cost: given up before anything is made of them."""

import tracemalloc
from collections.abc import Callable

import pytest

from ledger import cbor
from ledger.errors import MalformedError
from ledger.published import blocks, content
from ledger.published.content import Content, Held, Shown
from ledger.statement import LINES_MAX

MANY = 500_000
FULL = Content(Held(bytes(32), 0, bytes(8), 1, LINES_MAX, bytes(32)), (Shown(0, 2, 60, None),) * LINES_MAX)


@pytest.mark.parametrize("item", [b"\x80", b"\xa0", b"\x84\x00\x00\x00\xf6", b"\x81" * 3 + b"\x00"])
@pytest.mark.parametrize(
    "decode",
    [lambda data: content.decode(data, 256), lambda data: blocks.decode_blocks(data, 256), blocks.decode_head],
    ids=["content", "blocks", "head"],
)
def test_tiny_items_are_not_made(decode: Callable[[bytes], object], item: bytes) -> None:
    """A megabyte of the smallest items takes no more memory than its bytes: 256 MB of them would be 20 GB."""
    data = cbor.array_head(256) + b"\x82\xf6" + cbor.array_head(MANY) + item * MANY + b"\x82\xf6\x80" * 255
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match="CBOR items"):
            decode(data)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_as_many_as_there_can_be() -> None:
    """256 erased entries with a row for each of their sections are read."""
    lines = tuple(shown._replace(line=number) for number, shown in enumerate(FULL.sections))
    full = [FULL._replace(sections=lines)] * 256
    assert content.decode(content.encode(full), 256) == full
