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

    More than one batch may wait: each item keeps the time at which it came.
    """

    size_max: int = SIZE_MAX
    age_ms_max: float = AGE_MS_MAX
    bytes_max: int = BYTES_MAX
    bytes: int = field(default=0, init=False)
    _waiting: deque[tuple[float, int, Item]] = field(default_factory=deque, init=False)

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
        """Whether a batch closes whatever its age."""
        return len(self._waiting) >= self.size_max or self.bytes >= self.bytes_max

    def deadline_ms(self) -> float | None:
        """When the next batch closes by age, or None while nothing waits."""
        return self._waiting[0][0] + self.age_ms_max if self._waiting else None

    def due(self, now_ms: float) -> bool:
        """Whether a batch closes now."""
        deadline = self.deadline_ms()
        return deadline is not None and (self.is_full or now_ms >= deadline)

    def take(self) -> list[Item]:
        """The next batch: the oldest items, up to `size_max` of them, or to the one that reaches `bytes_max`."""
        batch: list[Item] = []
        size = 0
        while self._waiting and len(batch) < self.size_max and size < self.bytes_max:
            _, bytes_, item = self._waiting.popleft()
            size += bytes_
            batch.append(item)
        self.bytes -= size
        return batch
