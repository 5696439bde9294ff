"""The MQTT broker of one machine: Mosquitto if it is installed, else amqtt; the same users, topics and rights.

Each device is a user by its own name, with a password of its own, and the gateway is one more. Users may be
added while the broker runs, by any process: the supervisor tells Mosquitto when its password file changes,
amqtt looks for itself.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy import acl, credentials
from deploy.children import Child
from deploy.places import server_folder, server_user
from gateway.check_broker import connect_packet
from gateway.judge import OVERSIZED_READ_MAX
from ledger.errors import UserError

Kind = Literal["mosquitto", "amqtt"]

HOST = "127.0.0.1"
_USER_NAME = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker on loopback `port` whose files are in `folder`; `open` prepares them."""

    folder: Path
    port: int
    kind: Kind

    @classmethod
    def open(cls, wanted: Path, port: int, kind: Literal["auto", "mosquitto", "amqtt"] = "auto") -> "Broker":
        """Prepare the files in `wanted`; starts nothing. Raises UserError if there is no such broker here."""
        broker = cls(server_folder(wanted), port, _installed(kind))
        broker._write(broker.folder / "acl", acl.mosquitto_acl())
        broker._write(broker.folder / "mosquitto.conf", broker._configuration())
        with credentials.alone(broker.folder / "lock"):
            broker._save(credentials.read(broker._credentials))
        return broker

    def add_user(self, name: str) -> str:
        """Let `name` (a device's, or `acl.GATEWAY`) in, also while the broker runs; returns a new password."""
        if name != acl.GATEWAY and not _USER_NAME.fullmatch(name):
            raise UserError(f"'{name}' is no name for a device", "1 to 32 of a-z, 0-9 and -")
        password = secrets.token_urlsafe(16)
        with credentials.alone(self.folder / "lock"):
            self._save(credentials.read(self._credentials) | {name: credentials.Credential.of(password)})
        return password

    def has_user(self, name: str, password: str) -> bool:
        """Whether `name` is let in with `password`."""
        credential = credentials.read(self._credentials).get(name)
        return credential is not None and credential.matches(password)

    def child(self, *login: str) -> Child:
        """The broker, to be kept running; ready when it lets in the `login`, a name and its password, if given.

        Another broker that was quicker to take the port answers as well, but does not know the login.
        """

        def ready() -> bool:
            return self.lets_in(*login) if login else self.is_ready()

        if self.kind == "amqtt":
            argv = (sys.executable, "-m", "deploy.amqtt_broker", str(self.port), str(self._credentials))
            return Child(name="broker", argv=argv, ready=ready)
        return Child(
            name="broker",
            argv=(_mosquitto() or "mosquitto", "-c", str(self.folder / "mosquitto.conf")),
            ready=ready,
            user=server_user(self.folder),
            death_signal=signal.SIGTERM,  # so that it saves its queues
            reload_on=self._passwords,
        )

    def is_ready(self) -> bool:
        """Whether an MQTT broker answers on the port, be it by a refusal."""
        return self._connack() is not None

    def lets_in(self, name: str, password: str) -> bool:
        """Whether the running broker accepts `name` with `password` now; a user just added may take a moment."""
        return self._connack(name, password) == 0

    def _connack(self, *login: str) -> int | None:
        """What the broker answers to an MQTT 3.1.1 CONNECT (0: accepted), or None if nothing does."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(connect_packet(*login))
                answer = connection.recv(4)
        except OSError:
            return None
        return answer[3] if len(answer) == 4 and answer[:2] == b"\x20\x02" else None

    @property
    def _credentials(self) -> Path:
        return self.folder / "credentials.json"

    @property
    def _passwords(self) -> Path:
        return self.folder / "passwords"

    def _save(self, users: dict[str, credentials.Credential]) -> None:
        credentials.write(self._credentials, users, server_user(self.folder))
        self._write(self._passwords, credentials.mosquitto_passwords(users))

    def _write(self, path: Path, text: str) -> None:
        credentials.write_private(path, text, server_user(self.folder))

    def _configuration(self) -> str:
        folder = self.folder
        lines = (
            f"listener {self.port} {HOST}",
            "allow_anonymous false",
            f"password_file {self._passwords}",
            f"acl_file {folder / 'acl'}",
            "persistence true",
            f"persistence_location {folder}{os.sep}",
            "autosave_interval 60",
            "persistent_client_expiration 7d",
            f"message_size_limit {OVERSIZED_READ_MAX}",  # what is too large is refused by the gateway, and counted
            # The defaults drop most of an overload that was acknowledged.
            "max_inflight_messages 1000",
            "max_queued_messages 100000",
            "set_tcp_nodelay true",
            "sys_interval 0",
            "log_dest stderr",
            *(f"log_type {kind}" for kind in ("error", "warning", "notice")),
            "connection_messages false",
        )
        return "\n".join(lines) + "\n"


def _installed(kind: Literal["auto", "mosquitto", "amqtt"]) -> Kind:
    if kind == "mosquitto" and _mosquitto() is None:
        raise UserError("Mosquitto is not installed", "sudo apt-get install -y mosquitto, or use the kind 'amqtt'")
    if kind == "auto":
        return "amqtt" if _mosquitto() is None else "mosquitto"
    return kind


def _mosquitto() -> str | None:
    """The program's path; Debian keeps it where a user's PATH does not look."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin")
