"""Ed25519 keys: a secret that signs, and the thumbprint by which a public key is named (RFC 9679)."""

import base64
import binascii
import hashlib
import os
from pathlib import Path
from typing import Self

from nacl.signing import SigningKey as SodiumKey

from ledger import cbor, whole_file
from ledger.errors import UserError

_PREFIX = "TALLYSTICK-SECRET-KEY-1:"


def thumbprint(public_key: bytes) -> bytes:
    """The SHA-256 COSE key thumbprint (RFC 9679, 3) of an Ed25519 public key: 32 bytes, our `kid`."""
    return hashlib.sha256(_COSE_KEY + cbor.bytes_head(len(public_key)) + public_key).digest()


_OKP, _ED25519 = 1, 6
_COSE_KEY = cbor.encode({1: _OKP, -1: _ED25519, -2: b""})[:-1]  # all but the key itself (RFC 9679, 3)


class SigningKey:
    """An Ed25519 secret key. It signs one kind of thing only: see DESIGN, "Keys sign one kind of thing each"."""

    __slots__ = ("_sodium", "kid", "public")

    def __init__(self, seed: bytes) -> None:
        self._sodium = SodiumKey(seed)
        self.public: bytes = bytes(self._sodium.verify_key)
        self.kid: bytes = thumbprint(self.public)

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid.hex()[:16]}…)"

    @classmethod
    def generate(cls) -> Self:
        """A new key from the operating system's randomness."""
        return cls(os.urandom(32))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file, or raise UserError."""
        try:
            lines = path.read_text("ascii").splitlines()
            secret = next(line for line in lines if line.startswith(_PREFIX))
            return cls(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
        except FileNotFoundError as error:
            hint = "bring it back from a copy: nothing makes the same one again"
            raise UserError(f"cannot read the key {path}: {error.strerror}", hint) from error
        except OSError as error:
            raise UserError.of_system(f"cannot read the key {path}", error) from error
        except (StopIteration, ValueError, binascii.Error) as error:
            raise UserError(
                f"{path} is not a Tallystick secret key", f"a key file has a line that starts with {_PREFIX}"
            ) from error

    def save(self, path: Path, comment: str) -> None:
        """Write a key file that only its owner may read; one that exists is never overwritten."""
        seed = base64.b64encode(bytes(self._sodium)).decode()
        text = f"# {comment}\n# kid {self.kid.hex()}\n{_PREFIX}{seed}\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            whole_file.create(path, text.encode())
        except FileExistsError as error:
            raise UserError(f"{path} exists already", "a key is never overwritten: name another file") from error

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (RFC 8032) of `message`: 64 bytes."""
        return bytes(self._sodium.sign(message).signature)


def load_or_make(path: Path, comment: str) -> SigningKey:
    """The key in the file `path`, made there if there is none: a run that died half-way had made it. UserError."""
    if not path.exists():
        SigningKey.generate().save(path, comment)
    return SigningKey.load(path)
