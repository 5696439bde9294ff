"""A line a fault, not a line a message; for people, and for machines."""

import json
import logging

import pytest

from gateway.logs import Faults, JsonFormatter, say


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_flood_is_a_line_a_minute(lines: pytest.LogCaptureFixture) -> None:
    """Of 60,000 messages refused in two minutes there are three lines; they count every one, and name a device."""
    faults = Faults()
    for number in range(120_000):
        now = number / 1000
        faults.counted("refused", "signature", 1, "production/noise-1", now)
        faults.due(now)
    faults.due(121)
    assert len(lines.messages) == 3
    told = [record.__dict__["fields"] for record in lines.records]
    assert sum(fields["count"] for fields in told) == 120_000
    assert {fields["example"] for fields in told} == {"production/noise-1"}


def test_each_reason_is_told_at_once(lines: pytest.LogCaptureFixture) -> None:
    """A new reason does not wait for the minute of another; after a quiet minute it is news again."""
    faults = Faults()
    faults.counted("refused", "gap", 3, "production/press-1", 0)
    faults.counted("refused", "fork", 1, "production/press-1", 1)
    faults.due(61)
    faults.counted("refused", "fork", 1, "production/press-1", 62)
    assert lines.messages == [
        "3 messages refused: gap; the last from production/press-1",
        "1 message refused: fork; the last from production/press-1",
        "1 message refused: fork; the last from production/press-1",
    ]


def test_what_goes_on_failing_is_a_line_a_minute_and_its_end_is_one(lines: pytest.LogCaptureFixture) -> None:
    """A broker that is away for two minutes: told when it goes, twice that it is away, and when it is back."""
    faults = Faults()
    for second in range(0, 125, 5):
        faults.failing("broker", "connection refused", "start it", second)
    faults.well("broker", 125)
    faults.well("broker", 126)
    assert lines.messages == [
        "broker: connection refused (start it)",
        "broker: connection refused (tried 13 times in 60 s) (start it)",
        "broker: connection refused (tried 25 times in 120 s) (start it)",
        "broker: works again, after 125 s",
    ]


def test_another_fault_of_the_same_part_is_told(lines: pytest.LogCaptureFixture) -> None:
    """That the broker is back, and refuses the password, does not hide behind its having been away."""
    faults = Faults()
    for second, text in enumerate(["disconnected", "connection refused", *["not authorised"] * 8]):
        faults.failing("broker", text, "", second)
    assert [record.__dict__["fields"]["reason"] for record in lines.records] == ["disconnected", "not authorised"]


def test_the_rest_is_told_at_the_end(lines: pytest.LogCaptureFixture) -> None:
    """What was summed up when the gateway stops is in its log."""
    faults = Faults()
    for _ in range(3):
        faults.counted("refused", "gap", 1, "production/press-1", 0)
    faults.due(7, all_of_it=True)
    faults.due(8, all_of_it=True)
    assert lines.messages[1:] == ["2 messages refused: gap, in 7 s; the last from production/press-1"]


def test_json_is_an_object_a_line(lines: pytest.LogCaptureFixture) -> None:
    """With the event's own fields; a traceback, and text with line breaks, stay in their line."""
    say(logging.WARNING, "refused", "3 messages\nrefused", reason="gap", count=3)
    try:
        raise ZeroDivisionError("nobody foresaw this")
    except ZeroDivisionError:
        logging.getLogger("gateway").exception("a fault of ours")
    first, second = (JsonFormatter().format(record) for record in lines.records)
    told = json.loads(first)
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "warning", "event": "refused", "text": "3 messages\nrefused", "reason": "gap", "count": 3,
    }  # fmt: skip
    assert "nobody foresaw this" in json.loads(second)["traceback"]
    assert "\n" not in first + second
