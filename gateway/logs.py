"""The gateway's log: text for people or a JSON object a line, and a line a fault rather than a line a message.

A device that floods, or a broker that is away for a night, is one line and then one a minute with what it summed up
to; its end is a line too. `now` is in seconds of the monotonic clock.
"""

import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.refusal import Reason

EVERY_S = 60.0
CHANGE_S_MIN = 5.0  # what ends and begins again goes through many errors in a moment
ORDINARY = frozenset({str(Reason.GAP)})  # a loss on the way: what is missing comes again

log = logging.getLogger("gateway")


def set_up(style: str) -> None:
    """Log to standard error, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if style == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def say(level: int, event: str, text: str, **fields: object) -> None:
    """One line. `event` names its kind, `fields` what is in it, for machines; `text` is the whole for people."""
    log.log(level, "%s", text, extra={"event": event, "fields": fields})


class JsonFormatter(logging.Formatter):
    """A JSON object a line: time, level, event, text, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
            "text": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


@dataclass
class _Sum:
    """`count` is what no line has told of yet."""

    told_at: float
    count: int = 0
    example: str = ""


@dataclass
class _Failure:
    began_at: float
    told_at: float
    text: str
    tries: int = 1


class Faults:
    """Says of each fault that it began, once a minute that it goes on, and that it is over."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._failures: dict[str, _Failure] = {}

    def counted(self, event: str, reason: str, count: int, example: str, now: float) -> None:
        """So many messages for one reason, and who sent one of them: the first are told at once."""
        kept = self._sums.get((event, reason))
        if kept is None:
            self._sums[event, reason] = _Sum(now)
            _tell_count(event, reason, count, example)
        else:
            kept.count, kept.example = kept.count + count, example

    def due(self, now: float, *, all_of_it: bool = False) -> None:
        """Tell of what was summed up for a minute, or of all of it; forget what has ceased."""
        for (event, reason), kept in list(self._sums.items()):
            if now - kept.told_at < self._every_s and not all_of_it:
                continue
            if kept.count:
                _tell_count(event, reason, kept.count, kept.example, seconds=round(now - kept.told_at))
                self._sums[event, reason] = _Sum(now)
            else:
                del self._sums[event, reason]

    def failing(self, name: str, text: str, hint: str, now: float) -> bool:
        """A try of `name` has failed: told at once if it worked before, soon if it fails otherwise. Whether told."""
        failure = self._failures.get(name)
        if failure is None:
            self._failures[name] = _Failure(now, now, text)
            told = f"{name}: {text}"
        else:
            failure.tries += 1
            if now - failure.told_at < (CHANGE_S_MIN if failure.text != text else self._every_s):
                return False
            failure.told_at, failure.text = now, text
            told = f"{name}: {text} (tried {failure.tries} times in {now - failure.began_at:.0f} s)"
        say(logging.WARNING, "failing", told + (f" ({hint})" if hint else ""), part=name, reason=text, hint=hint)
        return True

    def well(self, name: str, now: float) -> None:
        """`name` works: told if it did not."""
        failure = self._failures.pop(name, None)
        if failure is not None:
            seconds = round(now - failure.began_at, 1)
            say(logging.INFO, "well", f"{name}: works again, after {seconds:g} s", part=name, seconds=seconds)


def _tell_count(event: str, reason: str, count: int, example: str, seconds: int | None = None) -> None:
    level = logging.INFO if reason in ORDINARY else logging.WARNING
    messages = "1 message" if count == 1 else f"{count} messages"
    more = {} if seconds is None else {"seconds": seconds}
    text = f"{messages} {event}: {reason}" + (f", in {seconds} s" if seconds else "") + f"; the last from {example}"
    say(level, event, text, reason=reason, count=count, example=example, **more)
