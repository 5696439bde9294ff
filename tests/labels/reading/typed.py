"""`tallystick labels read` as it is typed, and the photos that it is given."""

from pathlib import Path

import tallystick
from tests.labels.reading.pictures import beside, encoded, label

HOST = "id.example.com"


def read(*args: object) -> int:
    """The exit code of `tallystick labels read ARGS`."""
    return tallystick.run(["labels", "read", *map(str, args)])


def trust_bundle(path: Path) -> Path:
    """The trust bundle of the ledger that the environment names, as the operator gives it out, written to `path`."""
    assert tallystick.run(["ledger", "trust", "export", "-o", str(path)]) == 0
    return path


def photo(folder: Path, *links: str, name: str = "photo.png") -> Path:
    """A picture of these links' codes, side by side."""
    path = folder / name
    path.write_bytes(encoded(beside(*map(label, links))))
    return path
