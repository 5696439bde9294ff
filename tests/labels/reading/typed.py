"""`tallystick labels read` as it is typed, and the photos that it is given."""

from pathlib import Path

import tallystick
from tests.labels.reading.pictures import beside, encoded, label

HOST = "id.example.com"


def read(*args: object) -> int:
    """The exit code of `tallystick labels read ARGS`."""
    return tallystick.run(["labels", "read", *map(str, args)])


def photo(folder: Path, *links: str, name: str = "photo.png") -> Path:
    """A picture of these links' codes, side by side."""
    path = folder / name
    path.write_bytes(encoded(beside(*map(label, links))))
    return path
