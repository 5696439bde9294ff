"""Where an item was, and which sensors were with it, as the events about it tell."""

from collections.abc import Iterable
from math import inf
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from labels.pages.history import DEPTH_MAX, STAYS_MAX, EventRow, History, Source, Stay, Told, Window, merged, trace
from ledger import epcis

ITEM, CASE, PALLET, TRUCK = (f"https://example.com/{name}" for name in ("item", "case", "pallet", "truck"))
LOGGER, PROBE = "urn:uuid:logger", "urn:uuid:probe"
NOW = 1_000.0


def row(number: int, time: float, kind: str = "ObjectEvent", action: str = "OBSERVE", **fields: Any) -> EventRow:
    """Event `number`, at `time` seconds after the beginning of 1970."""
    moment = f"1970-01-01T{int(time) // 3600:02}:{int(time) % 3600 // 60:02}:{time % 60:06.3f}Z"
    document = {"type": kind, "action": action, "eventTime": moment, "eventTimeZoneOffset": "+00:00", **fields}
    return EventRow(Source(number, 0), epcis.read(document))


def seen(number: int, time: float, *epcs: str, **fields: Any) -> EventRow:
    """An object event."""
    return row(number, time, epcList=list(epcs), **fields)


def packed(number: int, time: float, into: str, *epcs: str, action: str = "ADD") -> EventRow:
    """An aggregation."""
    return row(number, time, "AggregationEvent", action, parentID=into, childEPCs=list(epcs))


def attached(number: int, time: float, to: str, *devices: str, action: str = "ADD") -> EventRow:
    """An association."""
    return row(number, time, "AssociationEvent", action, parentID=to, childEPCs=list(devices))


def history(rows: Iterable[EventRow]) -> History:
    """What is traced of ITEM, if the database holds `rows`."""
    kept = list(rows)

    def events_of(uri: str, start: float) -> Told:
        about = [r for r in kept if uri in r.event.epcs or uri == r.event.parent]
        return Told(tuple(r for r in about if r.event.time >= start or r.event.type != "ObjectEvent"))

    return trace(ITEM, now=NOW, events_of=events_of)


def numbers(found: History) -> list[int]:
    """The events of the history, in its order."""
    return [step.row.source.entry_id for step in found.steps]


def windows(found: History) -> list[tuple[str, float, float]]:
    """The windows, without who says so."""
    return [(window.device, window.start, window.end) for window in found.windows]


def test_steps_are_in_the_order_of_time() -> None:
    """Events are told by their own time, however they were sealed."""
    assert numbers(history([seen(2, 50, ITEM), seen(1, 70, ITEM), seen(3, 10, ITEM), seen(4, 60, CASE)])) == [3, 2, 1]


def test_what_happens_to_a_container_happens_to_what_is_in_it() -> None:
    """Events about a case count from the packing to the unpacking, and not before or after."""
    rows = [seen(n, time, CASE) for n, time in enumerate((5, 10, 15, 20, 25))]
    found = history([*rows, packed(10, 10, CASE, ITEM), packed(11, 20, CASE, ITEM, action="DELETE")])
    assert numbers(found) == [1, 10, 2, 3, 11]
    assert Stay(CASE, 10, 20, (ITEM,)) in found.stays


def test_an_unpacking_without_names_takes_all_out() -> None:
    """A DELETE that names no children ends the stay."""
    found = history([packed(1, 10, CASE, ITEM), packed(2, 20, CASE, action="DELETE"), seen(3, 30, CASE)])
    assert numbers(found) == [1, 2]


def test_containers_are_followed_through_each_other() -> None:
    """Item in case on pallet on truck: an event about the truck belongs to the item while all hold."""
    found = history(
        [
            packed(1, 10, CASE, ITEM),
            packed(2, 20, PALLET, CASE),
            packed(3, 30, TRUCK, PALLET),
            seen(4, 35, TRUCK),
            packed(5, 40, PALLET, CASE, action="DELETE"),
            seen(6, 45, TRUCK),
            seen(7, 45, CASE),
        ]
    )
    assert numbers(found) == [1, 2, 3, 4, 5, 7]


def test_a_case_that_was_on_a_pallet_before_counts() -> None:
    """An item packed into a case that is on a pallet already is on that pallet from then on."""
    found = history([packed(1, 5, PALLET, CASE), seen(2, 7, PALLET), packed(3, 10, CASE, ITEM), seen(4, 15, PALLET)])
    assert numbers(found) == [3, 4]


def test_a_second_stay_in_the_same_case_counts() -> None:
    """Out of the case and into it again: both stays are told, what happened between them is not."""
    found = history(
        [
            packed(1, 10, CASE, ITEM),
            packed(2, 20, CASE, ITEM, action="DELETE"),
            seen(3, 25, CASE),
            packed(4, 30, CASE, ITEM),
            seen(5, 35, CASE),
        ]
    )
    assert numbers(found) == [1, 2, 4, 5]


def test_others_packed_into_the_case_are_not_its_history() -> None:
    """That a neighbour was put into the same case is not told."""
    found = history([packed(1, 10, CASE, ITEM), packed(2, 12, CASE, "https://example.com/other")])
    assert numbers(found) == [1]


