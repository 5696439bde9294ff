"""MQTT topics: `tallystick/v1/<chain>/<device>/<what>`."""

import re
from dataclasses import dataclass
from functools import lru_cache

from ledger.errors import MalformedError

NAME = re.compile(r"[a-z0-9-]{1,32}")
STATEMENTS = "tallystick/v1/{chain}/+/statement"
BIRTHS = "tallystick/v1/{chain}/+/birth"


@dataclass(frozen=True, slots=True)
class Topic:
    """A device's topics on one chain."""

    chain: str
    device: str

    @classmethod
    @lru_cache(maxsize=4096)  # a device says everything on a few
    def parse(cls, text: str) -> tuple["Topic", str]:
        """Split a topic into whose it is and what it carries (`statement`, `receipt/0`); MalformedError if not ours."""
        parts = text.split("/", 4)
        if len(parts) != 5 or parts[:2] != ["tallystick", "v1"]:
            raise MalformedError("not a topic of ours")
        chain, device, what = parts[2:]
        if not (NAME.fullmatch(chain) and NAME.fullmatch(device)):
            raise MalformedError("a topic's chain and device match [a-z0-9-]{1,32}")
        return cls(chain, device), what

    def __str__(self) -> str:
        return f"tallystick/v1/{self.chain}/{self.device}"

    @property
    def statement(self) -> str:
        """Where the device publishes its statements."""
        return f"{self}/statement"

    @property
    def birth(self) -> str:
        """Where the device announces its heads on connecting."""
        return f"{self}/birth"

    def receipt(self, lane: int) -> str:
        """Where the gateway, and nobody else, publishes the receipts of a lane (retained)."""
        return f"{self}/receipt/{lane}"

    def refusal(self, lane: int) -> str:
        """Where the gateway publishes what it refuses for good."""
        return f"{self}/refusal/{lane}"
