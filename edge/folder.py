"""Making a device's folder: its key, its configuration, and what its ledger's operator needs to register it."""

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.config import FILE_NAME
from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.names import is_uri, organisation
from ledger.registry import ANCHOR, REGISTRY
from ledger.settings import BrokerAddress
from ledger.topic import NAME
from ledger.trust.trust_file import Trust

KEY_FILE, TRUST_FILE, REGISTRATION_FILE = "device.key", "trust.json", "registration.json"


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What a device is to be. Its agent speaks on the first of `chains`."""

    name: str
    organisation: str
    chains: tuple[str, ...]
    broker: BrokerAddress
    password_file: Path | None
    asset: str | None
    trust: Path | None

    def check(self) -> None:
        """Raises UserError for a name that cannot be registered."""
        for name, what in ((self.name, "device"), *((chain, "chain") for chain in self.chains)):
            if not NAME.fullmatch(name):
                raise UserError(f"'{name}' is no name for a {what}", "use 1 to 32 of a-z, 0-9 and -")
        if set(self.chains) & {REGISTRY, ANCHOR}:
            raise UserError("no device speaks on the registry or the anchor", "name another chain, such as production")
        organisation(self.organisation)
        if self.asset is not None and not is_uri(self.asset):
            raise UserError(f"the asset {self.asset!r} is no URI", "write it like urn:uuid:… or https://example.com/…")
        if self.broker.password is not None:
            raise UserError("a password does not belong on a command line", "put it into a file: --password-file")


def make(folder: Path, device: NewDevice) -> dict[str, Any]:
    """Make `folder` and everything in it; returns the registration. Raises UserError, and overwrites nothing."""
    device.check()
    if (folder / FILE_NAME).exists():
        raise UserError(f"{folder} holds a device already", "name another folder with --folder")
    trust = None if device.trust is None else Trust.load(device.trust)
    for chain in device.chains:
        if trust is not None and chain not in trust.logs:
            raise UserError(f"{device.trust} pins no chain '{chain}'", f"it has {', '.join(sorted(trust.logs))}")
    urn, key = f"urn:uuid:{uuid.uuid4()}", SigningKey.generate()
    registration = _registration(device, urn, key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        key.save(folder / KEY_FILE, f"the key of device {device.name}, {urn}")
        if device.trust is not None and device.trust.absolute() != (folder / TRUST_FILE).absolute():
            shutil.copyfile(device.trust, folder / TRUST_FILE)
        (folder / REGISTRATION_FILE).write_text(json.dumps(registration, indent=2) + "\n")
        (folder / FILE_NAME).write_text(_config(device, urn))
    except OSError as error:
        raise UserError.of_system(f"cannot write {error.filename or folder}", error) from error
    return registration


def _registration(device: NewDevice, urn: str, key: SigningKey) -> dict[str, Any]:
    registration = {
        "tallystick-registration": 1,
        "type": "device",
        "name": device.name,
        "urn": urn,
        "organisation": device.organisation,
        "chains": list(device.chains),
        "key": key.public.hex(),
    }
    return registration if device.asset is None else {**registration, "asset": device.asset}


def _config(device: NewDevice, urn: str) -> str:
    broker, password = device.broker, device.password_file
    return _TEMPLATE.format(
        name=_text(device.name),
        urn=_text(urn),
        organisation=_text(device.organisation),
        chain=_text(device.chains[0]),
        host=_text(broker.host),
        port=broker.port,
        username=_maybe("username", broker.username, device.name),
        password_file=_maybe("password_file", str(password.absolute()) if password else None, "password"),
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a basic string of TOML


def _maybe(key: str, value: str | None, sample: str) -> str:
    return f"# {key} = {_text(sample)}" if value is None else f"{key} = {_text(value)}"


_TEMPLATE = """\
# A Tallystick device. 'tallystick edge run --folder .' reads this when it starts.

[device]
name = {name}
urn = {urn}
organisation = {organisation}
chain = {chain}
# Who may see what the device signs, unless a sensor says otherwise: "public", "partners" or "private".
privacy = "private"

[broker]
host = {host}
port = {port}
{username}
{password_file}

[ledger]
# What the ledger's operator gave out; the agent believes no receipt but by this.
trust = "trust.json"

[spool]
# When so many bytes wait for receipts, the oldest telemetry gives way; events never do.
bytes_max = 268435456
# How many statements may be under way without a receipt.
window = 64

# Sensors, each a table of its own. This machine's state: a sample each interval_s seconds, six in a statement:
# [[sensor]]
# type = "host"
# interval_s = 10
# samples = 6

# A recorded series, replayed: `rows` rows of a CSV file, one each interval_s seconds, ten in a statement, with their
# times shifted so that the last one is at the moment the agent first started.
# [[sensor]]
# type = "csv"
# file = "temperatures.csv"
# time = "date"
# value = "temp"
# zone = "+00:00"
# source = "whoever recorded it"
# metric = "temperature"
# unit = "Cel"
# convert = "none"
# rows = 100
# interval_s = 1
# pack = 10
# retime = "last"
# at = "start"
"""
