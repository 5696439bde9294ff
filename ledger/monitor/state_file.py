"""The file of a monitor's state: read, and replaced whole."""

import os
from pathlib import Path

from ledger.errors import MalformedError, UserError
from ledger.monitor.state import State

_HINT = "name another with --state, or delete it: what was seen before is then forgotten"


def load(path: Path) -> State:
    """What the file holds, nothing if there is none; raises UserError."""
    try:
        return State.parse(path.read_text("utf-8"))
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise UserError.of_system(f"cannot read {path}", error) from error
    except (MalformedError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no monitor's state: {error}", _HINT) from error


def save(state: State, path: Path) -> None:
    """Write the file, whole or not at all; raises UserError."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("w", encoding="utf-8") as file:
            file.write(state.text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise UserError.of_system(f"cannot write {path}", error) from error
