"""Transcripts are tests: tests/scripts/*.txt run through the real command, in an empty folder.

    $ tallystick ledger verify nothing.bundle
    tallystick: error: …
    [1]

Output is compared line by line; `…` stands for anything. `[1]` is the exit code, 0 if it is not there.
"""

import re
import shlex
from pathlib import Path

import pytest

import tallystick

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


def _steps(text: str) -> list[tuple[str, list[str], int]]:
    """Command line, expected lines and exit code of each step."""
    steps = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *lines = part.rstrip("\n").splitlines()
        lines = [line for line in lines if line]
        code = int(lines.pop()[1:-1]) if lines and re.fullmatch(r"\[\d+\]", lines[-1]) else 0
        steps.append((command, lines, code))
    return steps


def _matches(expected: list[str], printed: list[str]) -> bool:
    patterns = [".*".join(map(re.escape, line.split("…"))) for line in expected]
    return len(expected) == len(printed) and all(map(re.fullmatch, patterns, printed))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_transcript(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command prints what the script says, and ends with its exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for command, expected, code in _steps(script.read_text()):
        words = shlex.split(command)
        if words[0] == "write":
            Path(words[1]).write_text(words[2])
            continue
        assert words[0] == "tallystick"
        assert tallystick.run(words[1:]) == code, command
        out, err = capsys.readouterr()
        assert _matches(expected, [line for line in (out + err).splitlines() if line]), f"$ {command}\n{out}{err}"
