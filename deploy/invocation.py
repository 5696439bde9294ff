"""How the person at the terminal can run this program once more."""

import shlex
import shutil
import sys
from pathlib import Path


def command_line(*args: str, program: str | None = None) -> str:
    """`tallystick ARGS` as a shell takes it, in any folder, by the program (argv[0]) that runs now."""
    own = Path(program or sys.argv[0]).absolute()
    found = shutil.which("tallystick")
    if own.suffix == ".py":  # python -m tallystick, or python tallystick.py
        words = [sys.executable, str(own)]
    elif found is not None and Path(found).absolute() == own:
        words = ["tallystick"]
    else:
        words = [str(own)]
    return shlex.join([*words, *args])