def test_containers_in_a_circle_end() -> None:
    """A case in a pallet in the case: told once each."""
    found = history([packed(1, 10, CASE, ITEM), packed(2, 11, PALLET, CASE), packed(3, 12, CASE, PALLET)])
    assert numbers(found) == [1, 2, 3]


def test_depth_and_number_of_stays_are_bounded() -> None:
    """A chain of containers is followed DEPTH_MAX deep; of many containers STAYS_MAX are looked at, and it says so."""
    names = [ITEM, *(f"https://example.com/{n}" for n in range(10))]
    deep = history(packed(n, 10 + n, names[n + 1], names[n]) for n in range(10))
    assert len(deep.stays) == DEPTH_MAX + 1
    wide = history(packed(n, 10, f"https://example.com/{n}", ITEM) for n in range(100))
    assert len(wide.stays) == STAYS_MAX and wide.cut


def test_an_associated_device_counts_until_it_is_taken_off() -> None:
    """From ADD to DELETE, on the item itself."""
    found = history([attached(1, 10, ITEM, LOGGER), attached(2, 30, ITEM, LOGGER, action="DELETE")])
    assert windows(found) == [(LOGGER, 10, 30)]


def test_an_association_ends_with_the_receiving_or_now() -> None:
    """Without a DELETE a device counts until what it is on is received; else until now."""
    received = seen(3, 40, CASE, bizStep="receiving")
    rows = [packed(1, 10, CASE, ITEM), attached(2, 20, CASE, LOGGER)]
    assert windows(history([*rows, received])) == [(LOGGER, 20, 40)]
    assert windows(history(rows)) == [(LOGGER, 20, NOW)]


def test_a_device_on_a_reused_case_counts_only_while_the_item_is_in_it() -> None:
    """A logger that was on the case long before, and stays on it, is clipped to the item's stay."""
    found = history(
        [attached(1, 1, CASE, LOGGER), packed(2, 10, CASE, ITEM), packed(3, 20, CASE, ITEM, action="DELETE")]
    )
    assert windows(found) == [(LOGGER, 10, 20)]


def test_taking_off_without_names_takes_all_off() -> None:
    """An association's DELETE without children ends all of them."""
    found = history([attached(1, 10, ITEM, LOGGER, PROBE), attached(2, 20, ITEM, action="DELETE")])
    assert sorted(windows(found)) == [(LOGGER, 10, 20), (PROBE, 10, 20)]


def test_a_device_may_be_the_parent() -> None:
    """An association that names the device as parent and the item as child counts the same."""
    assert windows(history([attached(1, 10, LOGGER, ITEM)])) == [(LOGGER, 10, NOW)]


def test_an_event_names_the_readings_that_belong() -> None:
    """A sensorElement's window counts as the event says."""
    window = {"deviceID": PROBE, "startTime": "1970-01-01T00:00:05Z", "endTime": "1970-01-01T00:00:09Z"}
    found = history([seen(1, 10, ITEM, sensorElementList=[{"sensorMetadata": window}])])
    assert found.windows == [Window(PROBE, 5, 9, (Source(1, 0),))]


def test_windows_that_meet_become_one() -> None:
    """No reading is counted twice; both sources are kept."""
    a, b = Source(1, 0), Source(2, 0)
    found = merged([Window(LOGGER, 5, 20, (b,)), Window(LOGGER, 1, 10, (a,)), Window(PROBE, 1, 2, (a,))])
    assert found == [Window(LOGGER, 1, 20, (a, b)), Window(PROBE, 1, 2, (a,))]


def test_nothing_is_claimed_beyond_what_was_read() -> None:
    """When there are more events than are read, the history ends with the last that was."""
    rows = (packed(1, 10, CASE, ITEM), seen(2, 20, ITEM))
    found = trace(ITEM, now=NOW, events_of=lambda uri, _: Told(rows, cut=True) if uri == ITEM else Told(()))
    assert found.cut
    assert found.stays == [Stay(ITEM, -inf, 20), Stay(CASE, 10, 20, (ITEM,))]


_uris = st.sampled_from([ITEM, CASE, PALLET, TRUCK, LOGGER])


def _any_row(number: int, time: float, kind: str, action: str, parent: str, children: list[str]) -> EventRow:
    about = {"epcList": children} if kind == "ObjectEvent" else {"parentID": parent, "childEPCs": children}
    return row(number, time, kind, action, **about)


_events = st.builds(
    _any_row,
    st.integers(0, 1_000_000),
    st.integers(0, 2_000),
    st.sampled_from(["ObjectEvent", "AggregationEvent", "AssociationEvent"]),
    st.sampled_from(["ADD", "DELETE", "OBSERVE"]),
    _uris,
    st.lists(_uris, min_size=1, max_size=3, unique=True),
)


@given(st.lists(_events, max_size=30, unique_by=lambda row: row.source))
def test_any_events_give_a_history(rows: list[EventRow]) -> None:
    """Whatever is claimed, a history comes out: each event once, no window that ends before it begins."""
    found = history(rows)
    assert len(set(numbers(found))) == len(found.steps) <= len(rows)
    assert all(window.start <= window.end for window in found.windows)
    assert all(stay.start <= stay.end for stay in found.stays)
