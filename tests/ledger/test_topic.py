"""Topics: whose, and what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import MalformedError
from ledger.topic import BIRTHS, STATEMENTS, Topic

LINE_1 = Topic("production", "line-1")


def test_a_devices_topics() -> None:
    """All under one name."""
    assert LINE_1.statement == "tallystick/v1/production/line-1/statement"
    assert LINE_1.birth == "tallystick/v1/production/line-1/birth"
    assert [LINE_1.receipt(lane) for lane in (0, 1)] == [f"{LINE_1}/receipt/0", f"{LINE_1}/receipt/1"]
    assert LINE_1.refusal(1) == "tallystick/v1/production/line-1/refusal/1"


def test_a_topic_says_whose_it_is_and_what_it_carries() -> None:
    """Each of a device's topics parses back."""
    for text in (LINE_1.statement, LINE_1.birth, LINE_1.receipt(0), LINE_1.refusal(1)):
        topic, what = Topic.parse(text)
        assert topic == LINE_1
        assert f"{topic}/{what}" == text


def test_a_gateways_subscriptions_cover_each_device_of_a_chain() -> None:
    """One level stands for the name."""
    for pattern, what in ((STATEMENTS, LINE_1.statement), (BIRTHS, LINE_1.birth)):
        assert pattern.format(chain="production").replace("+", "line-1") == what


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "tallystick/v1/production/line-1",
        "tallystick/v2/production/line-1/statement",
        "Tallystick/v1/production/line-1/statement",
        "/tallystick/v1/production/line-1/statement",
        "tallystick/v1//line-1/statement",
        "tallystick/v1/production//statement",
        "tallystick/v1/production/+/statement",
        "tallystick/v1/production/#",
        "tallystick/v1/Production/line-1/statement",
        "tallystick/v1/production/line_1/statement",
        "tallystick/v1/production/line-1\n/statement",
        "tallystick/v1/production/\u0661/statement",
        "tallystick/v1/production/line\x00/statement",
        f"tallystick/v1/production/{'a' * 33}/statement",
        f"tallystick/v1/{'a' * 33}/line-1/statement",
        "$share/g/tallystick/v1/production/line-1/statement",
    ],
)
def test_what_is_no_topic_of_ours_is_refused(text: str) -> None:
    """Names match [a-z0-9-]{1,32}, all of them."""
    with pytest.raises(MalformedError, match="topic"):
        Topic.parse(text)


names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)


@given(names, names)
def test_every_name_makes_a_topic(chain: str, device: str) -> None:
    """What matches the pattern needs no quoting anywhere."""
    assert Topic.parse(Topic(chain, device).statement) == (Topic(chain, device), "statement")


parts = st.sampled_from(["tallystick", "v1", "a", "", "+", "#", "A", "\ud800"]) | st.text(max_size=4)


@given(st.text() | st.lists(parts, max_size=7).map("/".join))
def test_parsing_is_total(text: str) -> None:
    """Any text gives the topic that has this text, or MalformedError."""
    try:
        topic, what = Topic.parse(text)
    except MalformedError:
        return
    assert f"{topic}/{what}" == text
