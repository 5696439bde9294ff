"""The agent's configuration: `config.toml` in the device's folder, read strictly."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.options import Table
from ledger.errors import UserError
from ledger.section import Privacy
from ledger.topic import Topic

FILE_NAME = "config.toml"
MQTT_PORT = 1883
WINDOW, WINDOW_MAX = 64, 1_000
SPOOL_BYTES_MAX = 256 * 1024 * 1024
SPOOL_BYTES_LEAST = 64 * 1024

_TABLES = {
    "device": {"name", "urn", "organisation", "chain", "key", "privacy"},
    "broker": {"host", "port", "username", "password_file"},
    "ledger": {"trust"},
    "spool": {"file", "bytes_max", "window"},
}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the MQTT broker listens, and as whom the agent connects."""

    host: str
    port: int
    username: str | None
    password_file: Path | None

    def password(self) -> str | None:
        """The password, or None if none is configured; raises UserError if its file cannot be read."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise UserError(
                f"cannot read the broker's password in {self.password_file}: {error}",
                "write the password into that file, alone, or name another one in [broker]",
            ) from error


@dataclass(frozen=True, slots=True)
class SensorConfig:
    """One `[[sensor]]`: its type, its name, how private its sections are, and the type's own options."""

    type: str
    name: str
    privacy: Privacy
    options: Table


@dataclass(frozen=True, slots=True)
class Config:
    """All that an agent is told. Paths are absolute; `urn` is the statements' sub, `organisation` their iss."""

    folder: Path
    name: str
    urn: str
    organisation: str
    chain: str
    privacy: Privacy
    key_file: Path
    trust_file: Path
    spool_file: Path
    spool_bytes_max: int
    window: int
    broker: Broker
    sensors: tuple[SensorConfig, ...]

    @property
    def topic(self) -> Topic:
        """The device's topics."""
        return Topic(self.chain, self.name)

    @classmethod
    def load(cls, folder: Path) -> "Config":
        """Read `config.toml` in `folder`, or raise UserError."""
        path = folder.absolute() / FILE_NAME
        try:
            text = path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(
                f"{folder} is no device's folder: it has no {FILE_NAME}",
                "make one with 'tallystick edge init', or name it with --folder",
            ) from error
        except OSError as error:
            raise UserError.of_system(f"cannot read {path}", error) from error
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is not UTF-8 text: {error}", "mend it, or bring it back from a copy") from error
        return cls.parse(text, path)

    @classmethod
    def parse(cls, text: str, path: Path) -> "Config":
        """Read the text of the file at `path`, or raise UserError; relative paths start at its folder."""
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} is not TOML: {error}", "mend that line") from error
        for name in document.keys() - _TABLES.keys() - {"sensor"}:
            raise UserError(f"{path}: there is no table [{name}]", f"there are {', '.join(_TABLES)} and sensor")
        device, broker, ledger, spool = (_table(document, name, path) for name in _TABLES)
        privacy = device.privacy(Privacy.PRIVATE)
        return cls(
            folder=path.parent,
            name=device.name("name"),
            urn=device.uri("urn"),
            organisation=device.uri("organisation"),
            chain=device.name("chain"),
            privacy=privacy,
            key_file=device.file("key", "device.key"),
            trust_file=ledger.file("trust", "trust.json"),
            spool_file=spool.file("file", "spool.sqlite"),
            spool_bytes_max=spool.whole("bytes_max", SPOOL_BYTES_MAX, least=SPOOL_BYTES_LEAST, most=2**62),
            window=spool.whole("window", WINDOW, least=1, most=WINDOW_MAX),
            broker=_broker(broker),
            sensors=_sensors(document.get("sensor", []), path, privacy),
        )


def _table(document: Mapping[str, Any], title: str, path: Path) -> Table:
    values = document.get(title, {})
    if not isinstance(values, dict):
        raise UserError(f"{path}: {title} is a table", f"write it as [{title}]")
    table = Table(title, values, path)
    table.only(_TABLES[title])
    return table


def _broker(table: Table) -> Broker:
    return Broker(
        host=table.machine("host", "localhost"),
        port=table.whole("port", MQTT_PORT, least=1, most=65_535),
        username=table.optional_text("username"),
        password_file=table.file("password_file") if "password_file" in table.values else None,
    )


def _sensors(values: Any, path: Path, privacy: Privacy) -> tuple[SensorConfig, ...]:
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise UserError(f"{path}: sensor is a list of tables", "write each as [[sensor]], with two brackets a side")
    found: dict[str, SensorConfig] = {}
    for value in values:
        sensor = _sensor(Table("sensor", value, path), privacy)
        if sensor.name in found:
            raise UserError(f"{path}: two sensors are named {sensor.name!r}", "give each [[sensor]] its own name")
        found[sensor.name] = sensor
    return tuple(found.values())


def _sensor(table: Table, privacy: Privacy) -> SensorConfig:
    kind = table.text("type")
    options = {key: value for key, value in table.values.items() if key not in ("type", "name", "privacy")}
    name = table.name("name", kind)
    return SensorConfig(kind, name, table.privacy(privacy), Table(f"sensor {name}", options, table.path))
