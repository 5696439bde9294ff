"""Files of a backup: written so that they last, and read whole for their hash."""

import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger import whole_file
from ledger.backup.manifest import File
from ledger.errors import UserError

Tell = Callable[[str], None]
_POLL_S = 0.25
_CHUNK = 1 << 20


def make_private(folder: Path) -> Path:
    """A folder for its owner alone, and so what lacks above it."""
    try:
        if not folder.is_dir():
            make_private(folder.parent)
            folder.mkdir(mode=0o700)
    except OSError as error:
        raise UserError.of_system(f"cannot make {folder}", error) from error
    return folder


def write(path: Path, data: bytes) -> None:
    """Write a file for its owner alone, and its folder."""
    make_private(path.parent)
    whole_file.replace(path, data, private=True)


def files_in(folder: Path) -> list[Path]:
    """All files below `folder`, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def hashed(path: Path) -> File:
    """A file's length and hash."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return File(size, digest.hexdigest())


def run(argv: Sequence[str], dsn: str, *, watched: Path | None, tell: Tell, what: str) -> None:
    """Run one of PostgreSQL's programs on the database at `dsn`; raises UserError with its words if it fails.

    `tell` hears how large the folder `watched` is by now. A password is not among the arguments, where all could read
    it.
    """
    fields = conninfo_to_dict(dsn)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    if password := fields.pop("password", None):
        environment["PGPASSWORD"] = str(password)
    home = {name: os.environ[name] for name in ("HOME", "PGPASSFILE", "PGSSLROOTCERT") if name in os.environ}
    with subprocess.Popen(
        [*argv, f"--dbname={make_conninfo(**{name: str(value) for name, value in fields.items()})}"],
        env=environment | home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        umask=0o077,
    ) as process:
        try:
            said = _watch(process, watched, tell, what)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        words = " ".join(said.split())[-1000:] or f"exit code {process.returncode}"
        raise UserError(f"{Path(argv[0]).name} failed: {words}", "see that disk, server and rights are as they should")


def _watch(process: "subprocess.Popen[str]", watched: Path | None, tell: Tell, what: str) -> str:
    while True:
        try:
            return process.communicate(timeout=_POLL_S)[1]
        except subprocess.TimeoutExpired:
            size = sum(path.stat().st_size for path in files_in(watched)) if watched else 0
            tell(f"{what}: {size / 1e6:,.1f} MB" if size else what)


def require_empty(folder: Path, hint: str) -> None:
    """Raise UserError unless `folder` is not there, or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already, and not empty", hint)
