"""Writing a block's rows into the tables that people query, inside the sealing transaction."""

from collections.abc import Callable, Sequence, Set
from itertools import compress
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ledger import cbor, epc_urn, pgcopy, read
from ledger.projection.content import EventRow, Finding, Pack, Rows
from ledger.section import Section
from ledger.statement import Statement
from ledger.tree_store import entry_id

Read = tuple[int, Statement, Sequence[Section | None]]  # an entry's id, and it with its sections by line
METRICS_KEPT = 100_000  # in memory: a device may name as many as it likes
_OBJECT, _PARENT, _DEVICE = 0, 1, 2
# What the tables may refuse for what it is: its values, its size, and (53200) more locks than there are, as when
# one pack has readings in a thousand of TimescaleDB's chunks. All else is the world's, and is tried again.
_REFUSALS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.OutOfMemory,
)


class Projection:
    """Remembers the integer ids of devices and metrics. Made anew whenever a transaction failed."""

    def __init__(self, connection: psycopg.Connection, device_name: Callable[[str], str]) -> None:
        self._connection, self._device_name = connection, device_name
        self._devices: dict[str, int] = {}
        self._metrics: dict[tuple[str, str], int] = {}

    def take(self, entries: Sequence[Read]) -> list[Finding]:
        """Write these entries' rows. Content stops nothing: what cannot be read or written becomes a finding."""
        rows = Rows()
        for entry, statement, sections in entries:
            rows.read(statement, sections, entry)
        try:
            with self._connection.transaction():
                self.write(rows)
        except _REFUSALS as error:
            self._devices.clear()  # what was learned in it went with the transaction
            self._metrics.clear()
            if half := len(entries) // 2:  # find out whose it is: nobody answers for a neighbour's content
                return self.take(entries[:half]) + self.take(entries[half:])
            reason = f"not taken by the tables: {type(error).__name__}"  # its words may quote what is private
            rows.findings += [Finding(entry, line, reason) for entry, line in sorted(rows.sources)]
        return rows.findings

    def write(self, rows: Rows) -> None:
        """Write readings and events; findings are the writer's to sign."""
        if len(self._metrics) > METRICS_KEPT:
            self._metrics.clear()
        packs = [_Columns(pack) for pack in rows.packs if pack.readings.series]
        self._learn_devices({columns.pack.device for columns in packs} - self._devices.keys())
        self._learn_metrics({metric for columns in packs for metric in columns.metrics.values()} - self._metrics.keys())
        self._copy_numbers([columns for columns in packs if columns.has_numbers])
        self._copy_others([columns for columns in packs if columns.has_others])
        if rows.events:
            self._insert_events(rows.events)

    def _copy_numbers(self, packs: Sequence["_Columns"]) -> None:
        if packs:
            columns = "(ts, metric_id, value, device_id, quality, entry_id, section)"
            rows = (pack.numbers(*self._ids(pack)) for pack in packs)
            pgcopy.write(self._connection, f"reading {columns}", rows)

    def _copy_others(self, packs: Sequence["_Columns"]) -> None:
        columns = "(ts, device_id, metric_id, text, boolean, bytes, quality, entry_id, section)"
        types = ["int8", "int4", "int4", "text", "bool", "bytea", "int2", "int8", "int2"]
        self._copy(f"reading_other {columns}", types, [row for pack in packs for row in pack.others(*self._ids(pack))])

    def _ids(self, columns: "_Columns") -> tuple[int, list[int]]:
        """The device's id, and the metric's of each reading."""
        of = {series: self._metrics[metric] for series, metric in columns.metrics.items()}
        return self._devices[columns.pack.device], [of[series] for series in columns.series]

    def _copy(self, target: str, types: list[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        statement = f"copy {target} from stdin (format binary)".encode()
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    # New rows are added all at once, devices first and in one order everywhere: so two chains never deadlock.

    def _learn_devices(self, urns: Set[str]) -> None:
        if urns:
            known = list(urns)
            self._connection.execute(
                """insert into device (urn, name)
                   select urn, name from unnest(%s::text[], %s::text[]) new (urn, name)
                    order by urn on conflict do nothing""",
                [known, [self._device_name(urn) for urn in known]],
            )
            rows = self._connection.execute("select urn, device_id from device where urn = any(%s)", [known])
            self._devices.update(rows.fetchall())

    def _learn_metrics(self, metrics: Set[tuple[str, str]]) -> None:
        if metrics:
            columns = [list(column) for column in zip(*metrics, strict=True)]
            self._connection.execute(
                """insert into metric (name, unit)
                   select name, unit from unnest(%s::text[], %s::text[]) new (name, unit)
                    order by name, unit on conflict do nothing""",
                columns,
            )
            rows = self._connection.execute(
                """select name, unit, metric_id from metric
                     join unnest(%s::text[], %s::text[]) asked (name, unit) using (name, unit)""",
                columns,
            )
            self._metrics.update({(name, unit): number for name, unit, number in rows})

    def _insert_events(self, rows: Sequence[EventRow]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(
                """insert into event (entry_id, section, ts, type, action, biz_step, disposition, read_point,
                                      biz_location, document)
                   values (%s, %s, to_timestamp(%s), %s, %s, %s, %s, %s, %s, %s)""",
                [_event(row) for row in rows],
            )
        items = [(uri, row.entry_id, row.line, role, row.is_public) for row in rows for uri, role in _items(row)]
        types = ["text", "int8", "int2", "int2", "bool"]
        self._copy("event_item (uri, entry_id, section, role, is_public)", types, items)


_NUMBERS = pgcopy.Format("int8", "int4", "float8", same=("int4", "int2", "int8", "int2"))


class _Columns:
    """A pack by its columns: what its readings share is looked up once."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.series, times, values, kinds = pack.readings
        start = len(pack.device) + 1  # a reading's name is the device's URN, a colon, and the metric's
        self.metrics = {series: (series[0][start:], series[1]) for series in kinds}
        self._timestamps = pgcopy.timestamps(times)
        self._values: Sequence[Any] = values
        types = set(map(type, values))
        self.has_numbers, self.has_others = float in types, types != {float}

    def numbers(self, device: int, metrics: Sequence[int]) -> bytes:
        """The rows of the readings that are numbers, encoded."""
        columns: tuple[Sequence[Any], ...] = (self._timestamps, metrics, self._values)
        if self.has_others:
            is_number = [type(value) is float for value in self._values]
            columns = tuple(list(compress(column, is_number)) for column in columns)
        pack = self.pack
        return _NUMBERS.encode(_NUMBERS.same(device, pack.quality, pack.entry_id, pack.line), *columns)

    def others(self, device: int, metrics: Sequence[int]) -> list[tuple[Any, ...]]:
        """The rows of the readings that are not, as the table `reading_other` has them."""
        return [
            (time, device, metric, *_other(value), self.pack.quality, self.pack.entry_id, self.pack.line)
            for time, metric, value in zip(self._timestamps, metrics, self._values, strict=True)
            if type(value) is not float
        ]


def _other(value: object) -> tuple[str | None, bool | None, bytes | None]:
    text = value.replace("\x00", "\ufffd") if isinstance(value, str) else None  # text in PostgreSQL has no NUL
    return text, value if isinstance(value, bool) else None, value if isinstance(value, bytes) else None


def _event(row: EventRow) -> tuple[Any, ...]:
    event = row.event
    return (
        row.entry_id,
        row.line,
        event.time,
        event.type,
        event.action,
        event.biz_step,
        event.disposition,
        event.read_point,
        event.biz_location,
        Jsonb(event.document),
    )


def _items(row: EventRow) -> list[tuple[str, int]]:
    """What an event names, and as what; what it names by a URN by the Digital Link of that as well."""
    event = row.event
    linked = epc_urn.by_links(event)
    objects = dict.fromkeys((*event.epcs, *linked.epcs))
    parents = dict.fromkeys(uri for uri in (event.parent, linked.parent) if uri)
    devices = {window.device for window in event.sensors}
    as_what = ((objects, _OBJECT), (parents, _PARENT), (devices, _DEVICE))
    return [(uri, role) for uris, role in as_what for uri in uris]


def write_registry(connection: psycopg.Connection, entry: int, line: int, body: bytes) -> None:
    """Rows for findings and label batches; keys are not projected but folded from the entries."""
    match cbor.decode(body):
        case {"type": "finding", "chain": str(chain), "items": [[int(index), int(), str(reason)], *_]}:
            connection.execute(
                "insert into finding (entry_id, section, reason, about) values (%s, %s, %s, %s)",
                [entry, line, reason, entry_id(read.chain_id(connection, chain), index)],
            )
        case {"type": "label-batch", "gtin": str(gtin), "lot": str(lot), "size": int(size), "root": bytes(root)}:
            connection.execute(
                """insert into label_batch (entry_id, gtin, lot, size, root) values (%s, %s, %s, %s, %s)
                   on conflict do nothing""",
                [entry, gtin, lot, size, root],
            )
        case {"type": "label-finding", "root": bytes(root), "reason": str(reason)}:
            connection.execute(
                """insert into finding (entry_id, section, reason, about)
                   values (%s, %s, %s, (select entry_id from label_batch where root = %s order by entry_id limit 1))""",
                [entry, line, reason, root],
            )
