"""When a block closes: so many statements, so many bytes, or so long after the first of them came."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SIZE_MAX = 1_000
BYTES_MAX = 4 * 1024 * 1024  # a thousand statements of 100 readings are 2 MB; a thousand of the largest, 256 MB
AGE_MS_MAX = 250

Item = TypeVar("Item")


@dataclass
class Batcher(Generic[Item]):
    """What waits, in the order in which it came; the caller has the clock and does the sleeping.

    More than one batch may wait: each item keeps the time at which it came. Of the batch that is open, a part may be
    taken before it closes; what is taken of it counts.
    """

    size_max: int = SIZE_MAX
    age_ms_max: float = AGE_MS_MAX
    bytes_max: int = BYTES_MAX
    bytes: int = field(default=0, init=False)
    _waiting: deque[tuple[float, int, Item]] = field(default_factory=deque, init=False)
    _taken: int = field(default=0, init=False)  # of the open batch, so many items, of so many bytes, ...
    _taken_bytes: int = field(default=0, init=False)
    _opened_ms: float | None = field(default=None, init=False)  # ... the first of which came at this time

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Item]:
        return (item for _, _, item in self._waiting)

    def add(self, item: Item, now_ms: float, *, size: int = 0) -> None:
        """Take one more, of `size` bytes."""
        self._waiting.append((now_ms, size, item))
        self.bytes += size

    @property
    def is_full(self) -> bool:
        """Whether the batch closes whatever its age."""
        return self._taken + len(self._waiting) >= self.size_max or self._taken_bytes + self.bytes >= self.bytes_max

    def deadline_ms(self) -> float | None:
        """When the batch closes by age, or None while there is none."""
        if self._opened_ms is not None:
            return self._opened_ms + self.age_ms_max
        return self._waiting[0][0] + self.age_ms_max if self._waiting else None

    def due(self, now_ms: float) -> bool:
        """Whether the batch closes now."""
        deadline = self.deadline_ms()
        return deadline is not None and (self.is_full or now_ms >= deadline)

    def take_part(self) -> list[Item]:
        """What there is of the open batch so far, which stays open."""
        part: list[Item] = []
        if self._waiting and self._opened_ms is None:
            self._opened_ms = self._waiting[0][0]
        while self._waiting and self._taken < self.size_max and self._taken_bytes < self.bytes_max:
            _, size, item = self._waiting.popleft()
            self._taken, self._taken_bytes, self.bytes = self._taken + 1, self._taken_bytes + size, self.bytes - size
            part.append(item)
        return part

    def take(self) -> list[Item]:
        """The rest of the batch, which closes: up to `size_max` items, or to the one that reaches `bytes_max`."""
        rest = self.take_part()
        self._taken, self._taken_bytes, self._opened_ms = 0, 0, None
        return rest
