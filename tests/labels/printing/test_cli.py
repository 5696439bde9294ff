"""`tallystick labels formats`, as it is typed."""

import pytest

import tallystick
from labels.printing import specimen
from labels.printing.face import Face
from labels.printing.formats import FORMATS, Format
from labels.printing.pdf import lay_out
from labels.printing.renderers import fonts_for
from labels.printing.style import SheetStyle
from ledger.errors import UserError


def test_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its labels' size, how many there are, the page, and whether there is room."""
    assert tallystick.run(["labels", "formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FORMATS)
    assert "63.5 x 38.1 mm 3 x 7 A4 Avery L7160, Avery J8160" in {" ".join(line.split()) for line in lines}
    assert sum("too small" in line for line in lines) == 2
    assert sum("with --x-dimension 0.375 alone" in line for line in lines) == 2


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.names[0])
def test_what_is_said_of_their_room_is_so(one: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """A specimen is laid out on those that have room, with its hidden code where that is said, and on no other."""
    assert tallystick.run(["labels", "formats"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if one.names[0] in line]
    usual, second = (specimen.faces(1, host="id.example.com", lot="L2606A", hidden=hidden) for hidden in (False, True))
    can = [has_room(face, SheetStyle(one.grid, module)) for face in (*usual, *second) for module in (0.396, 0.375)]
    assert can[:2] == ["too small" not in line and "alone" not in line, "too small" not in line]
    assert can[2] == ("scratch field" in line)


def has_room(face: Face, style: SheetStyle) -> bool:
    """Whether it is laid out."""
    try:
        lay_out(face, style, fonts_for([face], None))
    except UserError:
        return False
    return True
