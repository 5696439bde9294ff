"""The broker's users: one file of salted hashes, from which both brokers are fed.

The form is Mosquitto's: PBKDF2 with SHA-512. Passwords are 128 random bits of ours, so few rounds are enough.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.children import User
from ledger import whole_file

_ROUNDS = 101
_SALT_BYTES = 12  # Mosquitto takes no other length


@dataclass(frozen=True, slots=True)
class Credential:
    """A salted password."""

    salt: bytes
    hash: bytes

    @classmethod
    def of(cls, password: str) -> "Credential":
        """A fresh salt and the hash of `password` under it."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(salt, _hash(password, salt))

    def matches(self, password: str) -> bool:
        """Whether it is the hash of `password`; takes as long either way."""
        return hmac.compare_digest(_hash(password, self.salt), self.hash)

    def __str__(self) -> str:
        return f"$7${_ROUNDS}${_b64(self.salt)}${_b64(self.hash)}"


def read(path: Path) -> dict[str, Credential]:
    """The users in the file at `path`; none if there is no file."""
    if not path.exists():
        return {}
    users: dict[str, list[str]] = json.loads(path.read_text("utf-8"))
    decode = base64.b64decode
    return {name: Credential(decode(salt), decode(digest)) for name, (salt, digest) in users.items()}


def write(path: Path, users: Mapping[str, Credential], owner: User | None) -> None:
    """Replace the file at `path`."""
    rows = {name: [_b64(credential.salt), _b64(credential.hash)] for name, credential in users.items()}
    write_private(path, json.dumps(rows, indent=1, sort_keys=True) + "\n", owner)


def mosquitto_passwords(users: Mapping[str, Credential]) -> str:
    """The users as Mosquitto's `password_file`."""
    return "".join(f"{name}:{credential}\n" for name, credential in sorted(users.items()))


def write_private(path: Path, text: str, owner: User | None = None) -> None:
    """Replace the file at `path` in one step; only its owner may read it."""
    whole_file.replace(path, text.encode(), private=True, owner=None if owner is None else (owner.uid, owner.gid))


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`: one process at a time in the block."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
