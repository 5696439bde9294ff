"""Folders for servers that must not run as root.

PostgreSQL refuses to run as root, and a broker should not. Started by root, they run as `nobody`, who can often
not reach the data folder (below `/root`, say). We never open a folder that is not ours: what cannot be reached is
kept in `/var/lib/tallystick`, and a symbolic link in the data folder says where.
"""

import os
import pwd
import subprocess
import tempfile
from pathlib import Path

from deploy.children import User
from ledger.errors import UserError

ELSEWHERE = Path("/var/lib/tallystick")

# The kernel's limit for a socket's path is 107 bytes; a server may append `.lock` to its name.
SOCKET_BYTES_MAX = 100


def server_folder(wanted: Path, *, elsewhere: Path = ELSEWHERE) -> Path:
    """The real folder behind `wanted`, which the servers' user owns and can reach; made if there is none.

    Raises UserError if it was made before and is gone or out of reach now.
    """
    if not os.path.lexists(wanted):
        _make(wanted, elsewhere)
    folder = wanted.resolve()
    if not folder.is_dir():
        raise UserError(
            f"{wanted} should be kept in {folder}, which is gone",
            "bring it back, or name another data folder with --data",
        )
    if not can_enter(folder, server_user(folder)):
        raise UserError(f"{folder} is out of reach for its owner", "undo the change of permissions or of user")
    return folder


def server_user(folder: Path | None = None) -> User | None:
    """Whom a server runs as: ourselves (None); for root the owner of its `folder`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if folder is not None and folder.exists() and (owner := folder.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


def can_enter(folder: Path, user: User | None) -> bool:
    """Whether `user` can reach `folder` and use it."""
    return run_as(user, ["test", "-x", str(folder)]).returncode == 0


def run_as(user: User | None, argv: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end as `user`, in a small environment."""
    return subprocess.run(
        argv,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"} | env,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def socket_folder(owner: Path, name: str) -> Path:
    """A private folder for a socket called `name`: in `owner` if the path is short enough, else a temporary one.

    A temporary one is remembered in `owner`, and taken again only if it is still ours alone.
    """
    near = owner / "socket"
    if len(os.fsencode(near / name)) <= SOCKET_BYTES_MAX:
        return _private(near, server_user(owner))
    note = owner / "socket-folder"
    if note.exists() and _is_private(folder := Path(note.read_text("utf-8")), server_user(owner)):
        return folder
    folder = _private(_short_temporary(name), server_user(owner))
    note.write_text(str(folder), "utf-8")
    return folder


def _make(wanted: Path, elsewhere: Path) -> None:
    user = server_user()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if can_enter(wanted.parent, user):
        _private(wanted, user)
        return
    base = shared_folder(elsewhere)
    folder = Path(tempfile.mkdtemp(prefix=f"{wanted.name}-", dir=base))
    wanted.symlink_to(_private(folder, user))


def shared_folder(elsewhere: Path = ELSEWHERE) -> Path:
    """`elsewhere`, made if there is none, so that all can pass through it."""
    try:
        make_open(elsewhere)
    except OSError as error:
        raise UserError(
            f"the data folder is out of reach for the user 'nobody', and {elsewhere} cannot be made: {error.strerror}",
            "name a data folder with --data that every user can pass into",
        ) from error
    return elsewhere


def make_open(folder: Path) -> Path:
    """Make `folder` and what lacks above it, for all to enter, whatever our umask; what exists stays as it is."""
    if not folder.is_dir():
        make_open(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)
    return folder


def _private(folder: Path, user: User | None) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    return folder


def _is_private(folder: Path, user: User | None) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    uid = os.geteuid() if user is None else user.uid
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == uid and not found.st_mode & 0o077


def _short_temporary(name: str) -> Path:
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108  (a private folder in it)
        if len(os.fsencode(base)) + len("/tallystick-12345678/") + len(name) <= SOCKET_BYTES_MAX:
            return Path(tempfile.mkdtemp(prefix="tallystick-", dir=base))
    raise UserError("no temporary folder with a path short enough for a socket", "set TMPDIR to a short one")
