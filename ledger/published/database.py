"""What is published, out of the database: up to each chain's checkpoint file, and not beyond."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from ledger import checkpoint_file, read
from ledger.checkpoint_file import Published
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.published import blocks, content
from ledger.published.blocks import Block
from ledger.published.content import Content, Held, Shown
from ledger.published.paths import Kind, Place
from ledger.published.policy import Policy, parse
from ledger.published.reader import FILE_BYTES_MAX, NotPublishedError
from ledger.registry import ANCHOR, REGISTRY
from ledger.section import Privacy
from ledger.tile import TILE_WIDTH, encode_entries, width_in
from ledger.tree_store import entry_id, fetch_tiles, index_of

# What 256 entries may bring with them is 4 GB; what is beyond this is withheld here, and still proven by bundles.
CONTENT_BYTES_MAX = FILE_BYTES_MAX // 2

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _Chain:
    name: str
    chain_id: int


class DatabaseReader:
    """Renders any published path for an `audience`, at the width asked for: that of any size published so far.

    It reads by its caller's connection, and leaves the transaction there to its caller; best is one that commits by
    itself. `public` names the chains whose entries all may see. Not safe to share between threads.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        folder: LedgerFolder,
        audience: Privacy = Privacy.PRIVATE,
        public: Collection[str] = (),
    ) -> None:
        self._connection, self._folder = connection, folder
        self._policy = Policy.of(audience, public)
        rows = connection.execute("select origin, name, chain_id from chain").fetchall()
        self._chains: Mapping[str, _Chain] = {origin: _Chain(name, chain_id) for origin, name, chain_id in rows}

    def read(self, path: str) -> bytes:
        """The bytes at `path`, or NotPublishedError, or NotForYouError. Raises UserError if the ledger is damaged."""
        place = parse(path)
        if place.kind is Kind.TRUST:
            return self._trust().encode()
        chain = self._chains.get(place.origin)
        published = checkpoint_file.load(self._folder.checkpoints, chain.name) if chain else None
        if chain is None or published is None:
            raise NotPublishedError("there is no such log, or it has published nothing yet")
        self._policy.require(place, chain.name)
        return self._render(place, chain, published)

    def _trust(self) -> str:
        """The trust file, with what root keys have said since."""
        trust, registry = self._folder.trust(), checkpoint_file.load(self._folder.checkpoints, REGISTRY)
        messages = read.root_messages(self._connection, registry.checkpoint.size) if registry else []
        return trust.following(messages).text if len(messages) > 1 else self._folder.trust_file.read_text("utf-8")

    def _render(self, place: Place, chain: _Chain, published: Published) -> bytes:
        if place.kind is Kind.CHECKPOINT:
            return published.note.encode()
        if place.kind is Kind.HEAD:
            return self._head(chain, published)
        count = self._head_row(chain, published)[0] + 1 if place.kind is Kind.BLOCKS else published.checkpoint.size
        if place.width > width_in(count, level=place.level, index=place.index):
            raise NotPublishedError("the log is not as large")
        try:
            return self._file(place, chain)
        except LookupError as error:
            self._require_reached(chain, published)
            what = f"the database lacks a part of {place.path}, which is published"
            raise UserError(what, "run 'tallystick ledger audit'") from error

    def _file(self, place: Place, chain: _Chain) -> bytes:
        if place.kind is Kind.TILE:
            return fetch_tiles(self._connection, chain.chain_id, [place.tile])[0]
        first = place.index * TILE_WIDTH
        if place.kind is Kind.BLOCKS:
            return blocks.encode_blocks(self._blocks(chain, first, place.width))
        if place.kind is Kind.ENTRIES:
            return encode_entries(self._entries(chain, first, place.width))
        if chain.name == ANCHOR:
            raise NotPublishedError("nothing stands beside the anchor's entries")
        return content.encode(content.limited(self._contents(chain, first, place.width), self._policy.audience))

    def _head(self, chain: _Chain, published: Published) -> bytes:
        return blocks.encode_head(Block(self._head_row(chain, published)[1], published.note))

    def _head_row(self, chain: _Chain, published: Published) -> tuple[int, bytes]:
        """Height and header of the block that the published checkpoint is of."""
        row = self._connection.execute(
            "select height, header from block where chain_id = %s and size = %s",
            [chain.chain_id, published.checkpoint.size],
        ).fetchone()
        if row is None:
            self._require_reached(chain, published)
            what = f"{chain.name!r} has published {published.checkpoint.size} entries, and no such block is here"
            raise UserError(what, "was a backup restored? run 'tallystick ledger audit'")
        return row[0], bytes(row[1])

    def _require_reached(self, chain: _Chain, published: Published) -> None:
        read.require_reached(self._connection, chain.chain_id, chain.name, published.checkpoint.size)

    def _blocks(self, chain: _Chain, first: int, width: int) -> list[Block]:
        rows = self._connection.execute(
            """select header, checkpoint from block
                where chain_id = %s and height >= %s and height < %s order by height""",
            [chain.chain_id, first, first + width],
        ).fetchall()
        return _all([Block(bytes(header), checkpoint) for header, checkpoint in rows], width)

    def _entries(self, chain: _Chain, first: int, width: int) -> list[bytes]:
        rows = self._connection.execute(
            "select data from entry where entry_id >= %s and entry_id < %s order by entry_id",
            [entry_id(chain.chain_id, first), entry_id(chain.chain_id, first + width)],
        ).fetchall()
        return _all([bytes(data or b"") for (data,) in rows], width)

    def _contents(self, chain: _Chain, first: int, width: int) -> list[Content]:
        span = [entry_id(chain.chain_id, first), entry_id(chain.chain_id, first + width)]
        sections: dict[int, list[Shown]] = {}
        for entry, line, privacy, content_format, data in self._connection.execute(
            """select entry_id, line, privacy, content_format,
                      case when sum(octet_length(data)) over (order by entry_id, line) <= %s then data end
                 from section where entry_id >= %s and entry_id < %s order by entry_id, line""",
            [CONTENT_BYTES_MAX, *span],
        ):
            shown = Shown(line, privacy, content_format, None if data is None else bytes(data))
            sections.setdefault(index_of(entry), []).append(shown)
        rows = self._connection.execute(
            """select e.entry_id, e.data is null, s.kid, s.lane, s.stream, e.seq, e.lines, e.statement_hash
                 from entry e left join stream s on s.stream_id = e.stream_id and s.chain_id = e.entry_id >> 40
                where e.entry_id >= %s and e.entry_id < %s order by e.entry_id""",
            span,
        ).fetchall()
        return _all([_content(row, sections.get(index_of(row[0]), [])) for row in rows], width)


def _content(row: tuple[object, ...], sections: list[Shown]) -> Content:
    _, erased, kid, lane, stream, seq, lines, statement_hash = row
    if not erased:
        return Content(None, tuple(sections))
    if not (isinstance(kid, bytes) and isinstance(stream, bytes) and isinstance(statement_hash, bytes)):
        raise LookupError("an erased entry is in no stream")
    assert isinstance(lane, int) and isinstance(seq, int) and isinstance(lines, int)
    return Content(Held(kid, lane, stream, seq, lines, statement_hash), tuple(sections))


def _all(found: list[_Item], width: int) -> list[_Item]:
    if len(found) != width:
        raise LookupError(f"{len(found)} are there of {width}")
    return found
