"""What is advised where a label is too small helps, on every sheet and on some grids."""

import re

import pytest

from labels.printing import specimen
from labels.printing.asked import Asked
from labels.printing.face import Face
from labels.printing.formats import FORMATS, grid
from labels.printing.pdf import lay_out
from labels.printing.renderers import fonts_for
from labels.printing.style import SheetStyle
from ledger.errors import UserError

GRIDS = [one.grid for one in FORMATS] + [
    grid(columns, rows, label)
    for columns, rows, label in [
        (1, 1, (10.0, 10.0)),
        (4, 9, (25.0, 25.0)),
        (5, 2, (22.0, 100.0)),
        (1, 9, (200.0, 21.0)),
    ]
]
MODULES = (0.375, 0.396, 0.5, 0.99)
USUAL = specimen.faces(1, host="id.example.com", lot="L2606A", title="Risotto Rice with Mushrooms")[0]
SCRATCHED = specimen.faces(1, host="id.example.com", lot="L2606A", title="Risotto Rice", hidden=True)[0]
LONG = Face(f"{USUAL.link}&11=251126", "Rice", ("(01) 09520000000004", f"(10) {'W' * 20}", f"(21) {'W' * 20}"))
LONG_SCRATCHED = Face(LONG.link, "Rice", LONG.lines, hidden=SCRATCHED.hidden)


def refusal(face: Face, style: SheetStyle) -> UserError | None:
    """Why a face is not laid out, if it is not."""
    try:
        lay_out(face, style, fonts_for([face], None))
    except UserError as error:
        return error
    return None


def followed(hint: str, style: SheetStyle) -> list[SheetStyle]:
    """What a hint's options come to, each of its ways by itself."""
    module = re.findall(r"--x-dimension ([0-9.]+)", hint)
    styles = [SheetStyle(style.grid, Asked(x_dimension=float(mm)).module_mm) for mm in module]
    if sheets := re.search(r"--labels (.*)", hint):
        styles += [Asked(labels=name, x_dimension=style.module).style() for name in re.findall('"(.*?)"', sheets[1])]
    for counts, label in re.findall(r"--grid (\w+) --label (\w+)", hint):
        styles.append(Asked(grid=counts, label=label, x_dimension=style.module).style())
    return styles


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("face", [USUAL, SCRATCHED, LONG, LONG_SCRATCHED], ids=["usual", "scratched", "long", "both"])
def test_whoever_follows_a_hint_has_room(face: Face, module: float) -> None:
    """Each of a hint's ways is taken, and the label is laid out; a hint without a way is none."""
    refused = 0
    for sheet in GRIDS:
        style = SheetStyle(sheet, module)
        if (error := refusal(face, style)) is not None:
            refused += 1
            ways = followed(error.hint, style)
            assert ways and [refusal(face, way) for way in ways] == [None] * len(ways), (error, error.hint)
    assert refused >= 3


@pytest.mark.parametrize(
    ("sheet", "module", "hint"),
    [
        ("L7651", 0.396, 'take sheets that have room, the smallest first: --labels "Herma 4610"'),
        ("L6009", 0.396, "print with --x-dimension 0.375; or take sheets"),
        ("L7160", 0.8, "print with --x-dimension 0.396; or take sheets"),
    ],
)
def test_what_is_advised(sheet: str, module: float, hint: str) -> None:
    """A smaller X-dimension where that is enough, and the smallest sheets that have room."""
    error = refusal(USUAL, Asked(labels=sheet, x_dimension=module).style())
    assert error is not None and error.hint.startswith(hint)
