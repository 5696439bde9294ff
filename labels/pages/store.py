"""What a page is made of, read from the database. Only public sections of published entries are looked at."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from labels.pages.history import EventRow, Source, Told
from ledger import checkpoint_file, epcis
from ledger.checkpoint import Checkpoint
from ledger.epc_urn import by_links
from ledger.errors import MalformedError
from ledger.folder import LedgerFolder
from ledger.section import ContentFormat, Privacy, Section
from ledger.senml import TIME_MAX
from ledger.tree_store import INDEX_BITS, chain_of, entry_id, index_of

EVENTS_MAX = 200  # about one identifier
EVENT_BYTES_MAX = 8 * 1024 * 1024  # on one page
RELATIONS_MAX = 100  # what it was in, or had on it, before it matters
READINGS_MAX = 100_000  # looked at in a window, to find the sections that hold them
STATEMENTS_MAX = 1_000  # of readings in a window
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains by row id: their names, and the published checkpoint of each that has one."""

    names: Mapping[int, str]
    checkpoints: Mapping[int, Checkpoint]

    @property
    def ranges(self) -> tuple[list[int], list[int]]:
        """The published entries: first ids, and ids after the last."""
        sizes = {chain: checkpoint.size for chain, checkpoint in self.checkpoints.items()}
        return [entry_id(c, 0) for c in sizes], [entry_id(c, size) for c, size in sizes.items()]

    @property
    def by_name(self) -> dict[str, Checkpoint]:
        """The published checkpoint of each chain, by the chain's name."""
        return {self.names[chain]: checkpoint for chain, checkpoint in self.checkpoints.items()}

    def size(self, name: str) -> int:
        """The published size of a chain; 0 before the first checkpoint."""
        return next((c.size for chain, c in self.checkpoints.items() if self.names[chain] == name), 0)

    def place(self, entry: int) -> tuple[str, int]:
        """The chain's name and the index of an entry."""
        return self.names[chain_of(entry)], index_of(entry)

    def entry(self, chain: str, index: int) -> int:
        """The id of an entry."""
        return entry_id(next(number for number, name in self.names.items() if name == chain), index)

    def has(self, entry: int) -> bool:
        """Whether an entry is published."""
        checkpoint = self.checkpoints.get(chain_of(entry))
        return checkpoint is not None and index_of(entry) < checkpoint.size


@dataclass(frozen=True, slots=True)
class Sections:
    """Where readings are; `cut` if there are more, older ones."""

    sources: tuple[Source, ...]
    cut: bool


def chains(connection: psycopg.Connection, folder: LedgerFolder) -> Chains:
    """What is published now; the database has all of it by then."""
    names: dict[int, str] = dict(connection.execute("select chain_id, name from chain").fetchall())
    published = {chain: checkpoint_file.load(folder.checkpoints, name) for chain, name in names.items()}
    return Chains(names, {chain: found.checkpoint for chain, found in published.items() if found is not None})


# The lateral joins are by primary key, row by row, whatever the planner thinks of tables it has no statistics of; and
# what is not public is no step on the way to what is: else the time that it takes would tell how much of it there is.
_EVENTS = """
with about as materialized (
  select distinct entry_id, section from event_item i
   where (case when is_public is not false then uri end) = %(uri)s and role in (0, 1)
     and exists (select from unnest(%(first)s::bigint[], %(after)s::bigint[]) p(first, after)
                  where i.entry_id >= p.first and i.entry_id < p.after)),
said as materialized (
  select a.entry_id, a.section, e.ts, e.type, s.bytes from about a
   cross join lateral (select ts, type from event where (entry_id, section) = (a.entry_id, a.section) limit 1) e
   cross join lateral (select octet_length(data) as bytes from section
                        where (entry_id, line) = (a.entry_id, a.section) and privacy = %(public)s limit 1) s
   where s.bytes is not null),
before as (
  select entry_id, section, bytes, 0 as part, row_number() over told as place
    from said where ts < %(start)s and type <> 'ObjectEvent'
  window told as (order by ts desc, entry_id desc, section) order by place limit %(relations)s),
later as (
  select entry_id, section, bytes, 1 as part, row_number() over told as place
    from said where ts >= %(start)s window told as (order by ts, entry_id, section) order by place limit %(most)s + 1),
found as (
  select entry_id, section, place, sum(bytes) over (order by part, place) as so_far
    from (select * from before union all select * from later) both_of_them)
select entry_id, section,
       case when place <= %(most)s and so_far <= %(bytes)s
            then (select data from section s where (s.entry_id, s.line) = (found.entry_id, found.section)) end
  from found"""


