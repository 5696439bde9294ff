"""Names that a user gives, held against what standards call a host and a URI."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import names
from ledger.errors import UserError

HOSTS = ["id.example.com", "ID.EXAMPLE.COM", "localhost", "a-1:8420", "192.0.2.7", "192.0.2.7:65535", "[2001:db8::7]:1"]
NO_HOSTS = [
    "", ".", "bad host", "https://x.example", "a..b", ".a", "a.", "-a", "a-", "a_b", "x:0", "x:65536", "x:", "x:y",
    ":80", "300.1.1.1", "1.2.3", "7", "::1", "[::1", "[::zz]", "[fe80::1%eth0]", "a/b", "a@b", "bücher.example",
    "a" * 64, ".".join(["a" * 60] * 5), "a\n", "a?b",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTS)
def test_a_host_is_a_name_or_an_address(text: str) -> None:
    """With a port or without, and it comes back as it was."""
    assert names.host(text) == text
    assert names.web_address(f"https://{text}/path") == f"https://{text}/path"


@pytest.mark.parametrize("text", NO_HOSTS)
def test_what_no_browser_could_reach_is_no_host(text: str) -> None:
    """It would be printed on labels for ever."""
    with pytest.raises(UserError, match="is no host"):
        names.host(text)


@pytest.mark.parametrize(
    "text", ["localhost", "my_broker", "mq.example.com.", "192.0.2.7", "::1", "fe80::1%eth0", "2001:db8::7"]
)
def test_a_machine_is_a_name_or_an_address_to_connect_to(text: str) -> None:
    """Also one that only this machine's networks know."""
    assert names.is_machine(text)


@pytest.mark.parametrize("text", ["", ".", "bad host", "a..b", "-a", "x:0", "::zz", "a" * 64, "bücher.example", "a\n"])
def test_what_nobody_could_connect_to_is_no_machine(text: str) -> None:
    """No resolver has to be asked."""
    assert not names.is_machine(text)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.ledger, "ledger.example.com", "example.com/ledger"),
        (names.ledger, "example", "example.com:80"),
        (names.organisation, "https://example.com", "example.com"),
        (names.organisation, "urn:example:1", "https://example.com/a b"),
        (names.organisation, "a:" + "x" * 254, "a:" + "x" * 255),
        (names.web_address, "http://127.0.0.1:8420", "ftp://127.0.0.1"),
    ],
)
def test_each_name_has_its_rule(check: Callable[[str], str], good: str, bad: str) -> None:
    """A good one comes back, a bad one is a mistake with a hint."""
    assert check(good) == good
    with pytest.raises(UserError) as caught:
        check(bad)
    assert caught.value.hint


@given(st.text())
def test_names_are_total(text: str) -> None:
    """Any text is a name or a mistake."""
    for check in (names.host, names.ledger, names.organisation, names.web_address):
        with contextlib.suppress(UserError):
            assert check(text) == text
