"""What the gateway tells of itself, with the clock in the test's hand: live, ready, and why not."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.histogram import Histogram
from gateway.record import BEAT_S_MAX, SILENT_S_MAX, Record, Taken

NOW = 1_000.0


@given(st.lists(st.lists(st.floats(0, 60), max_size=20), max_size=4))
def test_a_histogram_counts_what_lies_at_or_below_each_bound(batches: Sequence[Sequence[float]]) -> None:
    """Whatever the batches and their order, it is as if each value were counted alone."""
    histogram, values = Histogram(), [value for batch in batches for value in batch]
    for batch in batches:
        histogram.add_all(batch)
    for bound, count in histogram.buckets():
        assert count == sum(value <= float(bound) for value in values)
    assert histogram.count == len(values) and histogram.sum == pytest.approx(sum(values))


def working(now: float = NOW) -> Record:
    """A process that holds one chain, stands by for another, and is subscribed."""
    record = Record.of(["production", "trade"], now)
    record.chains["production"].opened(now, size=7)
    record.chains["trade"].failed("another process writes it", now, is_standby=True)
    record.chains["production"].broker_fault = ""
    return record


def test_it_is_ready_when_each_chain_is_held_or_stood_by_for() -> None:
    """And not before: at its start it names every chain."""
    assert working().why_not_ready(NOW) == []
    started = Record.of(["production", "trade"], NOW).why_not_ready(NOW)
    assert [why.partition(":")[0] for why in started] == ["production", "trade"]


def test_it_is_ready_when_each_chain_that_is_held_is_listened_for() -> None:
    """A chain that another process writes is that one's to listen for."""
    record = working()
    record.chains["production"].broker_fault = "the broker closed the connection"
    assert record.why_not_ready(NOW) == ["broker: the broker closed the connection"]
    record.chains["production"].failed("another process writes it", NOW, is_standby=True)
    assert record.why_not_ready(NOW) == []


def test_a_fault_is_named_until_the_next_batch() -> None:
    """A chain that fails makes it not ready, with the reason; once it is opened again, it is ready."""
    record = working()
    record.chains["production"].failed("the disk is full", NOW)
    assert record.why_not_ready(NOW) == ["production: the disk is full"]
    record.chains["production"].opened(NOW, size=7)
    record.chains["production"].took(Taken(size=8, accepted=1), NOW)
    assert record.why_not_ready(NOW) == []


@pytest.mark.parametrize("name", ["production", "trade"])
def test_a_chain_that_falls_silent_is_not_ready(name: str) -> None:
    """Held or stood by for: a database that does not answer at all is no error, only silence."""
    record, later = working(), NOW + SILENT_S_MAX
    record.beat_at = later
    for other in {"production", "trade"} - {name}:
        record.chains[other].heard_at = later
    [why] = record.why_not_ready(later)
    assert why.startswith(f"{name}: nothing heard of it for 15 s")


def test_it_lives_while_its_loop_turns() -> None:
    """A broker or database that is away is no reason to restart it; a loop that stands still is."""
    record = Record.of(["production"], NOW)
    assert record.why_not_ready(NOW) and not record.why_not_live(NOW + BEAT_S_MAX - 1)
    assert record.why_not_live(NOW + BEAT_S_MAX) == ["its loop has not turned for 30 s"]
    assert record.why_not_ready(NOW + BEAT_S_MAX)[0] == "its loop has not turned for 30 s"


def test_what_a_chain_counted_outlives_its_faults() -> None:
    """Counts belong to the process: a chain that is opened anew goes on counting."""
    chain = working().chains["production"]
    chain.took(Taken(size=9, accepted=2, refused={"gap": 1}, seal_s=0.02, commit_s=0.01), NOW)
    chain.failed("the server was closed", NOW)
    chain.opened(NOW, size=9)
    chain.took(Taken(size=10, accepted=1, refused={"gap": 2}, seal_s=0.02, commit_s=0.01), NOW)
    assert (chain.accepted, chain.refused["gap"], chain.seal.count) == (3, 3, 2)
