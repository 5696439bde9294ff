"""Where an item was and which sensors were with it, told by the events about it. Pure: rows come in by a callback.

A *stay* is a span of time in which the item was somewhere, first of all in itself: a container it was packed into,
the container's container, and so on. What is said of a container while the item stays in it is said of the item. A
*step* is one event of that kind. A *window* is a device and the span of time in which its readings belong to the
item, by the word of the steps that opened it: an event that names the device's readings (EPCIS 2.0, 7.3.7.3), or an
association of the device with the item or what it was in.

Times are seconds since 1970. All that an event says is its signer's claim.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from ledger.epcis import Event

DEPTH_MAX = 4
STAYS_MAX = 24
STEPS_MAX = 200
WINDOWS_MAX = 64


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """The section that says something: the integer id of its entry, and its line."""

    entry_id: int
    line: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event, by links (`ledger.epc_urn.by_links`), and where it was said."""

    source: Source
    event: Event

    @property
    def order(self) -> tuple[float, Source]:
        """By the event's own time; what was sealed first is first among equals."""
        return self.event.time, self.source


@dataclass(frozen=True, slots=True)
class Told:
    """The events about one identifier, in any order, of `size` bytes; `cut` if there are more than were read."""

    rows: tuple[EventRow, ...]
    cut: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class Stay:
    """From `start` to `end` the item was in `uri`, by way of `inside`: the item's own identifier, then its container's.

    The item's stay in itself has no `inside`, and no end.
    """

    uri: str
    start: float = -inf
    end: float = inf
    inside: tuple[str, ...] = ()

    def clip(self, start: float, end: float) -> tuple[float, float]:
        """The part of a span that lies in this stay."""
        return max(start, self.start), min(end, self.end)


@dataclass(frozen=True, slots=True)
class Step:
    """An event about the item, or about what it was in."""

    row: EventRow
    stay: Stay


@dataclass(frozen=True, slots=True)
class Window:
    """The readings of `device` from `start` to `end`, both included, belong to the item, say `sources`."""

    device: str
    start: float
    end: float
    sources: tuple[Source, ...]


@dataclass
class History:
    """What was found. `cut` if there is more, which the limits kept out."""

    steps: list[Step] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    """A relation's time: `end` is None while nothing says that it ended."""

    partner: str
    start: float
    end: float | None
    source: Source


def trace(item: str, *, now: float, events_of: Callable[[str, float], Told]) -> History:
    """The history of `item`, an EPC. `events_of(uri, start)` reads the events about `uri`.

    It must give those from `start` on, and of those before it the ones that say what `uri` was in or had on it.
    """
    found, queue = History(), [Stay(item)]
    seen: set[Source] = set()
    while queue:
        stay = queue.pop(0)
        told = events_of(stay.uri, stay.start)
        rows = sorted(told.rows, key=lambda row: row.order)
        stay = _until_emptied(stay, rows)
        if told.cut:  # nothing is claimed beyond what was read
            found.cut, stay = True, replace(stay, end=min(stay.end, rows[-1].event.time if rows else stay.start))
        found.stays.append(stay)
        found.steps += [Step(row, stay) for row in rows if row.source not in seen and _belongs(row, stay)]
        seen |= {step.row.source for step in found.steps}
        found.windows += _windows(rows, stay, now)
        queue += _containers(rows, stay)
        if queue and len(found.stays) >= STAYS_MAX:
            found.cut = True
            break
    return _bounded(found)


def _bounded(found: History) -> History:
    found.steps.sort(key=lambda step: step.row.order)
    windows = sorted(merged(found.windows), key=lambda window: (window.start, window.device))
    found.cut |= len(found.steps) > STEPS_MAX or len(windows) > WINDOWS_MAX
    found.steps, found.windows = found.steps[:STEPS_MAX], windows[:WINDOWS_MAX]
    return found


def _belongs(row: EventRow, stay: Stay) -> bool:
    """It was said of where the item was, then; and not of others that were put into the same container."""
    event = row.event
    if not stay.start <= event.time <= stay.end:
        return False
    if event.type != "AggregationEvent" or event.parent != stay.uri or not (stay.inside and event.epcs):
        return True
    return any(uri in event.epcs for uri in stay.inside)


