"""What each device may cost, with a clock that the test turns."""

from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import WINDOW, WINDOW_MAX
from gateway.budget import UNITS_MAX, UNITS_PER_S, Budget, Share, cost
from ledger.message import MESSAGE_BYTES_MAX


def test_a_flood_costs_its_budget_and_then_what_time_gives() -> None:
    """Of 100,000 bad messages in ten seconds, so many go on as the budget has and ten seconds give."""
    budget = Budget()
    gone_on = sum(budget.take("flooder", n / 10) for n in range(100_000))
    assert gone_on == pytest.approx(UNITS_MAX + 10 * UNITS_PER_S, abs=1)


def test_a_flood_is_its_own_devices_affair() -> None:
    """Nobody pays for a neighbour."""
    budget = Budget()
    while budget.take("flooder", 0):
        pass
    assert all(budget.take("neighbour", 0) for _ in range(int(UNITS_MAX)))


def test_time_gives_all_back_and_no_more() -> None:
    """After its budget's time a device has what it had at first."""
    budget = Budget(units_max=10, units_per_s=2)
    for now_ms in (0, 5_000, 500_000):
        assert [budget.take("a", now_ms) for _ in range(11)] == [True] * 10 + [False]


def test_a_second_gives_its_share_back() -> None:
    """Half of it after half of the time; a clock that stands, or goes back, gives nothing."""
    budget = Budget(units_max=10, units_per_s=2)
    while budget.take("a", 1_000):
        pass
    assert not budget.take("a", 1_000) and not budget.take("a", 0)
    assert [budget.take("a", 3_500) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize("window", [1, 64, WINDOW_MAX])
@pytest.mark.parametrize("lag", [1, 3])
def test_a_good_device_is_never_hindered(window: int, lag: int) -> None:
    """With its whole window under way, judged some batches late, at any load: every statement goes on."""
    budget, judged = Budget(), deque([0] * lag)
    share = window // lag or 1
    for _ in range(200):  # in no time at all: nothing comes back but by being admitted
        assert all(budget.take("good", 0) for _ in range(share))
        judged.append(share)
        budget.admitted({"good": judged.popleft()})


def test_a_window_sent_twice_still_goes_on() -> None:
    """After a time-out an agent sends its largest window again: none of it is refused."""
    budget = Budget()
    for _ in range(50):
        assert all(budget.take("good", 0) for _ in range(2 * WINDOW_MAX))
        budget.admitted({"good": WINDOW_MAX})  # and as many repeats


def test_a_device_that_mends_itself_is_soon_at_full_load_again() -> None:
    """Once it says good things only, it doubles from batch to batch: within three seconds a whole window goes on."""
    budget = Budget()
    while budget.take("a", 0):
        pass
    going = 0
    for now_ms in range(250, 2_750, 250):
        going = sum(budget.take("a", now_ms) for _ in range(WINDOW_MAX))
        budget.admitted({"a": going})
    assert going == WINDOW_MAX


def test_a_large_message_costs_more() -> None:
    """By its bytes; yet a device's usual window of the largest messages goes on."""
    assert [cost(size) for size in (0, 350, 16_383, 16_384, MESSAGE_BYTES_MAX)] == [1, 1, 1, 2, 17]
    budget = Budget()
    for _ in range(20):
        assert all(budget.take("good", 0, cost(MESSAGE_BYTES_MAX)) for _ in range(WINDOW))
        budget.admitted({"good": WINDOW * cost(MESSAGE_BYTES_MAX)})
    assert not budget.take("huge", 0, cost(256 * 1024 * 1024))


def test_what_is_not_known_earns_nothing() -> None:
    """A service's statements come by the inbox, and no budget is kept for them."""
    budget = Budget(units_max=1)
    budget.admitted({"operator": 100})
    assert [budget.take("operator", 0) for _ in range(2)] == [True, False]


def test_memory_is_bounded_and_forgets_the_innocent() -> None:
    """However many names come, some are remembered: first of all who has used up what it had."""
    budget = Budget(units_max=10, devices_max=100)
    while budget.take("flooder", 0):
        pass
    for n in range(10_000):
        assert budget.take(f"name-{n}", 0)
        assert len(budget._accounts) <= 100
    assert not budget.take("flooder", 0)


def test_who_has_all_of_it_again_is_forgotten() -> None:
    """Nothing is kept of devices that cost nothing any more."""
    budget = Budget(units_max=10, devices_max=100)
    for n in range(101):
        budget.take(f"name-{n}", now_ms=n * 10_000)
    assert set(budget._accounts) == {"name-100"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 10_000), st.integers(0, 30)), max_size=50))
def test_no_order_of_things_gives_more_than_all(steps: list[tuple[str, float, int]]) -> None:
    """What goes on in no time is never more than the whole budget, whatever was before."""
    budget, now_ms = Budget(units_max=20), 0.0
    for device, pause_ms, admitted in steps:
        now_ms += pause_ms
        budget.take(device, now_ms)
        budget.admitted({device: admitted})
    assert sum(budget.take("a", now_ms) for _ in range(100)) <= 20


# The queue


def _fill(share: Share, devices: list[str], size: int) -> Counter[str]:
    """Each device in turn puts what it may, until none may any more."""
    held: Counter[str] = Counter()
    while sum(_put(share, device, size, held) for device in devices):
        pass
    return held


def _put(share: Share, device: str, size: int, held: Counter[str]) -> bool:
    if fits := share.fits(device, size):
        share.put(device, size)
        held[device] += 1
    return fits


def test_one_device_leaves_room_for_others() -> None:
    """Alone it may hold four fifths; what comes then still finds room."""
    share = Share(5_000, 2**30)
    assert _fill(share, ["flooder"], 300) == {"flooder": 4_000}
    assert _fill(share, ["good"], 300)["good"] >= 800


def test_one_device_leaves_room_by_bytes() -> None:
    """A few large messages do not fill it either."""
    share = Share(5_000, 64 * 2**20)
    held = _fill(share, ["flooder"], 256 * 1024)["flooder"]
    assert 200 <= held <= 206  # four fifths of 256
    assert share.fits("good", 256 * 1024)


@pytest.mark.parametrize("devices", [2, 8, 50])
def test_many_devices_have_nearly_equal_parts(devices: int) -> None:
    """And together nearly all of it."""
    share = Share(5_000, 2**30)
    held = _fill(share, [str(n) for n in range(devices)], 300)
    assert min(held.values()) >= max(held.values()) - 2
    assert held.total() >= 4_000


def test_the_largest_window_of_a_good_device_always_fits_alone() -> None:
    """Twice over, as it may be sent again."""
    share = Share(5_000, 64 * 2**20)
    assert _fill(share, ["good"], 2_000)["good"] >= 2 * WINDOW_MAX


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60), st.booleans()), max_size=200))
def test_what_is_held_is_what_was_put_and_not_got(arrivals: list[tuple[str, int, bool]]) -> None:
    """Numbers and bytes never pass their bounds, and an empty queue holds nothing of anybody."""
    share, waiting = Share(20, 300), deque[tuple[str, int]]()
    for device, size, one_leaves in arrivals:
        if waiting and one_leaves:
            share.get(*waiting.popleft())
        if share.fits(device, size):
            share.put(device, size)
            waiting.append((device, size))
        assert (share.count, share.bytes) == (len(waiting), sum(size for _, size in waiting))
        assert share.count <= 20 and share.bytes <= 300
    while waiting:
        share.get(*waiting.popleft())
    assert not share._held and share.count == share.bytes == 0
