"""A printed command runs as it is printed."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.invocation import command_line

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).parent / "tallystick"


@pytest.mark.parametrize("program", [SCRIPT, ROOT / "tallystick.py"], ids=["script", "module"])
def test_the_command_runs_from_anywhere(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way we were started, and with a relative path too, a shell in another folder can run it."""
    monkeypatch.chdir(program.parent)
    for argv0 in (str(program), program.name):
        line = command_line("ledger", "audit", "--data", "a folder", program=argv0)
        done = subprocess.run(["/bin/sh", "-c", f"{line} --help"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "Usage: " in done.stdout and "audit" in done.stdout


def test_a_command_on_the_path_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where typing `tallystick` runs this very program, that is what is printed."""
    monkeypatch.setenv("PATH", str(SCRIPT.parent))
    assert command_line("up", program=str(SCRIPT)) == "tallystick up"
