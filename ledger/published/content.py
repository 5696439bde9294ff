"""What stands beside the entries, as it is published: their sections, and of an erased entry what is still known."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from ledger import cbor
from ledger.errors import MalformedError
from ledger.section import SECTION_BYTES_MAX, Privacy
from ledger.statement import LANES, LINES_MAX, STREAM_BYTES

_new = tuple.__new__  # makes a named tuple at a third of what its own constructor costs
# [null, [[line, privacy, content format, bytes]]] up to the bytes, each number in its shortest form (RFC 8949, 3).
_USUAL = re.compile(
    rb"\x82\xf6\x81\x84([\x00-\x17][\x00-\x02](?:[\x00-\x17]|\x18[\x18-\xff]|\x19(?!\x00).{2}))"
    rb"(\x58[\x18-\xff]|\x59(?!\x00).{2})",
    re.DOTALL,
)
_ITEMS_MAX = 3 + 6 + LINES_MAX * 5  # of one entry's content: a held one, and its sections


class Held(NamedTuple):
    """What is known of an erased statement: its place in its stream, its number of manifest lines, its hash."""

    kid: bytes
    lane: int
    stream: bytes
    seq: int
    lines: int
    hash: bytes


class Shown(NamedTuple):
    """A section by its manifest line. `data` is None if it is withheld: erased, or not for who asks."""

    line: int
    privacy: int
    content_format: int
    data: bytes | None


class Content(NamedTuple):
    """Of one entry. `held` is None where the entry itself is to be had; a line that is not listed is lacking."""

    held: Held | None
    sections: tuple[Shown, ...]


def encode(contents: Sequence[Content]) -> bytes:
    """CBOR `[[held, [[line, privacy, content format, section or null], …]], …]`, one item an entry."""
    return cbor.encode([[held and list(held), [list(shown) for shown in sections]] for held, sections in contents])


def decode(data: bytes, width: int) -> list[Content]:
    """Read the content of `width` entries in its one encoding; any bytes give it or MalformedError."""
    return _usual(data, width) or _any(data, width)


def _usual(data: bytes, width: int) -> list[Content] | None:
    """The same where each entry is there with one section, as nearly all are: at a fifth of the cost."""
    contents, at = list[Content](), len(cbor.array_head(width))
    if not data.startswith(cbor.array_head(width)):
        return None
    for _ in range(width):
        found = _USUAL.match(data, at)
        if found is None:
            return None
        named, size = found.groups()
        start = found.end()
        at = start + int.from_bytes(size[1:])
        shown = _new(Shown, (*_named(named), data[start:at]))
        contents.append(_new(Content, (None, (shown,))))
    return contents if at == len(data) else None


@lru_cache(maxsize=4096)
def _named(named: bytes) -> tuple[int, int, int]:
    """Line, privacy and content format, as `_USUAL` finds them."""
    return named[0], named[1], named[2] if len(named) == 3 else int.from_bytes(named[3:])


def _any(data: bytes, width: int) -> list[Content]:
    match cbor.decode_canonical(data, depth_max=4, items_max=1 + width * _ITEMS_MAX):
        case [*items] if len(items) == width:
            return [_content(item) for item in items]
    raise MalformedError(f"it is not an array of the content of {width} entries")


def limited(contents: Sequence[Content], audience: Privacy) -> list[Content]:
    """The same without what is too private for `audience`."""
    return [Content(held, tuple(limit(shown, audience) for shown in sections)) for held, sections in contents]


def limit(shown: Shown, audience: Privacy) -> Shown:
    """The same section, withheld if it is too private for `audience`."""
    return shown if audience is Privacy.PRIVATE or shown.privacy <= audience else shown._replace(data=None)


def _content(item: Any) -> Content:
    match item:
        case [held, [*sections]]:
            shown = tuple(_shown(section) for section in sections)
            if any(later.line <= earlier.line for earlier, later in pairwise(shown)):
                raise MalformedError("an entry's sections are in the order of their lines, each once")
            return Content(None if held is None else _held(held), shown)
    raise MalformedError("an entry's content is [held, sections]")


def _held(value: Any) -> Held:
    match value:
        case [bytes(kid), int(lane), bytes(stream), seq, lines, bytes(hash_)]:
            fits = (len(kid), len(stream), len(hash_)) == (32, STREAM_BYTES, 32) and not isinstance(lane, bool)
            if fits and lane in LANES and cbor.is_count(seq) and cbor.is_count(lines) and lines <= LINES_MAX:
                return Held(kid, lane, stream, seq, lines, hash_)
    raise MalformedError("an erased entry is [kid, lane, stream, seq, lines, statement hash]")


def _shown(value: Any) -> Shown:
    match value:
        case [line, privacy, content_format, bytes() | None as data]:
            counts = all(cbor.is_count(number) for number in (line, privacy, content_format))
            if counts and line < 2**15 and len(data or b"") <= SECTION_BYTES_MAX:
                return Shown(line, privacy, content_format, data)
    raise MalformedError("a section is [line, privacy, content format, bytes or null]")
