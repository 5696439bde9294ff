"""Sheets of labels by number, and any grid."""

from collections.abc import Callable

import pytest

from labels.printing import formats
from labels.printing.formats import FORMATS, Format, by_number, grid
from ledger.errors import UserError


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.names[0])
def test_a_formats_labels_are_on_its_page_and_do_not_overlap(one: Format) -> None:
    """The corners are as far apart as a label at least; the grid is in the middle."""
    found = list(one.grid.corners())
    (left, top), (right, bottom) = found[0], found[-1]
    assert len(found) == one.grid.count and min(left, top) >= -0.001
    assert one.grid.pitch[0] >= one.grid.label[0] and one.grid.pitch[1] >= one.grid.label[1] - 1e-9
    assert left == pytest.approx(one.grid.page[0] - right - one.grid.label[0])
    assert top == pytest.approx(one.grid.page[1] - bottom - one.grid.label[1])


@pytest.mark.parametrize(
    ("number", "corner", "pitch", "count"),
    [  # as their makers print them on the packet
        ("L7160", (7.2, 15.1), (66.0, 38.1), 21),
        ("L7163", (4.7, 15.1), (101.6, 38.1), 14),
        ("L7651", (4.7, 10.7), (40.6, 21.2), 65),
        ("L7165", (4.7, 13.1), (101.6, 67.7), 8),
        ("5160", (4.8, 12.7), (69.85, 25.4), 30),
        ("5163", (4.0, 12.7), (106.4, 50.8), 10),
        ("5162", (4.0, 21.2), (106.4, 33.9), 14),
        ("22806", (15.9, 15.9), (66.7, 65.6), 12),
        ("Herma 10109", (7.5, 17.25), (67.5, 67.5), 12),
        ("Herma 4464", (0.0, 0.5), (70.0, 37.0), 24),
    ],
)
def test_known_formats_are_where_they_are(
    number: str, corner: tuple[float, float], pitch: tuple[float, float], count: int
) -> None:
    """Within a tenth of a millimetre."""
    found = by_number(number)
    assert found.corner == pytest.approx(corner, abs=0.1)
    assert found.pitch == pytest.approx(pitch, abs=0.1) and found.count == count


def test_a_format_is_found_however_it_is_written() -> None:
    """With or without its maker; all names are of one format each."""
    assert by_number("avery l7160") == by_number("L-7160") == by_number("Avery J8160") == by_number("l7160")
    names = [name for one in FORMATS for name in one.names]
    assert len(set(names)) == len(names) and all(by_number(name) for name in names)


def test_any_grid_is_one() -> None:
    """In the middle, or where its margin says; row by row."""
    middle = grid(3, 8, (66.0, 33.0), gap=(2.0, 1.0))
    assert middle.corner == pytest.approx((4.0, 13.0)) and middle.pitch == (68.0, 34.0)
    moved = grid(2, 2, (50.0, 50.0), margin=(10.0, 20.0))
    assert list(moved.corners()) == [(10, 20), (60, 20), (10, 70), (60, 70)]
    assert grid(1, 1, (100.0, 150.0), page=formats.page("100x150")).corner == (0, 0)
    assert formats.page("letter") == formats.LETTER


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (lambda: by_number("L9999"), "no format 'L9999' is known"),
        (lambda: grid(4, 8, (70.0, 37.0)), "280 mm wide and does not fit on a page of 210 mm"),
        (lambda: grid(3, 9, (70.0, 37.0)), "333 mm high"),
        (lambda: grid(2, 2, (70.0, 37.0), margin=(100.0, 0.0)), "140 mm wide"),
        (lambda: grid(0, 8, (70.0, 37.0)), "a grid of 0 x 8 labels is none"),
        (lambda: grid(3, 8, (0.0, 37.0)), "is none"),
        (lambda: formats.counts("3by8"), "is no grid"),
        (lambda: formats.sizes("70 37"), "is no size"),
        (lambda: formats.sizes("1e9x3"), "is no size"),
        (lambda: formats.shift("1"), "is no offset"),
        (lambda: formats.shift("21,0"), "more than a printer's misfeed"),
        (lambda: formats.page("A9"), "is no size"),
    ],
)
def test_what_is_no_grid_is_refused(made: Callable[[], object], complaint: str) -> None:
    """By what is wrong with it."""
    with pytest.raises(UserError, match=complaint):
        made()


def test_a_shift_is_to_the_right_and_down() -> None:
    """In mm, either way."""
    assert formats.shift("0.5,-1") == (0.5, -1.0) and formats.shift("-2,0") == (-2.0, 0.0)
