"""When a block closes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.batch import AGE_MS_MAX, SIZE_MAX, Batcher


def test_an_empty_batch_is_never_due() -> None:
    """However late it is."""
    batch = Batcher[int]()
    assert batch.deadline_ms() is None
    assert not batch.due(1e12)
    assert batch.take() == []


def test_a_batch_is_due_by_age() -> None:
    """So long after its first item, whatever came since."""
    batch = Batcher[str](size_max=10, age_ms_max=250)
    batch.add("first", 1000.0)
    batch.add("second", 1249.0)
    assert batch.deadline_ms() == 1250.0
    assert not batch.due(1249.9)
    assert batch.due(1250.0)


@pytest.mark.parametrize("size_max", [1, 2, 5])
def test_a_batch_is_due_by_size(size_max: int) -> None:
    """With its last item, at once."""
    batch = Batcher[int](size_max=size_max)
    for count in range(1, size_max + 1):
        batch.add(count, 0.0)
        assert batch.due(0.0) == (count == size_max)


def test_a_batch_is_due_by_bytes() -> None:
    """A few large messages are as much work as many small ones; the next batch counts its own."""
    batch = Batcher[int](bytes_max=100)
    batch.add(1, 0.0, size=99)
    assert not batch.due(0.0)
    batch.add(2, 0.0, size=1)
    assert batch.due(0.0)
    assert batch.take() == [1, 2]
    batch.add(3, 0.0, size=99)
    assert not batch.due(0.0)


def test_more_than_a_batch_may_wait() -> None:
    """What is left has waited since it came: it is due at its own time, not a whole age after the batch before."""
    batch = Batcher[int](size_max=2, age_ms_max=250)
    for number, came in enumerate([0.0, 100.0, 200.0]):
        batch.add(number, came)
    assert batch.take() == [0, 1]
    assert batch.deadline_ms() == 450.0
    assert not batch.due(449.9)
    assert batch.due(450.0)


def test_a_part_taken_early_counts() -> None:
    """The open batch keeps its age, its number and its bytes, whatever was taken of it; the next has its own."""
    batch = Batcher[int](size_max=3, age_ms_max=250, bytes_max=100)
    batch.add(0, 1000.0, size=10)
    assert batch.take_part() == [0]
    assert batch.take_part() == []
    assert batch.deadline_ms() == 1250.0
    assert not batch.due(1249.9) and batch.due(1250.0)
    batch.add(1, 1100.0, size=10)
    assert not batch.due(1100.0)
    batch.add(2, 1100.0, size=10)
    batch.add(3, 1200.0, size=10)
    assert batch.due(1200.0)  # by its number
    assert batch.take() == [1, 2]
    assert batch.deadline_ms() == 1450.0
    batch.add(4, 1200.0, size=90)
    assert batch.due(1200.0)  # by its bytes
    assert batch.take_part() == [3, 4]
    assert batch.take() == [] and batch.deadline_ms() is None


def test_taking_begins_the_next() -> None:
    """Its age is its own."""
    batch = Batcher[int]()
    batch.add(1, 0.0)
    assert batch.take() == [1]
    assert not batch.due(1e12)
    batch.add(2, 5000.0)
    assert batch.deadline_ms() == 5000.0 + AGE_MS_MAX
    assert batch.take() == [2]


def test_two_batchers_share_nothing() -> None:
    """Each chain has its own."""
    one, other = Batcher[int](), Batcher[int]()
    one.add(1, 0.0)
    assert (list(one), list(other)) == ([1], [])


def test_a_block_is_small_enough_for_the_collector() -> None:
    """About a thousand packs, and a quarter of a second."""
    assert (SIZE_MAX, AGE_MS_MAX) == (1_000, 250)


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60), st.integers(1, 5), st.integers(0, 300))
def test_nothing_is_lost_and_nothing_waits_too_long(
    steps: list[tuple[float, bool]], size_max: int, age_ms_max: int
) -> None:
    """Asked after each item, a batch gives every item in order, in batches of at most `size_max`, none over age."""
    batch, now, batches = Batcher[float](size_max=size_max, age_ms_max=age_ms_max), 0.0, list[list[float]]()
    part = list[float]()
    for step, early in steps:
        now += step
        if batch.due(now):
            batches.append(part + batch.take())
            part = []
        batch.add(now, now)
        if early:
            part += batch.take_part()
        if batch.due(now):
            batches.append(part + batch.take())
            part = []
        assert not (part or batch) or now - next(iter([*part, *batch])) < age_ms_max
    batches.append(part + batch.take())
    assert all(len(items) <= size_max for items in batches)
    assert [item for items in batches for item in items] == sorted(item for items in batches for item in items)
    assert sum(map(len, batches)) == len(steps)
