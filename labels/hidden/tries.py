"""How often somebody was wrong: for a label with too many wrong codes nothing is said for a while. Pure.

Nobody guesses 80 bits; but whoever tries shall not have the database work for it.
"""

from collections import OrderedDict

WRONG_MAX = 10
FORGOTTEN_S = 600.0
_LABELS_MAX = 10_000  # that are remembered: of more the oldest are forgotten


class Tries:
    """The wrong codes of the last ten minutes, by their labels' paths. Not safe to share between threads."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, path: str, now: float) -> float:
        """For how many seconds nothing is said of this label; 0 if something is."""
        times = self._recent(path, now)
        return times[0] + FORGOTTEN_S - now if len(times) >= WRONG_MAX else 0.0

    def wrong(self, path: str, now: float) -> None:
        """A wrong code was tried for the label."""
        self._wrong[path] = [*self._recent(path, now), now]
        self._wrong.move_to_end(path)
        while len(self._wrong) > _LABELS_MAX:
            self._wrong.popitem(last=False)

    def _recent(self, path: str, now: float) -> list[float]:
        return [time for time in self._wrong.get(path, []) if now - FORGOTTEN_S < time <= now]
