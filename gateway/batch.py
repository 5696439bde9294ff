"""When a block closes: so many statements, or so long after the first."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

SIZE_MAX = 1_000
AGE_MS_MAX = 250

Item = TypeVar("Item")


@dataclass
class Batcher(Generic[Item]):
    """Collects items; the caller has the clock and does the sleeping."""

    size_max: int = SIZE_MAX
    age_ms_max: float = AGE_MS_MAX
    items: list[Item] = field(default_factory=list)
    first_ms: float | None = None

    def add(self, item: Item, now_ms: float) -> None:
        """Take one more."""
        if self.first_ms is None:
            self.first_ms = now_ms
        self.items.append(item)

    def deadline_ms(self) -> float | None:
        """When the batch closes by age, or None while it is empty."""
        return None if self.first_ms is None else self.first_ms + self.age_ms_max

    def due(self, now_ms: float) -> bool:
        """Whether the batch closes now."""
        deadline = self.deadline_ms()
        return deadline is not None and (len(self.items) >= self.size_max or now_ms >= deadline)

    def take(self) -> list[Item]:
        """The batch, and begin the next."""
        items, self.items, self.first_ms = self.items, [], None
        return items
