"""Settings come from an argument, else the environment, else the data folder's file."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import UserError
from ledger.settings import BrokerAddress, Settings, data_folder, parse_broker

FILE = """
[database]
dsn = "host=file"
[broker]
host = "127.0.0.1"
port = 1884
username = "_gateway"
password_file = "broker-password"
[labels]
url = "http://127.0.0.1:8420/"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "tallystick.toml").write_text(FILE)
    (tmp_path / "broker-password").write_text("secret\n")
    return tmp_path


def test_file_is_read(data: Path) -> None:
    """What `up` wrote is what a command sees."""
    settings = Settings.load(data, environ={})
    assert settings.need_dsn() == "host=file"
    assert settings.need_broker() == BrokerAddress("127.0.0.1", 1884, "_gateway", "secret")
    assert settings.labels_url == "http://127.0.0.1:8420"


def test_precedence(data: Path) -> None:
    """An argument beats the environment, which beats the file."""
    environ = {"TALLYSTICK_DATA": str(data), "TALLYSTICK_DSN": "host=env", "TALLYSTICK_BROKER": "u:p%40@mq:99"}
    settings = Settings.load(environ=environ)
    assert settings.data == data
    assert settings.dsn == "host=env"
    assert settings.broker == BrokerAddress("mq", 99, "u", "p@")
    settings = Settings.load(data, dsn="host=arg", broker="mqtt://other", environ=environ)
    assert settings.dsn == "host=arg"
    assert settings.broker == BrokerAddress("other", 1883, None, None)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    """A command that needs what nobody named says how to name it."""
    settings = Settings.load(tmp_path / "none", environ={})
    for need, name in (
        (settings.need_dsn, "TALLYSTICK_DSN"),
        (settings.need_broker, "TALLYSTICK_BROKER"),
    ):
        with pytest.raises(UserError, match=r"^no .* is named in") as caught:
            need()
        assert name in caught.value.hint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[database", "is not TOML"),
        ("[database]\ndsn = 5", r"'dsn' of \[database\] is not a text"),
        ("database = 5", r"'dsn' of \[database\] is not a text"),
        ("[broker]\nhost = 'bad host'", r"'host' of \[broker\] is no machine's name or address"),
        ("[broker]\nhost = 'h'\nport = true", r"'port' of \[broker\] is not a whole number"),
        ("[broker]\nhost = 'h'\nport = 99999", r"'port' of \[broker\] is not a port"),
        ("[labels]\nhost = 'bad host'", "'bad host' is no host"),
        ("[labels]\nurl = 'id.example.com'", "'id.example.com' is no web address"),
        ("[broker]\nhost = 'h'\npassword_file = 'none'", "cannot read the broker's password"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, text: str, complaint: str) -> None:
    """A file that says nothing usable is the user's to mend."""
    (tmp_path / "tallystick.toml").write_text(text)
    with pytest.raises(UserError, match=complaint):
        Settings.load(tmp_path, environ={})


def test_data_folder_defaults_to_the_users_own() -> None:
    """Without a name the data folder is in the home folder; a relative one becomes absolute."""
    assert data_folder(None, {}) == Path.home() / ".local/share/tallystick"
    assert data_folder(Path("x"), {"TALLYSTICK_DATA": "/y"}) == Path.cwd() / "x"


@given(st.text())
def test_broker_addresses_are_total(text: str) -> None:
    """Any text is an address or a mistake."""
    with contextlib.suppress(UserError):
        assert parse_broker(text).host


@pytest.mark.parametrize("text", ["http://x", "mqtt://", "h:99999", "h:0", "bad host", "h#x", "h:x", "h/path", "h?x=1"])
def test_bad_broker_addresses(text: str) -> None:
    """What is not host and port is refused, without repeating a password."""
    with pytest.raises(UserError, match="broker address is malformed"):
        parse_broker(text)
