"""`tallystick labels formats`, as it is typed."""

import pytest

import tallystick
from labels.printing.formats import FORMATS


def test_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its labels' size, how many there are, the page, and whether there is room."""
    assert tallystick.run(["labels", "formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FORMATS)
    assert "63.5 x 38.1 mm 3 x 7 A4 Avery L7160, Avery J8160" in {" ".join(line.split()) for line in lines}
    assert sum("too small" in line for line in lines) == 4
