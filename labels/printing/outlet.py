"""Where printed labels go: pieces, an outlet that takes them, and how it refuses.

A *piece* is what goes out between two records of the journal: a sheet's file, some labels' files, or a printer's job.
Its *parts* are what the outlet takes one by one, each with the labels that are on it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from labels.listed import StoredLabel


@dataclass(frozen=True, slots=True)
class Numbered:
    """An issued label and its number in its lot, from 1: a lot of several batches is counted through."""

    number: int
    stored: StoredLabel

    @property
    def serial(self) -> str:
        """What a person knows it by."""
        return self.stored.label.serial


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a printer's job: its name, its bytes, and the labels on it in the order in which they come out."""

    name: str
    data: bytes
    labels: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """What is recorded together: sent, and then printed."""

    parts: tuple[Part, ...]

    @property
    def labels(self) -> tuple[Numbered, ...]:
        """All its labels, in the order in which they come out."""
        return tuple(label for part in self.parts for label in part.labels)


class RefusedError(Exception):
    """A piece did not come out whole: what the outlet was told, and how many of the piece's labels came out.

    Of `doubtful` labels behind those nobody can tell, and of none of them if `came_out` is None: then a person has to
    look at the paper.
    """

    def __init__(self, told: str, *, came_out: int | None, doubtful: int = 0, hint: str = "mend it") -> None:
        super().__init__(told)
        self.came_out, self.doubtful, self.hint = came_out, doubtful, hint


class Outlet(ABC):
    """A printer or a folder."""

    @property
    @abstractmethod
    def where(self) -> str:
        """What people know it by: a folder, `192.0.2.7:9100`. The same outlet always has the same."""

    @abstractmethod
    def send(self, piece: Piece) -> None:
        """Let a piece come out, which the journal has as sent; return when it has. RefusedError if it does not."""

    def prepare(self, piece: Piece) -> None:  # noqa: B027 - most have nothing to prepare
        """Do what can fail without a label coming out, before the journal has it as sent; else RefusedError."""

    def finish(self, names: Sequence[str]) -> bool:
        """Let the parts of a piece come out that a run sent before it died; False if nobody can tell whether it did.

        True means that they are out now. A printer cannot tell.
        """
        return False
