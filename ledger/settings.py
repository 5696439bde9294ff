"""Where this machine's parts find each other: an argument, else the environment, else the data folder.

`tallystick up` writes `<data>/tallystick.toml`; a user with a server of their own writes it, or sets:

- `TALLYSTICK_DATA`: the data folder (default `~/.local/share/tallystick`)
- `TALLYSTICK_DSN`: the database, as libpq writes it
- `TALLYSTICK_BROKER`: `[mqtt://][user[:password]@]host[:port]`
- `TALLYSTICK_LABELS_URL`: where the label service answers, for example `https://id.example.com`
- `TALLYSTICK_LABELS_HOST`: the host name in the labels' links
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ledger import names, topic
from ledger.errors import UserError

if TYPE_CHECKING:
    from ledger.folder import LedgerFolder
    from ledger.trust.trust_file import Trust

FILE_NAME = "tallystick.toml"
MQTT_PORT = 1883

_UP_HINT = "start everything with 'tallystick up'"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the MQTT broker listens, and as whom to connect."""

    host: str
    port: int
    username: str | None
    password: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What is known; the `need_` methods raise UserError for what is not."""

    data: Path
    dsn: str | None
    broker: BrokerAddress | None
    labels_url: str | None  # without a slash at its end
    labels_host: str | None
    public: tuple[str, ...] = ()  # chains whose entries all may read, beside the registry and the anchor

    @classmethod
    def load(
        cls,
        data: Path | None = None,
        *,
        dsn: str | None = None,
        broker: str | None = None,
        labels_url: str | None = None,
        labels_host: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> "Settings":
        """Read the settings of the data folder `data`; raises UserError if its file cannot be read."""
        folder = data_folder(data, environ)
        file = _File.read(folder)
        address = broker or environ.get("TALLYSTICK_BROKER")
        url = labels_url or environ.get("TALLYSTICK_LABELS_URL") or file.text("labels", "url")
        host = labels_host or environ.get("TALLYSTICK_LABELS_HOST") or file.text("labels", "host")
        return cls(
            data=folder,
            dsn=dsn or environ.get("TALLYSTICK_DSN") or file.text("database", "dsn"),
            broker=parse_broker(address) if address else file.broker(),
            labels_url=names.web_address(url).rstrip("/") if url else None,
            labels_host=names.host(host) if host else None,
            public=file.names("ledger", "public"),
        )

    @property
    def ledger(self) -> "LedgerFolder":
        """The operator's ledger folder."""
        from ledger.folder import LedgerFolder  # loads codecs and cryptography

        return LedgerFolder(self.data / "ledger")

    def need_dsn(self) -> str:
        """The database's libpq connection string."""
        if self.dsn is None:
            raise UserError(f"no database is named in {self.data}", f"{_UP_HINT}, or set TALLYSTICK_DSN")
        return self.dsn

    def need_broker(self) -> BrokerAddress:
        """The broker's address."""
        if self.broker is None:
            raise UserError(f"no broker is named in {self.data}", f"{_UP_HINT}, or set TALLYSTICK_BROKER")
        return self.broker

    def need_public(self, trust: "Trust") -> tuple[str, ...]:
        """The chains whose entries all may read, beside the registry and the anchor: of the ledger's."""
        for chain in self.public:
            if chain not in trust.logs:
                hint = f"the chains are {', '.join(trust.logs)}: mend 'public' of [ledger] in {self.data / FILE_NAME}"
                raise UserError(f"the settings open a chain {chain!r}, which the ledger has not", hint)
        return self.public


def data_folder(data: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The data folder, absolute: `data`, else TALLYSTICK_DATA, else the user's own."""
    named = data or environ.get("TALLYSTICK_DATA")
    return Path(named or "~/.local/share/tallystick").expanduser().absolute()


def parse_broker(address: str) -> BrokerAddress:
    """Read `[mqtt://][user[:password]@]host[:port]`, percent-decoded; raises UserError."""
    hint = "write it as host, host:port or mqtt://user:password@host:port"
    try:
        parts = urlsplit(address if "://" in address else f"mqtt://{address}")
        port = MQTT_PORT if parts.port is None else parts.port
    except ValueError as error:
        raise UserError(f"broker address is malformed: {error}", hint) from error
    host, beyond = parts.hostname or "", parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme != "mqtt" or not names.is_machine(host) or not is_port(port) or beyond:
        raise UserError("broker address is malformed", hint)  # not shown: it may hold a password
    return BrokerAddress(host, port, _unquoted(parts.username), _unquoted(parts.password))


def is_port(value: object) -> bool:
    """Whether one can listen at `value`."""
    return type(value) is int and 0 < value < 65_536


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)


@dataclass(frozen=True, slots=True)
class _File:
    """The content of `tallystick.toml`, or nothing if there is none."""

    path: Path
    tables: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "_File":
        path = folder / FILE_NAME
        try:
            return cls(path, tomllib.loads(path.read_text("utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return cls(path, {})
        except OSError as error:
            raise UserError.of_system(f"cannot read {path}", error) from error
        except (ValueError, RecursionError) as error:  # not UTF-8, or not TOML
            raise UserError(f"{path} is not TOML: {error}", "mend it, or delete it and start again") from error

    def text(self, table: str, key: str) -> str | None:
        value = self._value(table, key, str)
        assert value is None or isinstance(value, str)
        return value

    def names(self, table: str, key: str) -> tuple[str, ...]:
        value = self._value(table, key, list) or []
        if not all(isinstance(name, str) and topic.NAME.fullmatch(name) for name in value):
            raise UserError(f"{self.path}: '{key}' of [{table}] does not name chains", "mend it, or delete it")
        return tuple(value)

    def broker(self) -> BrokerAddress | None:
        host = self.text("broker", "host")
        if host is None:
            return None
        if not names.is_machine(host):
            raise UserError(f"{self.path}: 'host' of [broker] is no machine's name or address", "mend it, or delete it")
        port = self._value("broker", "port", int)
        port = MQTT_PORT if port is None else port
        if not is_port(port):
            raise UserError(f"{self.path}: 'port' of [broker] is not a port, 1 to 65535", "mend it, or delete it")
        return BrokerAddress(host, port, self.text("broker", "username"), self._password())

    def _password(self) -> str | None:
        name = self.text("broker", "password_file")  # relative to the data folder
        if name is None:
            return None
        path = self.path.parent / name
        try:
            return path.read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            hint = "'tallystick up' writes it; with a broker of your own, name it in TALLYSTICK_BROKER"
            raise UserError(f"cannot read the broker's password in {path}: {error}", hint) from error

    def _value(self, table: str, key: str, kind: type) -> Any:
        value = self.tables.get(table, {})
        value = value.get(key) if isinstance(value, dict) else value
        if value is not None and type(value) is not kind:
            raise UserError(f"{self.path}: '{key}' of [{table}] is not {_KINDS[kind]}", "mend it, or delete it")
        return value


_KINDS = {str: "a text", int: "a whole number", list: "a list"}
