"""What the registry says was shredded: sections, by chain, index and manifest line."""

from collections.abc import Iterator
from typing import NamedTuple

from ledger import cbor, registry
from ledger.errors import MalformedError
from ledger.published.log import PublishedLog
from ledger.published.paths import files
from ledger.section import ContentFormat, Section
from ledger.tile import TILE_WIDTH


class Item(NamedTuple):
    """A section that is to be nowhere any more."""

    chain: str
    entry: int
    line: int


def since(log: PublishedLog, first: int, size: int) -> Iterator[Item]:
    """The items of the shreddings in the entries `first` to `size - 1` of the registry."""
    for number, width in files(size):
        if (number + 1) * TILE_WIDTH <= first:
            continue
        for index, content in enumerate(log.content(number, width), number * TILE_WIDTH):
            for shown in content.sections if index >= first else ():
                if shown.content_format == ContentFormat.REGISTRY and shown.data is not None:
                    yield from _items(shown.data)


def _items(data: bytes) -> Iterator[Item]:
    """Whether its signer might say so is not looked at: to look again at what was not shredded costs little."""
    try:
        entry = registry.decode(Section.decode(data).body)
    except MalformedError:
        return
    match entry:
        case {"type": "shredding", "chain": str(chain), "items": [*items]}:
            for item in items:
                match item:
                    case [index, line] if cbor.is_count(index) and cbor.is_count(line):
                        yield Item(chain, index, line)
