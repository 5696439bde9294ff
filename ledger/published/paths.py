"""The paths at which a ledger's parts are published, read and written in their one form."""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import MalformedError
from ledger.tile import (
    LEVEL_MAX,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    entries_path,
    parse_entries_path,
    parse_tile_path,
    tile_path,
    width_in,
)

PATH_CHARS_MAX = 512
_ENTRIES = "tile/entries/"


class Kind(enum.StrEnum):
    """What is published at a path, by the word that names it there."""

    TRUST = "trust.json"
    CHECKPOINT = "checkpoint"
    HEAD = "head"
    TILE = "tile"
    ENTRIES = "entries"
    BLOCKS = "blocks"
    CONTENT = "content"


ONE_FILE = frozenset({Kind.TRUST, Kind.CHECKPOINT, Kind.HEAD})
IMMUTABLE = frozenset({Kind.TILE, Kind.ENTRIES, Kind.BLOCKS})


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at one path: of the log `origin`, but for the trust file.

    `level`, `index` and `width` are a tile's; entries, blocks and content have the last two. A width of 256 is full.
    """

    kind: Kind
    origin: str = ""
    level: int = 0
    index: int = 0
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path. Raises ValueError if nothing can have these numbers, MalformedError if no log has that origin."""
        if self.kind is Kind.TRUST:
            return str(self.kind)
        require_origin(self.origin)
        if self.kind in ONE_FILE:
            return f"{self.origin}/{self.kind}"
        if self.kind is Kind.TILE:
            return f"{self.origin}/{tile_path(self.level, self.index, self.width)}"
        position = entries_path(self.index, self.width)
        return f"{self.origin}/{position if self.kind is Kind.ENTRIES else self._beside(position)}"

    @property
    def is_partial(self) -> bool:
        """Whether a fuller one will stand beside it."""
        return self.width < TILE_WIDTH

    @property
    def tile(self) -> Tile:
        """The same as a tile of hashes."""
        return Tile(self.level, self.index, self.width)

    def _beside(self, position: str) -> str:
        return f"{self.kind}/{position.removeprefix(_ENTRIES)}"


_SEGMENT = r"[A-Za-z0-9_~-][A-Za-z0-9._~:-]{0,127}"  # no dot in front: neither "..", nor what a folder hides
_ORIGIN = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_PATH = re.compile(
    rf"(?P<origin>{_ORIGIN.pattern})/(?:(?P<one>checkpoint|head)"
    rf"|(?P<kind>tile/(?:entries|[0-9]{{1,2}})|blocks|content)(?P<position>(?:/[x0-9]{{3,4}})+(?:\.p/[0-9]{{1,3}})?))"
)


def require_origin(origin: str) -> None:
    """Raise MalformedError unless a log of this origin can be published: it is a part of paths, and of folders."""
    if len(origin) > PATH_CHARS_MAX // 2 or not _ORIGIN.fullmatch(origin):
        raise MalformedError("the origin cannot be a part of a path")
    if not frozenset(Kind).isdisjoint(origin.split("/")):
        raise MalformedError("the origin has a part that names what stands beside it")


def parse(path: str) -> Place:
    """Read a path in its one form, or raise MalformedError. Whether anything is published there is not said."""
    if path == Kind.TRUST:
        return Place(Kind.TRUST)
    match = _PATH.fullmatch(path) if isinstance(path, str) and len(path) <= PATH_CHARS_MAX else None
    if match is None:
        raise MalformedError("nothing of a ledger is published at such a path")
    require_origin(match["origin"])
    place = _place(*match.group("origin", "one", "kind", "position"))
    if place.path != path:
        raise MalformedError(f"the path is written {place.path}")
    return place


def _place(origin: str, one: str | None, kind: str, position: str) -> Place:
    if one:
        return Place(Kind(one), origin)
    if kind.startswith("tile/") and kind != "tile/entries":
        tile = parse_tile_path(kind + position)
        return Place(Kind.TILE, origin, tile.level, tile.index, tile.width)
    bundle = parse_entries_path(f"tile/entries{position}")
    return Place(Kind(kind.removeprefix("tile/")), origin, 0, bundle.index, bundle.width)


def files(size: int) -> Iterator[tuple[int, int]]:
    """Index and width of each file that holds 256 of `size` things, in order."""
    for index in range(-(-size // TILE_WIDTH)):
        yield index, width_in(size, level=0, index=index)


def tiles(origin: str, size: int) -> Iterator[Place]:
    """The hash tiles of a log of `size` entries, level by level."""
    for level in range(LEVEL_MAX + 1):
        count = size >> TILE_HEIGHT * level
        if not count:
            return
        for index, width in files(count):
            yield Place(Kind.TILE, origin, level, index, width)


def places(origin: str, size: int, blocks: int, *, entries: bool, content: bool) -> Iterator[Place]:
    """All that is published of a log of `size` entries in so many blocks, but for its head and checkpoint."""
    yield from tiles(origin, size)
    for kind, count in ((Kind.ENTRIES, size * entries), (Kind.BLOCKS, blocks), (Kind.CONTENT, size * content)):
        for index, width in files(count):
            yield Place(kind, origin, 0, index, width)
