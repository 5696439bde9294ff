"""Checkpoints: a log's word for its size and root, as the text of a signed note (C2SP tlog-checkpoint)."""

import re
from dataclasses import dataclass

from ledger import b64
from ledger.errors import CheckpointError, MalformedError
from ledger.merkle import HASH_BYTES, SIZE_MAX


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of the log `origin` has this `size` and `root` (32 bytes).

    `extensions` are further lines, which nobody audits. Raises CheckpointError for values that have no text.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 0 <= self.size <= SIZE_MAX:
            raise CheckpointError("a tree's size is a number from 0 to 2**63 - 1")
        if type(self.root) is not bytes or len(self.root) != HASH_BYTES:
            raise CheckpointError(f"a root has {HASH_BYTES} bytes")
        if type(self.extensions) is not tuple:
            raise CheckpointError("extensions are a tuple of lines")
        _require_line(self.origin, "the origin")
        for line in self.extensions:
            _require_line(line, "an extension line")

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint, which is the text of a note that was opened, or raise CheckpointError."""
        if not isinstance(text, str) or not text.endswith("\n"):
            raise CheckpointError("a checkpoint is text that ends in a newline")
        lines = text[:-1].split("\n")
        if len(lines) < 3:
            raise CheckpointError("a checkpoint has an origin, a size and a root, each on a line of its own")
        origin, size, root, *extensions = lines
        return cls(origin, _parse_size(size), _parse_root(root), tuple(extensions))

    @property
    def text(self) -> str:
        """The text of the note, one line each: what `parse` reads."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, b64.encode(self.root), *self.extensions))


_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x1f]")


def _parse_size(text: str) -> int:
    if not _SIZE.fullmatch(text):
        raise CheckpointError("the size is not a decimal number without leading zeros, below 2**63")
    return int(text)


def _parse_root(text: str) -> bytes:
    try:
        return b64.decode(text)
    except MalformedError as error:
        raise CheckpointError(f"the root is {error}") from error


def _require_line(line: str, name: str) -> None:
    """A line of a note: not empty, UTF-8, without control characters."""
    if not isinstance(line, str) or not line or _CONTROL.search(line):
        raise CheckpointError(f"{name} is empty or has a control character")
    try:
        line.encode()
    except UnicodeError as error:
        raise CheckpointError(f"{name} is not UTF-8") from error