def _until_emptied(stay: Stay, rows: Iterable[EventRow]) -> Stay:
    """A DELETE that names no children takes all of them out (EPCIS 2.0, 7.4.3)."""
    if not stay.inside:
        return stay
    for event in (row.event for row in rows):
        emptied = _is(event, "AggregationEvent", "DELETE") and event.parent == stay.uri and not _children(event)
        if emptied and event.time > stay.start:
            return replace(stay, end=min(stay.end, event.time))
    return stay


def _containers(rows: Sequence[EventRow], stay: Stay) -> list[Stay]:
    """What `stay.uri` was packed into, while the item was in it."""
    inside = (*stay.inside, stay.uri)
    if len(inside) > DEPTH_MAX:
        return []
    held = [
        (row, row.event.parent)
        for row in rows
        if row.event.type == "AggregationEvent" and row.event.parent and stay.uri in row.event.epcs
    ]
    stays = []
    for span in _spans(held):
        start, end = stay.clip(span.start, inf if span.end is None else span.end)
        if start <= end and span.partner not in inside:
            stays.append(Stay(span.partner, start, end, inside))
    return stays


def _windows(rows: Sequence[EventRow], stay: Stay, now: float) -> list[Window]:
    return [*_named(rows, stay), *_associated(rows, stay, now)]


def _named(rows: Sequence[EventRow], stay: Stay) -> list[Window]:
    """The readings that events name themselves."""
    windows = []
    for row in rows:
        if stay.start <= row.event.time <= stay.end:
            for sensor in row.event.sensors:
                start, end = stay.clip(sensor.start, sensor.end)
                windows.append(Window(sensor.device, start, end, (row.source,)))
    return [window for window in windows if window.start <= window.end]


def _associated(rows: Sequence[EventRow], stay: Stay, now: float) -> list[Window]:
    """The devices that were on `stay.uri`, until taken off, or it was received, or now."""
    linked = [(row, device) for row in rows for device in _devices(row.event, stay.uri, rows)]
    windows = []
    for span in _spans(linked):
        until = _received(rows, stay.uri, span.start, now) if span.end is None else span.end
        start, end = stay.clip(span.start, until)
        if start <= end:
            windows.append(Window(span.partner, start, end, (span.source,)))
    return windows


def _devices(event: Event, uri: str, rows: Sequence[EventRow]) -> Sequence[str]:
    """Whom an association puts on `uri`, or takes off: a DELETE that names none takes off all."""
    if event.type != "AssociationEvent":
        return ()
    if event.parent != uri:
        return (event.parent,) if event.parent and uri in event.epcs else ()
    if event.epcs or event.action != "DELETE":
        return event.epcs
    return tuple({epc for row in rows if _is(row.event, "AssociationEvent", "ADD") for epc in row.event.epcs})


def _received(rows: Sequence[EventRow], uri: str, after: float, now: float) -> float:
    """When `uri` was next received, or now."""
    times = (row.event.time for row in rows if row.event.biz_step == "receiving" and uri in row.event.epcs)
    return next((time for time in sorted(times) if time > after), now)


def _spans(linked: Iterable[tuple[EventRow, str]]) -> list[_Span]:
    """Pair each ADD with the next DELETE of the same partner; `linked` is in the order of time."""
    open_spans: dict[str, _Span] = {}
    closed = []
    for row, partner in linked:
        if row.event.action == "ADD":
            open_spans.setdefault(partner, _Span(partner, row.event.time, None, row.source))
        elif row.event.action == "DELETE" and partner in open_spans:
            closed.append(replace(open_spans.pop(partner), end=row.event.time))
    return [*closed, *open_spans.values()]


def merged(windows: Iterable[Window]) -> list[Window]:
    """The same spans without overlaps: one device's windows that meet become one, with the sources of all."""
    out: list[Window] = []
    for window in sorted(windows, key=lambda window: (window.device, window.start, window.end)):
        last = out[-1] if out else None
        if last and last.device == window.device and window.start <= last.end:
            sources = tuple(sorted({*last.sources, *window.sources}))
            out[-1] = Window(last.device, last.start, max(last.end, window.end), sources)
        else:
            out.append(window)
    return out


def _is(event: Event, kind: str, action: str) -> bool:
    return event.type == kind and event.action == action


def _children(event: Event) -> bool:
    return bool(event.epcs or event.document.get("childQuantityList"))