def events_of(
    connection: psycopg.Connection, published: Chains, uri: str, start: float, *, bytes_max: int = EVENT_BYTES_MAX
) -> Told:
    """The public events about `uri` from `start` on, and its relations before, as `history.trace` asks for them.

    What the first of them are signed in is read, up to `bytes_max`; of the rest it is told that they are there.
    """
    first, after = published.ranges
    parameters = {
        "uri": uri,
        "public": Privacy.PUBLIC,
        "first": first,
        "after": after,
        "start": _moment(start),
        "most": EVENTS_MAX,
        "relations": RELATIONS_MAX,
        "bytes": bytes_max,
    }
    rows = connection.execute(_EVENTS.encode(), parameters).fetchall()
    found = [row for entry, line, data in rows if data for row in _event(Source(entry, line), bytes(data))]
    size = sum(len(data) for _, _, data in rows if data)
    return Told(tuple(found), cut=any(data is None for _, _, data in rows), size=size)


def _event(source: Source, data: bytes) -> list[EventRow]:
    """The event that was signed, by links; what the gateway could not read is in no table."""
    try:
        return [EventRow(source, by_links(epcis.decode(Section.decode(data).body)))]
    except MalformedError:
        return []


_READINGS = """
with held as materialized (
  (select entry_id, section from reading
    where device_id = %(device)s and ts >= %(start)s and ts <= %(end)s order by ts desc limit %(most)s)
  union all
  (select entry_id, section from reading_other
    where device_id = %(device)s and ts >= %(start)s and ts <= %(end)s order by ts desc limit %(most)s)),
places as materialized (select entry_id, section, sum(count(*)) over () as n from held group by entry_id, section)
select h.entry_id, h.section, h.n from places h
 cross join lateral (select from section s
                      where (s.entry_id, s.line) = (h.entry_id, h.section) and s.privacy = %(public)s
                        and s.content_format = %(senml)s and s.data is not null limit 1) s
 where exists (select from unnest(%(first)s::bigint[], %(after)s::bigint[]) p(first, after)
                where h.entry_id >= p.first and h.entry_id < p.after)
 order by h.entry_id desc, h.section desc limit %(sections)s"""


def reading_sections(
    connection: psycopg.Connection, published: Chains, device: str, start: float, end: float
) -> Sections:
    """The public sections that hold readings of `device` (a URN) in a span of time, the newest first."""
    row = connection.execute("select device_id from device where urn = %s", [device]).fetchone()
    if row is None:
        return Sections((), False)
    first, after = published.ranges
    rows = connection.execute(
        _READINGS.encode(),
        {
            "device": row[0],
            "start": _moment(start),
            "end": _moment(end),
            "most": READINGS_MAX,
            "public": Privacy.PUBLIC,
            "senml": ContentFormat.SENML_CBOR,
            "first": first,
            "after": after,
            "sections": STATEMENTS_MAX + 1,
        },
    ).fetchall()
    cut = len(rows) > STATEMENTS_MAX or any(n >= READINGS_MAX for _, _, n in rows)
    return Sections(tuple(Source(entry, line) for entry, line, _ in rows[:STATEMENTS_MAX]), cut)


def limits(connection: psycopg.Connection) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """The lowest and highest good value of each metric (name, unit) that has limits."""
    rows = connection.execute(
        "select name, unit, lo, hi from metric where lo is not null or hi is not null limit 10000"
    )
    return {(name, unit): (lo, hi) for name, unit, lo, hi in rows}


def findings(connection: psycopg.Connection, entries: Iterable[int]) -> dict[int, list[str]]:
    """What the gateway found wrong with these entries."""
    found: dict[int, list[str]] = {}
    query = "select about, reason from finding where about = any(%s) order by entry_id, section limit 1000"
    for about, reason in connection.execute(query, [list(entries)]):
        found.setdefault(about, []).append(reason)
    return found


def statement_place(connection: psycopg.Connection, published: Chains, statement_hash: str) -> tuple[str, int] | None:
    """Chain and index of a published statement that has a public section, by its hash in hexadecimal."""
    if not _HASH.fullmatch(statement_hash):
        return None
    rows: Sequence[tuple[int]] = connection.execute(
        """select entry_id from entry e where statement_hash = %s
              and exists (select from section s where s.entry_id = e.entry_id and s.privacy = %s) limit 10""",
        [bytes.fromhex(statement_hash), Privacy.PUBLIC],
    ).fetchall()
    return next((published.place(entry) for (entry,) in rows if published.has(entry)), None)


def _moment(time: float) -> datetime:
    """A time as PostgreSQL takes it, at most the calendar's ends."""
    return datetime.fromtimestamp(min(max(time, 0.0), float(TIME_MAX)), UTC)


assert INDEX_BITS == 40  # 001_core.sql says so too
