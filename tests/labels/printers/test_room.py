"""What is advised where a label printer's labels are too small helps: each way is taken, and the label is printed."""

import re

import pytest

from labels.printers.brother_ql import ROLLS
from labels.printers.dots import PER_MM
from labels.printers.faces import encoded
from labels.printers.medium import Medium, brother, style_of, zebra
from labels.printing import fonts, specimen
from labels.printing.layout import CAPTION, X_DIMENSION_MM
from ledger.errors import UserError

PLAIN, SCRATCHED = (
    specimen.faces(1, host="id.example.com", lot="L2606A", title="Rice", hidden=hidden)[0] for hidden in (False, True)
)
FONTS = fonts.having([*SCRATCHED.lines, *SCRATCHED.spoken, SCRATCHED.title, CAPTION])
SMALL = [zebra(size, dpi) for size in ("30x20", "25x50", "50x22", "50x30") for dpi in PER_MM]
SMALL += [brother(name, 20) for name in ROLLS]


def refusal(medium: Medium, x_mm: float, *, hidden: bool) -> UserError | None:
    """Why a label is not drawn, if it is not."""
    try:
        encoded(SCRATCHED if hidden else PLAIN, medium, style_of(medium, x_mm), FONTS)
    except UserError as error:
        return error
    return None


def followed(hint: str, medium: Medium) -> Medium:
    """What is in the printer if a hint's last way is taken."""
    if roll := re.search(r"--roll (\w+)", hint):
        length = re.search(r"--label \w+x(\d+)", hint)
        return brother(roll[1], float(length[1]) if length else 0)
    size = re.search(r"--label (\w+)", hint)
    assert size
    return zebra(size[1], medium.dpi)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("x_mm", [X_DIMENSION_MM, 0.75])
def test_whoever_follows_a_hint_has_room(x_mm: float, hidden: bool) -> None:
    """The usual X-dimension where that is enough, and the smallest label that has room."""
    refused = 0
    for medium in SMALL:
        if (error := refusal(medium, x_mm, hidden=hidden)) is not None:
            refused += 1
            assert refusal(followed(error.hint, medium), x_mm, hidden=hidden) is None, (medium, error.hint)
            if "--x-dimension" in error.hint:
                assert refusal(medium, X_DIMENSION_MM, hidden=hidden) is None
    assert refused >= 10
