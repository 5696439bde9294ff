"""Disks that are full: a small file system of its own where we may mount one, else the nearest thing to it.

Root may mount a tmpfs. Who may not limits how long the files of a running program may be (RLIMIT_FSIZE, set from
outside by prlimit): that fails where a full disk fails, at the write that makes a file longer, by another errno.
"""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_FILLER = "filler"
_CHUNK = bytes(1024 * 1024)


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[bool]:
    """A file system of its own at `folder` (made if there is none) until the block ends; False if we may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tallystick-test", str(folder))
    there = os.geteuid() == 0 and _runs(*mount)
    try:
        yield there
    finally:
        if there:
            _runs("umount", "--lazy", str(folder))


def _runs(*argv: str) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Not a byte is free on the disk of `folder` while the block lasts. For small disks of our own only."""
    filler = folder / _FILLER
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        with contextlib.suppress(OSError):
            while os.write(descriptor, _CHUNK):
                pass
        with contextlib.suppress(OSError):
            while os.write(descriptor, b"0"):
                pass
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


@contextmanager
def no_longer_files(pids: Callable[[], Sequence[int]], bytes_max: int) -> Iterator[None]:
    """None of these programs, nor what they start from now on, can make a file longer than so many bytes."""
    _limit(pids(), str(bytes_max))
    try:
        yield
    finally:
        _limit(pids(), "unlimited")


def _limit(pids: Sequence[int], size: str) -> None:
    """Each by a command of its own user: not even root may do it to others where it lacks a capability."""
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):  # it has ended
            owner = Path("/proc", str(pid)).stat()
            user, group = (owner.st_uid, owner.st_gid) if owner.st_uid != os.geteuid() else (None, None)
            limit = ["prlimit", f"--pid={pid}", f"--fsize={size}:unlimited"]
            subprocess.run(limit, user=user, group=group, check=False)
