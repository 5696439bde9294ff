"""The count of a batch, and what does not fit: by hand-made groups."""

from typing import Any

import pytest

from labels.reconciling.tally import TOLD, Found, Group, Oddity, oddities, tally
from labels.use import Use

ISSUED = 10


def group(fate: Use | None, labels: int = 1, **said: Any) -> Group:
    """Labels of one fate, printed unless nothing became of them."""
    usual = {"printed": fate not in (None, Use.SENT, Use.REFUSED), "again": False, "seen": False, "seen_since": False}
    return Group(fate, labels=labels, first=0, **{**usual, **said})


PRINTED = group(Use.PRINTED)
APPLIED = group(Use.APPLIED)
ELSEWHERE = group(Use.APPLIED, printed=False)


def found(*groups: Group, closed: bool = False) -> dict[Oddity, int]:
    """What does not fit, by its name; the batch has just these labels."""
    issued = sum(one.labels for one in groups)
    return {one.oddity: one.labels for one in oddities(groups, issued=issued, closed=closed)}


def test_each_label_is_counted_once() -> None:
    """What became of labels sums up to how many were issued, those that the database lacks among them."""
    groups = [group(None, 1), group(Use.REFUSED, 1), group(Use.SENT), *map(group, (Use.PRINTED, Use.APPLIED))]
    counted = tally([*groups, group(Use.SPOILED), group(Use.RETURNED, 2)], issued=ISSUED)
    parts = (counted.unprinted, counted.doubtful, counted.unused, counted.applied, counted.spoiled, counted.returned)
    assert parts == (2, 1, 1, 1, 1, 2) and counted.missing == 2 and sum(parts) + counted.missing == ISSUED
    assert counted.printed == 5


@pytest.mark.parametrize(
    ("groups", "oddity"),
    [
        ([group(Use.SENT)], Oddity.DOUBTFUL),
        ([group(Use.PRINTED, again=True)], Oddity.PRINTED_AGAIN),
        ([PRINTED, group(Use.APPLIED, printed=False)], Oddity.APPLIED_UNPRINTED),
        ([PRINTED, group(None, seen=True, seen_since=True)], Oddity.SEEN_UNPRINTED),
        ([PRINTED, group(Use.REFUSED, seen=True)], Oddity.SEEN_UNPRINTED),
        ([APPLIED, group(Use.PRINTED, seen=True, seen_since=True)], Oddity.SEEN_UNAPPLIED),
        ([ELSEWHERE, group(None, seen=True)], Oddity.SEEN_UNTOLD),
        ([ELSEWHERE, group(Use.REFUSED, seen=True)], Oddity.SEEN_UNTOLD),
        ([group(Use.SPOILED, seen=True, seen_since=True)], Oddity.SEEN_SPOILED),
        ([group(Use.RETURNED, seen=True, seen_since=True)], Oddity.SEEN_RETURNED),
        ([PRINTED, group(None, redeemed=True)], Oddity.REDEEMED_UNPRINTED),
        ([PRINTED, group(Use.REFUSED, redeemed=True)], Oddity.REDEEMED_UNPRINTED),
        ([group(Use.SPOILED, redeemed=True)], Oddity.REDEEMED_SPOILED),
        ([group(Use.RETURNED, redeemed=True)], Oddity.REDEEMED_RETURNED),
    ],
)
def test_what_does_not_fit_is_named(groups: list[Group], oddity: Oddity) -> None:
    """Each oddity by itself, and no other beside it."""
    assert found(*groups) == {oddity: 1}


@pytest.mark.parametrize(
    "groups",
    [
        [PRINTED, APPLIED, group(Use.SPOILED), group(Use.RETURNED), group(None)],
        [group(Use.APPLIED, seen=True, seen_since=True)],
        [group(Use.SPOILED, seen=True)],  # seen before it was spoiled
        [group(None), ELSEWHERE],
        [group(None, seen=True), group(Use.SPOILED, printed=False)],  # printed elsewhere; nobody says what was applied
        [group(Use.PRINTED, seen=True, seen_since=True)],  # where nobody says what was applied
    ],
)
def test_what_fits_is_no_finding(groups: list[Group]) -> None:
    """Nothing follows from what nobody records."""
    assert found(*groups) == {}


def test_what_is_left_is_unaccounted_for_at_the_end() -> None:
    """A printed label may wait for its use, until the work is closed."""
    assert found(group(Use.PRINTED, 3), APPLIED) == {}
    assert found(group(Use.PRINTED, 3), APPLIED, closed=True) == {Oddity.UNACCOUNTED: 3}


def test_what_is_left_of_labels_that_were_printed_elsewhere_is_too() -> None:
    """Where somebody says what became of any of them: of a batch that nobody has touched nothing follows."""
    for left in (group(None, 3), group(Use.REFUSED, 3)):
        assert found(left, ELSEWHERE) == {}
        assert found(left, closed=True) == {}
        for told in (ELSEWHERE, group(Use.SPOILED, printed=False), group(Use.RETURNED, printed=False)):
            assert found(left, told, closed=True) == {Oddity.UNTOLD: 3}
    assert found(group(None, 3), APPLIED, closed=True) == {}
    assert found(group(None, 3), ELSEWHERE, group(Use.SENT), closed=True) == {
        Oddity.DOUBTFUL: 1, Oddity.APPLIED_UNPRINTED: 1
    }  # fmt: skip


def test_of_a_batch_that_was_not_printed_here_what_was_used_is_counted() -> None:
    """Marked, seen or redeemed, each label once; where one was printed here, or may have been, none."""
    used = [ELSEWHERE, group(Use.SPOILED, 2, printed=False), group(None, 4, seen=True), group(None, 8, redeemed=True)]
    counted = tally([*used, group(None, 16), group(Use.REFUSED, 32)], issued=63)
    assert counted.elsewhere == 15
    assert counted.told_elsewhere == "not printed here: 15 labels were used or seen, and so printed elsewhere"
    for here in (PRINTED, group(Use.SENT)):
        assert tally([*used, here], issued=16).told_elsewhere == ""
    assert tally([group(None)], issued=1).told_elsewhere == ""


def test_labels_that_the_database_lacks_are_missing() -> None:
    """A batch declares more labels than are here."""
    assert oddities([APPLIED], issued=3) == [Found(Oddity.MISSING, 2)]


def test_each_oddity_has_its_words() -> None:
    """As a registry entry takes them: at most 256 characters."""
    assert set(TOLD) == set(Oddity)
    assert all(len(Found(oddity, 10**9).reason) <= 256 for oddity in Oddity)
    assert Found(Oddity.SEEN_SPOILED, 1).reason == "1 label: seen after it was spoiled"
