"""Where a printer is: `zebra.example.com`, `192.0.2.7:9100`, `[2001:db8::7]:9100`, or a device such as /dev/usb/lp0."""

import re
from dataclasses import dataclass
from typing import Self

from ledger.errors import UserError

PORT = 9100  # raw printing: what is sent is printed
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62})\.?)+|(?=.*:)[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?")
_ADDRESS = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<host>[^\[\]:]*))(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Address:
    """A printer on the network, or one at this machine: then `device` names its file, and `host` is empty."""

    host: str
    port: int = PORT
    device: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """An address as a person writes it; UserError if it is none."""
        if text.startswith("/"):
            return cls("", 0, text)
        found = _ADDRESS.fullmatch(text)
        host = (found["six"] or found["host"] or "") if found else text  # an IPv6 address without brackets has no port
        port = int(found["port"] or PORT) if found else PORT
        if len(host) > 253 or not _HOST.fullmatch(host) or not 0 < port < 65_536:
            hint = "write zebra.example.com, 192.0.2.7:9100, [2001:db8::7]:9100, or a device such as /dev/usb/lp0"
            raise UserError(f"{text[:80]!r} is no address of a printer", hint)
        return cls(host, port)

    def __str__(self) -> str:
        return self.device or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}")
