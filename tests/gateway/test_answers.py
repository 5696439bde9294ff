"""Which statements an answer speaks of: runs that stand side by side, and the scope of what is lacking."""

import pytest

from gateway.answers import Sealed, _covers, _runs


def sealed(*places: tuple[int, int]) -> list[Sealed]:
    """Statements at (seq, index)."""
    return [Sealed(seq, index, bytes(32), ()) for seq, index in places]


@pytest.mark.parametrize(
    ("places", "lengths"),
    [
        ([(5, 9)], [1]),
        ([(0, 0), (1, 1), (2, 7), (3, 8)], [2, 2]),
        ([(0, 0), (9, 1)], [1, 1]),
        ([(0, 3), (1, 9), (2, 4)], [1, 1, 1]),
    ],
)
def test_a_run_is_side_by_side_in_seq_and_index(places: list[tuple[int, int]], lengths: list[int]) -> None:
    """Statements of two blocks are two ranges, and so are those around a gap."""
    assert [len(run) for run in _runs(sealed(*places))] == lengths


def test_a_cut_answer_does_not_speak_of_what_it_left_out() -> None:
    """Beyond the cut only the newest is named, and nobody says what is lacking there."""
    cut = sealed(*((seq, seq) for seq in range(40, 50)), (99, 99))
    assert _covers(cut) == (40, 49)
    assert _covers(cut[:10]) == (40, 49)
    assert _covers(cut[-1:]) == (99, 99)
