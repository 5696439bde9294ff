"""Limits: between which values a metric's readings are good for a product."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from labels.catalogue import fields
from ledger.errors import MalformedError

METRICS_MAX = 20
VALUE_MAX = 1e12


@dataclass(frozen=True, slots=True)
class Limit:
    """The lowest and the highest good value, in a SenML unit; one of the two may be None."""

    unit: str
    low: float | None
    high: float | None

    def entry(self) -> list[Any]:
        """As a registry entry has it."""
        return [self.unit, self.low, self.high]

    @classmethod
    def read(cls, value: Any) -> Self:
        """Read it, or raise MalformedError."""
        match value:
            case [str(unit), low, high] if len(unit) <= 16 and unit.isprintable():
                found = cls(unit, _number(low), _number(high))
                if (found.low, found.high) != (None, None) and _is_order(found.low, found.high):
                    return found
        raise MalformedError("a limit is [unit, lowest, highest], one of the two perhaps null, the lower one first")


def read_limits(value: Any) -> dict[str, Limit]:
    """The limits of a description by metric, or MalformedError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > METRICS_MAX:
        raise MalformedError(f"limits are a map of at most {METRICS_MAX} metrics")
    return {fields.text(metric, "a metric", 64): Limit.read(limit) for metric, limit in value.items()}


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= VALUE_MAX:
        raise MalformedError(f"a limit is a number of at most {VALUE_MAX:g}")
    assert math.isfinite(value)
    return float(value)


def _is_order(low: float | None, high: float | None) -> bool:
    return low is None or high is None or low <= high
