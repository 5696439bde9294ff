"""When a block closes: so many statements, so many bytes, or so long after the first."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

SIZE_MAX = 1_000
BYTES_MAX = 4 * 1024 * 1024  # a thousand statements of 100 readings are 2 MB; a thousand of the largest, 256 MB
AGE_MS_MAX = 250

Item = TypeVar("Item")


@dataclass
class Batcher(Generic[Item]):
    """Collects items; the caller has the clock and does the sleeping."""

    size_max: int = SIZE_MAX
    age_ms_max: float = AGE_MS_MAX
    bytes_max: int = BYTES_MAX
    items: list[Item] = field(default_factory=list)
    bytes: int = 0
    first_ms: float | None = None

    def add(self, item: Item, now_ms: float, *, size: int = 0) -> None:
        """Take one more, of `size` bytes."""
        if self.first_ms is None:
            self.first_ms = now_ms
        self.items.append(item)
        self.bytes += size

    @property
    def is_full(self) -> bool:
        """Whether the batch closes whatever its age."""
        return len(self.items) >= self.size_max or self.bytes >= self.bytes_max

    def deadline_ms(self) -> float | None:
        """When the batch closes by age, or None while it is empty."""
        return None if self.first_ms is None else self.first_ms + self.age_ms_max

    def due(self, now_ms: float) -> bool:
        """Whether the batch closes now."""
        deadline = self.deadline_ms()
        return deadline is not None and (self.is_full or now_ms >= deadline)

    def take(self) -> list[Item]:
        """The batch, and begin the next."""
        items, self.items, self.bytes, self.first_ms = self.items, [], 0, None
        return items
