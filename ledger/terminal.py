"""What a terminal shows: how far a command is, and texts of others without what a terminal would obey."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

_TICK_S, _RATE_S = 0.2, 0.5


def printable(text: object) -> str:
    """The same without what a terminal would obey: these texts come from others."""
    return "".join(character if character.isprintable() else "�" for character in str(text))


def entries(count: int) -> str:
    """`1 entry`, `2,000 entries`."""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


class Progress:
    """The last line of a terminal: how far a command is. It goes with the block; elsewhere nothing is said."""

    def __init__(self, stream: TextIO, *, of: str = "entries", clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._shows, self._clock, self._shown_at = stream, stream.isatty(), clock, -_TICK_S
        self._noun, self._began = of, ("", 0, 0.0)  # what it is about, and when so many were done

    def __enter__(self) -> Self:
        return self

    def __call__(self, about: str, done: int, of: int = 0) -> None:
        """So many are done of what it is about, a chain as a rule; of so many, if that is known."""
        now = self._clock()
        if self._began[0] != about:
            self._began = about, done, now
        if self._shows and now - self._shown_at >= _TICK_S:
            self._shown_at = now
            self.say(f"{about}: {self._told(done, of, now)}")

    def say(self, line: str) -> None:
        """Say what is going on, in the place of what was said before."""
        if self._shows:
            self._stream.write(f"\r\x1b[K{line}")
            self._stream.flush()

    def clear(self) -> None:
        """Make room for a line that stays."""
        self.say("")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def _told(self, done: int, of: int, now: float) -> str:
        _, first, began = self._began
        told = [f"{done:,} of {of:,} {self._noun}", f"{100 * done // of} %"] if of else [f"{done:,} {self._noun}"]
        if now - began > _RATE_S and done > first:
            rate = (done - first) / (now - began)
            told.append(f"{rate:,.0f}/s")
            told += [f"{_duration((of - done) / rate)} left"] if of else []
        return ", ".join(told)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
