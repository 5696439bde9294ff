"""The configuration is read strictly, and every mistake in it has a name."""

from pathlib import Path

import pytest

from edge.config import Config
from ledger.errors import UserError
from ledger.section import Privacy

GOOD = """
[device]
name = "line-1"
urn = "urn:uuid:00000000-0000-4000-8000-000000000001"
organisation = "https://example.com"
chain = "production"
"""
PATH = Path("/devices/line-1/config.toml")


def test_defaults_are_private_and_local() -> None:
    """Without a word about it, content is private, the broker is here, and files are in the folder."""
    config = Config.parse(GOOD, PATH)
    assert config.privacy is Privacy.PRIVATE
    assert (config.broker.host, config.broker.port, config.window) == ("localhost", 1883, 64)
    assert config.key_file == PATH.parent / "device.key"
    assert config.trust_file == PATH.parent / "trust.json"
    assert config.sensors == ()
    assert str(config.topic) == "tallystick/v1/production/line-1"


def test_a_sensor_keeps_its_own_options() -> None:
    """What is not the agent's is the sensor's."""
    text = GOOD + '[[sensor]]\ntype = "host"\nname = "pi"\nprivacy = "public"\nsamples = 3\n[[sensor]]\ntype = "csv"\n'
    first, second = Config.parse(text, PATH).sensors
    assert (first.type, first.name, first.privacy, first.options.values) == ("host", "pi", 0, {"samples": 3})
    assert (second.name, second.privacy) == ("csv", Privacy.PRIVATE)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[device", "is not TOML"),
        ("", "'privacy' of|'name' of .device. is missing"),
        (GOOD.replace("line-1", "Line 1"), "'name' of .device. is 'Line 1'"),
        (GOOD.replace("line-1", "l" * 33), "and not 1 to 32"),
        (GOOD.replace("production", "a/b"), "'chain' of .device. is 'a/b'"),
        (GOOD.replace("https://example.com", "example"), "not a URI"),
        (GOOD.replace("https://example.com", "https://" + "e" * 300), "not a URI"),
        (GOOD + 'prvacy = "public"', "has no key 'prvacy'"),
        (GOOD + 'privacy = "secret"', "not one of public, partners, private"),
        (GOOD + "privacy = 0", "'privacy' of .device. is not a text"),
        (GOOD + "[brokr]", "there is no table .brokr."),
        (GOOD + "[broker]\nport = 0", "'port' of .broker. is not a whole number"),
        (GOOD + "[broker]\nport = true", "'port' of .broker. is not a whole number"),
        (GOOD + '[broker]\nhost = "bad host"', "'host' of .broker. is 'bad host', and no machine's name or address"),
        (GOOD + '[broker]\nhost = ""', "'host' of .broker. is not a text"),
        (GOOD + "[spool]\nwindow = 0", "'window' of .spool."),
        (GOOD + "[spool]\nbytes_max = 1", "'bytes_max' of .spool."),
        (GOOD + '[sensor]\ntype = "host"', "sensor is a list of tables"),
        (GOOD + '[[sensor]]\nname = "x"', "'type' of .sensor. is missing"),
        (GOOD + '[[sensor]]\ntype = "host"\n[[sensor]]\ntype = "host"', "two sensors are named 'host'"),
        ("device = 1", "device is a table"),
    ],
)
def test_every_mistake_is_named(text: str, complaint: str) -> None:
    """A wrong file is a UserError that names what is wrong."""
    with pytest.raises(UserError, match=complaint):
        Config.parse(text, PATH)


def test_a_folder_without_a_device_is_told_so(tmp_path: Path) -> None:
    """The hint says how to make one."""
    with pytest.raises(UserError, match="no device's folder") as caught:
        Config.load(tmp_path)
    assert "edge init" in caught.value.hint


def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    """The password stands alone in a file; one that is not there is a UserError."""
    (tmp_path / "secret").write_text("open sesame\n")
    text = GOOD + '[broker]\npassword_file = "{}"'
    config = Config.parse(text.format("secret"), tmp_path / "config.toml")
    assert config.broker.password() == "open sesame"
    with pytest.raises(UserError, match="cannot read the broker's password"):
        Config.parse(text.format("none"), tmp_path / "config.toml").broker.password()
