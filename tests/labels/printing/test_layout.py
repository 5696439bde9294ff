"""A label in millimetres: nothing overlaps, nothing is cut, and what has no room is refused."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labels.printing.layout import EDGE_MM, QUIET_ZONE, X_DIMENSION_MM, Content, NoRoomError, Placed, Space, fits, place
from labels.printing.style import x_dimension
from ledger.errors import UserError

LINES = ("(01) 09506000134352", "(10) L2511-A", "(21) 7K3M9QX2AB")
MODULES = 53
CODE_MM = MODULES * X_DIMENSION_MM
ITEM = Content("LINK", MODULES, "Risotto Rice with Mushrooms", LINES)


def measure(text: str, bold: bool) -> float:
    """Letters of one width."""
    return len(text) * (0.68 if bold else 0.6)


def boxes(placed: Placed) -> list[tuple[float, float, float, float]]:
    """What the words cover: left, top, right, bottom."""
    return [
        (one.x, one.y - 0.75 * one.size, one.x + measure(one.text, one.bold) * one.size, one.y + 0.25 * one.size)
        for one in placed.words
    ]


def apart(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two boxes have no point in common."""
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@given(
    st.floats(20, 120), st.floats(20, 120), st.text("abc def WW ", max_size=90), st.integers(0, 4), st.integers(1, 20)
)
def test_nothing_overlaps_and_nothing_is_cut(width: float, height: float, title: str, count: int, serial: int) -> None:
    """On whatever label: the words stay on it and out of the quiet zone, and every line is there in one size."""
    lines = (*LINES, "(99) more")[:count]
    lines = (*lines[:-1], f"(21) {'W' * serial}") if lines else ()
    try:
        placed = place(Content("LINK", MODULES, title, lines), Space(width, height), measure)
    except UserError:
        assume(False)
    [symbol] = placed.symbols
    code = (symbol.x, symbol.y, symbol.x + CODE_MM, symbol.y + CODE_MM)
    assert min(code[:2]) >= EDGE_MM - 1e-6 and code[2] <= width and code[3] <= height
    for number, box in enumerate(boxes(placed)):
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
        ink = QUIET_ZONE * X_DIMENSION_MM
        assert apart(box, (code[0], code[1] + ink, code[2], code[3] - ink) if box[1] >= code[3] - 1e-6 else code)
        assert all(apart(box, other) for other in boxes(placed)[number + 1 :] if other != box)
    found = [one for one in placed.words if not one.bold]
    assert sorted(one.text for one in found) == sorted(lines) and len({one.size for one in found}) <= 1


def test_a_wide_label_has_its_words_beside_the_code_and_a_square_one_below() -> None:
    """GTIN first, serial last; beside, they share one left edge; below, they are centred."""
    beside = place(ITEM, Space(63.5, 38.1), measure)
    assert len({word.x for word in beside.words}) == 1 and beside.words[0].x >= beside.symbols[0].x + CODE_MM
    below = place(ITEM, Space(50.8, 50.8), measure)
    lines = [word for word in below.words if not word.bold]
    assert [word.text for word in sorted(lines, key=lambda word: word.y)] == list(LINES)
    assert all(word.y - word.size >= below.symbols[0].y + CODE_MM - word.size for word in lines)
    for word in below.words:
        assert word.x + measure(word.text, word.bold) * word.size / 2 == pytest.approx(25.4)


def test_lines_without_a_title_stand_in_the_middle_of_the_code() -> None:
    """As much white above the first line's capitals as below the last line."""
    space = Space(63.5, 38.1)
    placed = place(Content("LINK", MODULES, "", LINES), space, measure)
    first, last = placed.words[-1], placed.words[0]
    assert (first.text, last.text) == (LINES[0], LINES[-1])
    assert first.y - 0.73 * first.size == pytest.approx(space.height - last.y)


@pytest.mark.parametrize(
    ("size", "complaint"),
    [
        ((38.1, 21.2), r"38.1 x 21.2 mm is too small for a code of 21.0 mm with 0.5 mm around"),
        ((60.0, 18.0), "too small for a code"),
        ((26.0, 24.0), "no room for its words"),
    ],
)
def test_a_label_that_is_too_small_is_refused(size: tuple[float, float], complaint: str) -> None:
    """The size, and what needs how much."""
    with pytest.raises(NoRoomError, match=complaint):
        place(ITEM, Space(*size), measure)
    assert not fits(ITEM, Space(*size), measure) and fits(ITEM, Space(63.5, 38.1), measure)


def test_a_title_without_room_ends_in_an_ellipsis() -> None:
    """The lines that people read are all there."""
    title = "A very long name of a product, " * 9
    placed = place(Content("LINK", MODULES, title, LINES), Space(63.5, 29.6), measure)
    assert [word.text for word in placed.words if word.bold][-1].endswith("…")
    assert {word.text for word in placed.words} >= set(LINES)


def test_a_second_code_lies_below_its_sticker() -> None:
    """The frame holds the code with its quiet zone and a rim; its name stands outside of it; all is on the label."""
    hidden = Content("LINK", MODULES, "Rice", LINES, "HIDDEN", 41)
    placed = place(hidden, Space(99.1, 38.1), measure)
    frame, second, side = placed.frame, placed.symbols[1], 41 * X_DIMENSION_MM
    assert frame is not None and second.link == "HIDDEN"
    assert frame.x + 0.9 <= second.x and second.x + side + 0.9 <= frame.x + frame.width
    assert frame.y + 0.9 <= second.y and second.y + side + 0.9 <= frame.y + frame.height
    covered = (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
    assert all(apart(box, covered) for box in boxes(placed)) and "scratch here" in {word.text for word in placed.words}
    assert frame.x + frame.width <= 99.1 and frame.y + frame.height <= 38.1
    with pytest.raises(UserError, match=r"no room for a scratch field of 18\.2 x 18\.2 mm"):
        place(hidden, Space(63.5, 38.1), measure)


def test_an_x_dimension_is_one_that_gs1_allows() -> None:
    """From 0.375 to 0.990 mm."""
    assert (x_dimension(0.375), x_dimension(0.99)) == (0.375, 0.99)
    for wrong in (0.374, 0.991, -1, float("nan")):
        with pytest.raises(UserError, match="not what GS1 allows"):
            x_dimension(wrong)
