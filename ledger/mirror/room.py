"""Room for so many bytes at once: whoever fetches ahead waits until there is some, in the order of the files."""

from threading import Condition

from ledger.published.reader import FILE_BYTES_MAX

ROOM_BYTES = 3 * FILE_BYTES_MAX  # two may be on their way, beside what waits to be taken


class Room:
    """Room that files take in the order of their numbers, from `first` on: so the one that is needed next never waits.

    Safe to share between threads.
    """

    def __init__(self, first: int, size: int) -> None:
        self._next, self._free, self._is_closed = first, size, False
        self._taken: dict[int, int] = {}
        self._changed = Condition()

    def take(self, number: int, size: int) -> None:
        """Wait until all files before `number` have taken theirs, and there is room for `size` bytes."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or (self._next == number and self._free >= size))
            if self._is_closed:
                raise InterruptedError("nobody waits for this file any more")
            self._next += 1
            self._free -= size
            self._taken[number] = size
            self._changed.notify_all()

    def keep(self, number: int, size: int) -> None:
        """Give back what a file took beyond `size`."""
        with self._changed:
            self._free += self._taken.pop(number, 0) - size
            self._taken[number] = size
            self._changed.notify_all()

    def give_back(self, number: int) -> None:
        """Give back all that a file took, if it took any."""
        with self._changed:
            self._free += self._taken.pop(number, 0)
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
