"""The file of a monitor's state: read, and replaced whole."""

from pathlib import Path

from ledger import whole_file
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError.of_system(f"cannot write {path}", error) from error
    whole_file.put(path, state.text.encode())
